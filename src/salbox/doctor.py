"""What works on this machine: versions, providers, extras."""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib import metadata

from .models.loading import card
from .models.registry import list_models
from .version import __version__


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis: whether something works, and what to do if not."""

    subject: str
    ok: bool
    detail: str
    required: bool = True


def diagnose() -> list[Finding]:
    """Return what works here and what an install would add."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    findings = [
        Finding("salbox", True, f"{__version__}, {len(list_models())} models"),
        Finding("Python", sys.version_info >= (3, 11), f"{platform.python_version()} (3.11 to 3.13)"),
        Finding("machine", True, f"{platform.system()} {platform.machine()}, {cores} cores"),
    ]
    requirements = metadata.requires("salbox") or []
    findings += [_package(name) for name in sorted(_names(requirements, None))]
    findings.append(_onnx_providers())
    findings += [_model(name) for name in list_models()]
    extras = sorted(metadata.metadata("salbox").get_all("Provides-Extra") or [])
    findings += [_extra(extra, requirements) for extra in extras if extra not in ("all", "test", "dev")]
    return findings


def _names(requirements: list[str], extra: str | None) -> set[str]:
    """Return the packages that the core (extra None) or an extra asks for."""
    marker = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
    names = set()
    for requirement in requirements:
        found = marker.search(requirement)
        if (found.group(1) if found else None) == extra:
            names.add(re.split(r"[\s;<>=!~\[(]", requirement, maxsplit=1)[0])
    return names


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False, f"missing: pip install {name}")


def _onnx_providers() -> Finding:
    try:
        import onnxruntime
    except ImportError as error:
        return Finding("ONNX providers", False, f"onnxruntime does not load ({error})")
    return Finding("ONNX providers", True, ", ".join(onnxruntime.get_available_providers()))


def _model(name: str) -> Finding:
    try:
        return Finding(f"model {name}", True, card(name).title)
    except ImportError as error:
        return Finding(f"model {name}", False, f"does not load ({error})")


def _extra(extra: str, requirements: list[str]) -> Finding:
    missing = sorted(name for name in _names(requirements, extra) if not _package(name).ok)
    if missing:
        detail = f"not installed ({', '.join(missing)}): pip install 'salbox[{extra}]'"
        return Finding(f"extra {extra}", False, detail, required=False)
    return Finding(f"extra {extra}", True, "installed", required=False)
