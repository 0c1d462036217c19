"""How much memory this process takes."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from pathlib import Path

# Of glibc's malloc.h: the free bytes at the heap's end that are given back, and the size from which memory is mapped.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST = 2**31 - 1
_SET_BY_USERS = ("GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_MAX_")


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
    _call("malloc_trim", 0)


def keep_memory() -> None:
    """Have this process keep what it lets go (Linux), for what it asks for next; `give_memory_back` still returns it.

    A training lets go as many megabytes in each step as it asks for in the next. Those the C library returns to the
    system, which clears them page by page before it hands them out again. Where a user has told the library how to
    keep memory, nothing is changed.
    """
    if any(name in os.environ for name in _SET_BY_USERS):
        return
    _call("mallopt", _MMAP_THRESHOLD, _LARGEST)
    _call("mallopt", _TRIM_THRESHOLD, _LARGEST)


def _call(function: str, *numbers: int) -> None:
    """Call a function of Linux's C library, if it is glibc."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):  # another one, such as musl
            getattr(ctypes.CDLL(None), function)(*numbers)


def _status(name: str) -> int | None:
    # Not resource.getrusage: its maximum is inherited from the process that started this one.
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
    except (OSError, StopIteration, ValueError):
        return None
