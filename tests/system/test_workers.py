"""The pool of processes: order, and an end together with the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from salbox.errors import SalboxError, UsageError
from salbox.system import workers as pool
from salbox.system.workers import check_workers, default_workers, in_workers, pass_on

SCRIPT = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
from salbox.system.workers import in_workers
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


def test_one_process_serves_few_tasks_and_one_alone_another_device(monkeypatch):
    monkeypatch.setattr(pool, "available_cores", lambda: 8)
    assert [default_workers(tasks) for tasks in (0, 1, 7, 8, 31, 32, 1000)] == [1, 1, 1, 2, 7, 8, 8]
    assert [default_workers(1000, device) for device in (None, "cpu", "cuda", "cuda:1", "mps")] == [8, 8, 1, 1, 1]


@pytest.mark.parametrize(("asked", "tasks", "expected"), [(None, 100, 3), (2, 100, 2), (5, 2, 2), (1, 9, None)])
def test_the_executor_is_what_one_gives(monkeypatch, asked, tasks, expected):
    """Threads in the place of processes: told how many, and begun alike."""
    monkeypatch.setattr(pool, "available_cores", lambda: 3)
    monkeypatch.setattr(pool.signal, "signal", lambda *_: None)  # a thread may not
    made = []

    def threads(workers, initializer, arguments):
        made.append(workers)
        return ThreadPoolExecutor(workers, initializer=initializer, initargs=arguments)

    assert list(in_workers(double, range(tasks), asked, executor=threads)) == [2 * n for n in range(tasks)]
    assert made == ([] if expected is None else [expected])


def test_on_a_gpu_the_work_is_done_in_this_process():
    def never(*_):
        raise AssertionError("begun")

    assert list(in_workers(double, range(100), device="cuda", executor=never)) == [2 * n for n in range(100)]


def cannot_begin():
    raise UsageError("nothing to begin with")


def test_what_a_process_cannot_begin_with_is_said_and_not_that_it_died():
    with pytest.raises(SalboxError, match=r"^nothing to begin with$"):
        list(in_workers(cannot_begin, range(4), 2))


TOLD: list[str] = []


def what_was_told():
    return lambda _: list(TOLD)


@pytest.fixture
def passing_on(monkeypatch):
    monkeypatch.setattr(pool, "_inherited", [])
    monkeypatch.setattr(pool, "available_cores", lambda: 2)
    return pass_on


def test_processes_are_prepared_with_what_this_one_was_told(passing_on):
    passing_on(inherited)
    passing_on(inherited)  # once is enough
    assert list(in_workers(what_was_told, range(8), 2)) == [["a"]] * 8
    assert TOLD == []


def inherited():
    return prepare_here, True


def prepare_here():
    TOLD.append("a")


@pytest.mark.parametrize("reason", ["left out", "cannot be pickled"])
def test_this_process_alone_does_what_others_cannot(passing_on, reason):
    def never(*_):
        raise AssertionError("begun")

    if reason == "left out":
        passing_on(lambda: (prepare_here, False))
    begin = what_was_told if reason == "left out" else lambda: lambda _: []
    assert list(in_workers(begin, range(100), executor=never)) == [[]] * 100


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_refused_at_once(workers):
    with pytest.raises(UsageError, match="expected at least 1"):
        check_workers(workers)
    with pytest.raises(UsageError, match="expected at least 1"):
        in_workers(double, [1], workers)


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
