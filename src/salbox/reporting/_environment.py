"""What a page was made on."""

from __future__ import annotations

import contextlib
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from ..system.threads import available_cores
from ..version import __version__

_PACKAGES = ("numpy", "scipy", "opencv-python-headless", "pillow", "onnxruntime")


def environment() -> dict[str, str]:
    """Return date, versions and machine, in words; nothing that names a person, a host or a folder."""
    packages = []
    for name in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            packages.append(f"{name} {metadata.version(name)}")
    machine = [f"{platform.system()} {platform.machine()}", f"{available_cores()} cores", _processor()]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "salbox": __version__,
        "Python": platform.python_version(),
        "packages": ", ".join(packages),
        "machine": ", ".join(part for part in machine if part),
    }


def _processor() -> str:
    """Return the processor's name where the system tells, as Linux does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
