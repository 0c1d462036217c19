"""What every result page has: tables, and where and when it was measured."""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from salbox.evaluation.formats import markdown_table as markdown_table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
SHARED = Path(os.environ.get("SALBOX_SHARED", ROOT.parent / "shared"))


def provenance(packages: Sequence[str] = ("salbox", "numpy", "scipy", "opencv-python-headless")) -> str:
    """Return a line with the machine, the date and the versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return f"Measured {today} on {_processor()}, {cores} cores; Python {platform.python_version()}, {versions}."


def matmul_rate(repeats: int = 5, side: int = 2048) -> float:
    """Return the rate of NumPy's float32 matrix product in GFLOP/s, median of several."""
    a = np.random.default_rng(0).random((side, side), dtype=np.float32)
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2 * side**3 / float(np.median(times[1:])) / 1e9


def write_page(name: str, text: str) -> Path:
    """Write a page of docs/results and say where."""
    path = RESULTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip() + "\n", encoding="utf-8")
    print(text, f"\nwrote {path}", sep="\n")
    return path


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
