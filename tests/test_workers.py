"""The pool of processes: order, and an end together with the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from salbox.workers import in_workers

SCRIPT = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
from salbox.workers import in_workers
from test_workers import begin

if __name__ == "__main__":
    for _ in in_workers(begin, [{folder!r}] * 100, 2):
        pass
"""


def begin():
    return note_process


def note_process(folder: str) -> str:
    """Leave a file named as this process."""
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(0.05)
    return folder


def double():
    return lambda number: 2 * number


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers):
    assert list(in_workers(double, range(20), workers)) == [2 * n for n in range(20)]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes through /proc")
def test_workers_do_not_outlive_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "run.py"
    folder = tmp_path / "processes"
    folder.mkdir()
    script.write_text(SCRIPT.format(here=str(Path(__file__).parent), folder=str(folder)))
    parent = subprocess.Popen([sys.executable, str(script)])
    deadline = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = [int(path.name) for path in folder.iterdir()]
    assert len(workers) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while any(_lives(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_lives(pid) for pid in workers)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
