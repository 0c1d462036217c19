"""The clock that the length of a training is measured by."""

from __future__ import annotations

import time
from typing import Literal

import torch

Clock = Literal["wall", "processor"]


def now(clock: Clock, device: str = "cpu") -> float:
    """Return seconds since some moment, after what a GPU was given to do is done.

    Parameters
    ----------
    clock : {"wall", "processor"}
        "processor" counts what this process computed, divided by the threads it may use: on a machine that it shares
        with others, trainings of equal length by it have computed equally long.
    """
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.process_time() / torch.get_num_threads() if clock == "processor" else time.monotonic()


def duration(seconds: float) -> str:
    """Return seconds in words: "45 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
