"""Work shared out to processes, each with its part of the cores."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from .errors import SalboxError
from .threads import available_cores, children_use

_WAITING_A_WORKER = 4  # tasks handed out ahead, so that no worker waits and the memory stays flat

T = TypeVar("T")
R = TypeVar("R")


def in_workers(begin: Callable[[], Callable[[T], R]], tasks: Sequence[T], workers: int) -> Iterator[R]:
    """Yield the result of each task, in order.

    Parameters
    ----------
    begin : callable
        Called once in each process; returns what is called with a task. It can be pickled, as can tasks and results.
    tasks : sequence
    workers : int
        Processes; with 1 the work is done in this one.

    Raises
    ------
    SalboxError
        If a process dies.
    """
    if workers == 1:
        yield from map(begin(), tasks)
        return
    threads = max(1, available_cores() // workers)
    waiting: deque[Future[R]] = deque()
    remaining = iter(tasks)
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start, initargs=(begin, threads))
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


_do: Callable[[Any], Any]


def _start(begin: Callable[[], Callable[[Any], Any]], threads: int) -> None:
    global _do
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the run
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    cv2.setNumThreads(threads)
    _do = begin()


def _leave_with_parent() -> None:
    """End this process when the parent is gone: one that is killed cannot say so."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Any) -> Any:
    return _do(task)
