"""Seconds and memory that RARE2012 takes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from _tables import markdown_table

from salbox.classical.rare2012 import rare2012
from salbox.types import Pixels


def cost_table(photo: Pixels) -> str:
    """Return seconds and memory at three sizes."""
    rows = []
    for width, height in ((640, 480), (800, 600), (4000, 3000)):
        image = cv2.resize(photo, (width, height), interpolation=cv2.INTER_LINEAR)
        rare2012(image)
        times = []
        for _ in range(7):
            start = time.process_time()
            rare2012(image)
            times.append(time.process_time() - start)
        rows.append([f"{width} x {height}", f"{np.median(times):.3f}", f"{peak_memory(width, height):.0f}"])
    note = (
        "Processor time, median of 7. Memory: the peak of a fresh process that also imports salbox and holds the image."
    )
    return f"{note}\n\n" + markdown_table(["image", "seconds", "peak memory, MiB"], rows)


def peak_memory(width: int, height: int) -> float:
    """Return the peak resident memory in MiB of a fresh process that computes one map."""
    call = [sys.executable, __file__, str(width), str(height)]
    return float(subprocess.run(call, check=True, capture_output=True, text=True).stdout)


def print_peak_memory(width: int, height: int) -> None:
    """Compute one map and print the peak resident memory of this process in MiB."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (height // 10, width // 10, 3), dtype=np.uint8)
    rare2012(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    # Not getrusage, whose peak is that of the process that started this one if that was larger.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    print(int(status["VmHWM"].split()[0]) / 1024)


if __name__ == "__main__":
    print_peak_memory(int(sys.argv[1]), int(sys.argv[2]))
