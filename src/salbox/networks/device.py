"""Where a network computes: a PyTorch device by name."""

from __future__ import annotations

import os

import torch

from ..errors import UsageError
from ..system.threads import THREADS_VARIABLE, available_threads


def torch_device(name: str) -> torch.device:
    """Return a PyTorch device: "cpu", "cuda", "cuda:1" or "mps".

    If `SALBOX_THREADS` is set, PyTorch is held to so many threads, which it counts for the whole process.

    Raises
    ------
    UsageError
        If there is no such device here.
    """
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise _unknown(name) from None
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise UsageError(f"device '{name}': PyTorch finds {count or 'no'} CUDA device(s) here; choose cpu")
    elif device.type == "mps":
        if not torch.backends.mps.is_available():
            raise UsageError(f"device '{name}': PyTorch finds no Apple GPU here; choose cpu")
    elif device.type != "cpu":
        raise _unknown(name)
    if THREADS_VARIABLE in os.environ and torch.get_num_threads() > available_threads():
        torch.set_num_threads(available_threads())
    return device


def _unknown(name: str) -> UsageError:
    return UsageError(f"device '{name}': expected cpu, cuda, cuda:N or mps")
