"""Threads and processes: how many there may be, and workers that share the cores instead of fighting for them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

THREADS_VARIABLE = "SALBOX_THREADS"

# What the libraries below NumPy, SciPy and OpenCV read when they are first imported.
_LIBRARY_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


def available_cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_threads() -> int:
    """Return how many threads one computation may use: `SALBOX_THREADS`, or else all cores."""
    try:
        return max(1, int(os.environ[THREADS_VARIABLE]))
    except (KeyError, ValueError):
        return available_cores()


def thread_variables() -> tuple[str, ...]:
    """Return the names of the variables that say how many threads a process may use, all libraries included."""
    return (THREADS_VARIABLE, *_LIBRARY_VARIABLES)


@contextlib.contextmanager
def children_use(threads: int) -> Iterator[None]:
    """Let processes that are started within the block use `threads` threads each, all libraries included."""
    variables = thread_variables()
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(dict.fromkeys(variables, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
