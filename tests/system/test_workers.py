"""The pool of processes: order, and an end together with the process that started it."""

from __future__ import annotations

import itertools
import multiprocessing
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


@pytest.fixture
def seconds(monkeypatch):
    """Have each task take so long by the clock, without waiting; the first may take longer."""

    def take(each: float, first: float | None = None) -> None:
        durations = itertools.chain([each if first is None else first], itertools.repeat(each))
        # The clock is read before a task and behind it.
        ticks = (now for duration in durations for now in (0.0, duration))
        monkeypatch.setattr(pool, "perf_counter", lambda: next(ticks))

    return take


@pytest.mark.parametrize(
    ("each", "first", "tasks", "alone"),
    [
        (0.02, None, 100, 100),  # a second and a half is not worth the two that processes take to begin
        (0.02, 1.5, 100, 100),  # what takes long is loading
        (0.05, None, 100, 2),
        (0.5, 1.5, 12, 2),
        (10.0, None, 16, 1),  # no loading takes so long, and another such task alone would be dear
        (10.0, None, 4, 4),  # too few to be shared out
    ],
)
def test_processes_take_over_where_that_is_sooner(monkeypatch, seconds, each, first, tasks, alone):
    monkeypatch.setattr(pool, "available_cores", lambda: 4)
    seconds(each, first)
    given = []

    def others(begin, left, workers, executor):
        given.extend(left)
        return map(begin(), left)

    monkeypatch.setattr(pool, "_shared_out", others)
    assert list(in_workers(double, range(tasks))) == [2 * n for n in range(tasks)]
    assert given == list(range(alone, tasks))


@pytest.mark.parametrize(("asked", "tasks", "expected"), [(None, 100, 3), (2, 100, 2), (5, 2, 2), (1, 9, None)])
def test_the_executor_is_what_one_gives(monkeypatch, seconds, asked, tasks, expected):
    """Threads in the place of processes: told how many, and begun alike."""
    monkeypatch.setattr(pool, "available_cores", lambda: 3)
    seconds(1.0)
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


def ends_when_begun():
    os._exit(1)


def ends_at_work():
    return os._exit


@pytest.mark.parametrize(
    ("begin", "said"),
    [
        (ends_when_begun, "a worker process ended while it loaded what it works with: one worker shows"),
        (ends_at_work, "a worker process was killed or crashed, probably out of memory: fewer --workers"),
    ],
)
def test_of_a_process_that_died_what_is_known(begin, said):
    with pytest.raises(SalboxError, match=f"^{said}"):
        list(in_workers(begin, range(4), 2))


UNGUARDED = """
import sys
sys.path.insert(0, {here!r})
from salbox.system.workers import in_workers
from test_workers import double

print(list(in_workers(double, range(8), {workers})))
"""


@pytest.mark.parametrize("way", ["script", "standard input"])
def test_a_script_that_other_processes_cannot_import(tmp_path, way):
    text = UNGUARDED.format(here=str(Path(__file__).parent), workers=2)
    script = tmp_path / "run.py"
    script.write_text(text)
    given = {"args": [sys.executable, str(script)]} if way == "script" else {"args": [sys.executable], "input": text}
    done = subprocess.run(**given, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    reason = "below 'if __name__ == \"__main__\":'" if way == "script" else "there is no file <stdin>: save it as one"
    assert reason in last
    assert "memory" not in last


def test_a_script_from_standard_input_does_it_alone(tmp_path):
    text = UNGUARDED.format(here=str(Path(__file__).parent), workers=None)
    done = subprocess.run([sys.executable], input=text, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, f"{[2 * n for n in range(8)]}\n"), done.stderr


def test_a_worker_of_another_pool_begins_none(monkeypatch):
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    monkeypatch.setattr(pool, "available_cores", lambda: 8)
    assert list(in_workers(double, range(100))) == [2 * n for n in range(100)]
    with pytest.raises(SalboxError, match="worker of another pool"):
        in_workers(double, range(100), 2)


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
