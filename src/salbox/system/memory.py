"""How much memory this process takes."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from pathlib import Path


def gpu_memory() -> int | None:
    """Return the most memory in bytes that PyTorch held on GPUs at once, or None if it used none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return sum(torch.cuda.max_memory_allocated(device) for device in range(torch.cuda.device_count()))


def resident_memory() -> int | None:
    """Return the resident memory of this process in bytes, where the system says (Linux)."""
    return _status("VmRSS")


def peak_memory() -> int | None:
    """Return the largest resident memory that this process had, in bytes, where the system says (Linux)."""
    return _status("VmHWM")


def give_memory_back() -> None:
    """Return to the system what was let go (Linux): the C library keeps it for what is asked for next."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _status(name: str) -> int | None:
    # Not resource.getrusage: its maximum is inherited from the process that started this one.
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
    except (OSError, StopIteration, ValueError):
        return None
