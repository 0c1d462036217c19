"""Memory that a process lets go: given back to the system, or kept for what it asks for next."""

from __future__ import annotations

import subprocess
import sys

import pytest

# How many pages the system cleared for an array that is made and let go four times; the settings last for a process.
FAULTS = """
import resource
import numpy as np
from salbox.system.memory import give_memory_back, keep_memory, resident_memory

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        np.ones(48 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

pages()
before = pages()
keep_memory()
pages()
after, kept = pages(), resident_memory()
give_memory_back()
print(before, after, kept - resident_memory())
"""


def measured(**environment: str) -> list[int]:
    """Return what `FAULTS` prints."""
    # Huge pages are cleared many at once, which the count does not show.
    command = [sys.executable, "-c", FAULTS]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=60)
    return [int(number) for number in run.stdout.split()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="how another system's C library keeps memory")
def test_memory_is_kept_and_given_back() -> None:
    before, after, returned = measured(NUMPY_MADVISE_HUGEPAGE="0")
    assert after < 0.2 * before
    assert returned > 40 << 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="how another system's C library keeps memory")
def test_what_a_user_has_set_stays() -> None:
    before, after, _ = measured(NUMPY_MADVISE_HUGEPAGE="0", MALLOC_MMAP_THRESHOLD_="131072")
    assert after > 0.5 * before
