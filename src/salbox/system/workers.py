"""Work shared out to processes, each with its part of the cores: how many, and how they are begun and ended."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import Any, TypeAlias, TypeVar

from ..errors import SalboxError, UsageError, located
from .threads import available_cores, children_use

_WAITING_A_WORKER = 4  # tasks handed out ahead, so that no worker waits and the memory stays flat
_TASKS_A_WORKER = 4  # fewer are not worth a second process, which takes about a second to start

Prepare: TypeAlias = "Callable[[], None]"
"""Called first in a process that is begun; it can be pickled."""

_inherited: list[Callable[[], tuple[Prepare, bool]]] = []

T = TypeVar("T")
R = TypeVar("R")

MakeExecutor: TypeAlias = "Callable[[int, Callable[..., None], tuple[Any, ...]], Executor]"
"""Makes what runs the work: takes the number of workers, what each is begun with, and the arguments of that."""


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
    """Return how many processes serve a number of tasks if nobody says.

    One a core, fewer where starting them would not pay; one alone where a network computes on another device than the
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
        Processes, never more than tasks; by default what `default_workers` says, and this one alone where others could
        not do the work. With 1 the work is done in this one.
    device : str, optional
        Where the work computes.
    executor : callable
        Makes what runs the work, by default processes of this machine.

    Raises
    ------
    UsageError
        At once, if `workers` is below 1.
    SalboxError
        While results are taken, if a process dies.
    """
    check_workers(workers)
    count = default_workers(len(tasks), device) if workers is None else min(workers, max(1, len(tasks)))
    if workers is None and count > 1 and not _can_be_shared(begin):
        count = 1
    return map(begin(), tasks) if count == 1 else _shared_out(begin, tasks, count, executor)


def _shared_out(
    begin: Callable[[], Callable[[T], R]], tasks: Sequence[T], workers: int, executor: MakeExecutor
) -> Iterator[R]:
    threads = max(1, available_cores() // workers)
    waiting: deque[Future[R]] = deque()
    remaining = iter(tasks)
    # Pickled by itself: a process is prepared before it makes of the bytes what they stand for.
    pool = executor(workers, _start, (preparations(), pickle.dumps(begin), threads))
    with children_use(threads):
        try:
            waiting.extend(pool.submit(_work, task) for task in islice(remaining, workers * _WAITING_A_WORKER))
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(pool.submit(_work, task) for task in islice(remaining, 1))
        except BrokenProcessPool:
            raise SalboxError("a worker process died, probably out of memory: fewer --workers may help") from None
        finally:
            # What is being computed is finished; nothing new is begun.
            pool.shutdown(wait=True, cancel_futures=True)


def _can_be_shared(begin: Callable[[], Any]) -> bool:
    """Return whether other processes can do the work."""
    if not all(inherited()[1] for inherited in _inherited):
        return False
    with contextlib.suppress(Exception):  # pickling raises what the objects inside raise
        pickle.dumps(begin)
        return True
    return False


_do: Callable[[Any], Any]


def _start(preparations: Sequence[Prepare], pickled: bytes, threads: int) -> None:
    global _do
    import cv2

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
    return _do(task)
