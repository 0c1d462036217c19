"""Work to share out, in tests: it leaves a sign of each time that a task is begun."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from salbox.errors import SalboxError


def beginning(folder: Path, seconds: float) -> Callable[[int], tuple[int, int]]:
    """Return what squares a number, having slept, and says in which process."""
    return partial(_square, folder, seconds)


def failing() -> Callable[[int], int]:
    """Return what cannot do number 3."""
    return _fail_at_three


def visible_gpus() -> Callable[[int], str]:
    """Return what says which GPUs its process may use."""
    return _visible_gpus


def _visible_gpus(number: int) -> str:
    return os.environ.get("CUDA_VISIBLE_DEVICES", "all")


def _square(folder: Path, seconds: float, number: int) -> tuple[int, int]:
    (folder / f"{number}.{os.getpid()}").touch()
    time.sleep(seconds)
    return number * number, os.getpid()


def _fail_at_three(number: int) -> int:
    if number == 3:
        raise SalboxError("three: cannot be done")
    return number
