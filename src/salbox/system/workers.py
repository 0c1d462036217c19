"""Work shared out to processes, each with its part of the cores: how many, and how they are begun and ended."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextvars import ContextVar
from functools import partial
from itertools import islice
from multiprocessing import current_process, get_context, parent_process
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol, TypeAlias, TypeVar

from ..errors import SalboxError, UsageError, located
from .threads import available_cores, children_use

_WAITING_A_WORKER = 4  # tasks handed out ahead, so that no worker waits and the memory stays flat
_TASKS_A_WORKER = 4  # fewer are not worth a second process
_BEGIN_SECONDS = 2.0  # that processes take until they work: libraries are imported, models loaded
_BEGUN, _AT_WORK = "begun", "at work"  # files that processes leave in a folder as signs of how far they came

Prepare: TypeAlias = "Callable[[], None]"
"""Called first in a process that is begun; it can be pickled."""

_inherited: list[Callable[[], tuple[Prepare, bool]]] = []

T = TypeVar("T")
R = TypeVar("R")

MakeExecutor: TypeAlias = "Callable[[int, Callable[..., None], tuple[Any, ...]], Executor]"
"""Makes what runs the work: takes the number of workers, what each is begun with, and the arguments of that."""


class Engine(Protocol):
    """What work is shared out to in the place of processes of this machine; called it is a `MakeExecutor`."""

    @property
    def workers(self) -> int:
        """How many may work at once."""
        ...

    def __call__(self, workers: int, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> Executor:
        """Return what runs the work."""
        ...


_engine: ContextVar[Engine | None] = ContextVar("engine", default=None)


@contextlib.contextmanager
def shared_out_by(engine: Engine) -> Iterator[None]:
    """Have whatever is shared out within the block done by an engine, a single task as well."""
    token = _engine.set(engine)
    try:
        yield
    finally:
        _engine.reset(token)


def engine_in_use() -> Engine | None:
    """Return what work is shared out to here; None where that is processes of this machine."""
    return _engine.get()


def pass_on(inherited: Callable[[], tuple[Prepare, bool]]) -> None:
    """Have processes that are begun from now on know what this one was told.

    Parameters
    ----------
    inherited : callable
        Asked when processes are begun; returns what prepares them, and whether that leaves nothing out.
    """
    if inherited not in _inherited:
        _inherited.append(inherited)


def preparations() -> tuple[Prepare, ...]:
    """Return what a process that is begun now is to be prepared by."""
    return tuple(inherited()[0] for inherited in _inherited)


def prepare(preparations: Sequence[Prepare]) -> None:
    """Prepare the process that this is called in."""
    for each in preparations:
        each()


def default_workers(tasks: int, device: str | None = "cpu") -> int:
    """Return how many processes may serve a number of tasks if nobody says.

    One a core, fewer where there is little to share out; one alone where a network computes on another device than the
    CPU, since each process would hold a copy of it there.
    """
    if device not in (None, "cpu"):
        return 1
    return max(1, min(available_cores(), tasks // _TASKS_A_WORKER))


def check_workers(workers: int | None) -> None:
    """Raise a UsageError if there is no such number of processes."""
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers: expected at least 1")


def processes(workers: int, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> Executor:
    """Return processes of this machine, begun afresh: a fork would share what is open, and the locks of threads."""
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer, arguments)


def in_workers(
    begin: Callable[[], Callable[[T], R]],
    tasks: Sequence[T],
    workers: int | None = None,
    *,
    device: str | None = "cpu",
    executor: MakeExecutor = processes,
) -> Iterator[R]:
    """Return an iterator over the result of each task, in order.

    Parameters
    ----------
    begin : callable
        Called once in each process; returns what is called with a task. It can be pickled, as can tasks and results.
    tasks : sequence
    workers : int, optional
        Processes, never more than tasks. With 1 the work is done in this one. By default it begins in this one, and
        others take over, as many as `default_workers` says, once it is known to be long enough for that: processes
        take longer to begin than a quick model for dozens of images.
    device : str, optional
        Where the work computes.
    executor : callable
        Makes what runs the work, by default processes of this machine.

    Raises
    ------
    UsageError
        At once, if `workers` is below 1.
    SalboxError
        At once, if processes are asked for and cannot be begun from here; while results are taken, if one dies.
    """
    check_workers(workers)
    if (engine := _engine.get()) is not None:
        return _shared_out(begin, tasks, min(workers or engine.workers, max(1, len(tasks))), engine)
    obstacle = _obstacle()
    if workers is None:
        most = default_workers(len(tasks), device)
        if most == 1 or obstacle or not _can_be_shared(begin):
            return map(begin(), tasks)
        return _shared_out_if_long(begin, begin(), tasks, device, executor)
    count = min(workers, max(1, len(tasks)))
    if count == 1:
        return map(begin(), tasks)
    if obstacle:
        raise SalboxError(f"{obstacle}, or ask for one worker")
    return _shared_out(begin, tasks, count, executor)


def _shared_out_if_long(
    begin: Callable[[], Callable[[T], R]],
    work: Callable[[T], R],
    tasks: Sequence[T],
    device: str | None,
    executor: MakeExecutor,
) -> Iterator[R]:
    """Yield the result of each task, the first of this process, the rest of others where that is sooner."""
    quickest = float("inf")
    for done, task in enumerate(tasks, start=1):
        started = perf_counter()
        result = work(task)
        quickest = min(quickest, perf_counter() - started)
        yield result
        workers = default_workers(len(tasks) - done, device)
        saved = quickest * (len(tasks) - done) * (1 - 1 / workers)
        # What is loaded at the first task is told from the work itself by the second.
        if saved > _BEGIN_SECONDS and (done > 1 or quickest > _BEGIN_SECONDS):
            del work
            yield from _shared_out(begin, tasks[done:], workers, executor)
            return


def _shared_out(
    begin: Callable[[], Callable[[T], R]], tasks: Sequence[T], workers: int, executor: MakeExecutor
) -> Iterator[R]:
    threads = max(1, available_cores() // workers)
    waiting: deque[Future[R]] = deque()
    remaining = iter(tasks)
    with tempfile.TemporaryDirectory(prefix="salbox-", ignore_cleanup_errors=True) as signs, children_use(threads):
        # Pickled by itself: a process is prepared before it makes of the bytes what they stand for.
        pool = executor(workers, _start, (preparations(), pickle.dumps(begin), threads, signs))
        try:
            waiting.extend(pool.submit(_work, task) for task in islice(remaining, workers * _WAITING_A_WORKER))
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(pool.submit(_work, task) for task in islice(remaining, 1))
        except BrokenProcessPool:
            raise SalboxError(_cause(Path(signs))) from None
        finally:
            # What is being computed is finished; nothing new is begun.
            pool.shutdown(wait=True, cancel_futures=True)


def check_can_begin() -> None:
    """Raise a SalboxError if this process cannot begin others: the script that runs cannot be imported."""
    if obstacle := _obstacle():
        raise SalboxError(obstacle)


def _obstacle() -> str:
    """Return why this process cannot begin others, and what to do; "" if it can.

    Raises
    ------
    SalboxError
        If it is itself one that is just being begun: it would do all of the work over again.
    """
    if getattr(current_process(), "_inheriting", False):
        raise SalboxError(_UNGUARDED)
    if current_process().daemon:
        return "this process is a worker of another pool, which may not begin any: do the work outside"
    script = sys.modules.get("__main__")
    file = getattr(script, "__file__", None)
    # What was typed in or given by -c has no file; what was started by -m is found by its name.
    if file is not None and getattr(script, "__spec__", None) is None and not Path(file).exists():
        return f"other processes import the script that runs, and there is no file {file}: save it as one"
    return ""


_UNGUARDED = (
    "other processes import the script that runs, so what it does has to stand below 'if __name__ == \"__main__\":'"
)


NOT_BEGUN = f"the processes that were to work ended before they began: {_UNGUARDED}"
"""What is known of processes that never came as far as to their first task."""


def _cause(signs: Path) -> str:
    """Return what is known of why a process died, by the signs that they left."""
    if (signs / _AT_WORK).exists():
        return "a worker process was killed or crashed, probably out of memory: fewer --workers may help"
    if (signs / _BEGUN).exists():
        return "a worker process ended while it loaded what it works with: one worker shows what goes wrong"
    return f"{NOT_BEGUN}, or ask for one worker"


def _can_be_shared(begin: Callable[[], Any]) -> bool:
    """Return whether other processes can do the work."""
    if not all(inherited()[1] for inherited in _inherited):
        return False
    with contextlib.suppress(Exception):  # pickling raises what the objects inside raise
        pickle.dumps(begin)
        return True
    return False


_do: Callable[[Any], Any]
_signs: Path | None = None


def _start(preparations: Sequence[Prepare], pickled: bytes, threads: int, signs: str) -> None:
    global _do, _signs
    import cv2

    _signs = Path(signs)
    _sign(_BEGUN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the run
    threading.Thread(target=leave_with_parent, daemon=True).start()
    cv2.setNumThreads(threads)
    prepare(preparations)
    try:
        _do = pickle.loads(pickled)()  # noqa: S301  # by the parent
    except SalboxError as error:  # said by the first task: a process that cannot begin takes its reason with it
        _do = partial(_fail, str(error))
    except Exception as error:
        _do = partial(_fail, f"a worker process could not begin: {located(error)}; fewer --workers may help")


def _fail(reason: str, _task: Any) -> Any:
    raise SalboxError(reason)


def leave_with_parent() -> None:
    """End this process when the parent is gone: one that is killed cannot say so."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Any) -> Any:
    _sign(_AT_WORK)
    return _do(task)


def _sign(stage: str) -> None:
    """Leave a sign of how far this process came, where there is a place for it."""
    if _signs is not None:
        with contextlib.suppress(OSError):
            (_signs / stage).touch()
