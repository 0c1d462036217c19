"""Processes that answer jobs in batches: a queue with an end, and no job lost where a process dies."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from ..errors import SalboxError
from ..system.threads import available_threads, children_use
from ..system.workers import leave_with_parent
from .jobs import Answer, Job

ATTEMPTS = 2  # at a job before it is taken for what kills processes
GATHER = 0.003  # seconds that a job waits for others to go with

Begin = Callable[[], Callable[[Sequence[Job]], list[Answer]]]
"""What a process makes first, such as a loaded `Desk`'s `answer`; both can be pickled."""


class Busy(Exception):
    """The queue is full."""


@dataclass(frozen=True)
class Limits:
    """How much there may be at once.

    Attributes
    ----------
    queue : int
        Jobs that wait.
    bytes : int
        Of images that wait.
    batch : int
        Jobs that a process is given together.
    seconds : float
        That a batch may take before its process is ended.
    """

    queue: int = 64
    bytes: int = 256_000_000
    batch: int = 8
    seconds: float = 120.0


@dataclass(eq=False)
class _Ticket:
    """A job with whoever waits for it."""

    job: Job
    future: Future[Answer] = field(default_factory=Future)
    attempts: int = 0


class Pool:
    """Processes of one kind behind one queue.

    Parameters
    ----------
    begin : callable
        See `Begin`.
    workers : int
    limits : Limits

    Raises
    ------
    SalboxError
        If a process cannot begin.
    """

    def __init__(self, begin: Begin, workers: int = 1, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.restarts = 0
        self._begin, self._count = begin, workers
        self._waiting: deque[_Ticket] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._processes: list[_Process] = []
        self._threads: list[threading.Thread] = []
        try:
            for _ in range(workers):
                self._processes.append(self._started())
            for process in self._processes:
                process.ready()
        except BaseException:
            self.close()
            raise
        self._threads = [threading.Thread(target=self._serve, args=(k,), daemon=True) for k in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._waiting)

    @property
    def pids(self) -> list[int]:
        """The numbers of its processes."""
        return [process.pid for process in self._processes]

    def submit(self, job: Job) -> Future[Answer]:
        """Return what will hold the answer.

        Raises
        ------
        Busy
            If as many jobs wait, or bytes of them, as may.
        """
        ticket = _Ticket(job)
        with self._changed:
            if self._closed:
                raise Busy("the service is going down")
            if len(self._waiting) >= self.limits.queue or self._bytes + len(job.image) > self.limits.bytes:
                raise Busy(f"{len(self._waiting)} images wait already")
            self._waiting.append(ticket)
            self._bytes += len(job.image)
            self._changed.notify()
        return ticket.future

    def close(self) -> None:
        """Answer what waits with a problem, and end the processes."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = list(self._waiting), deque()
            self._bytes = 0
            self._changed.notify_all()
        for ticket in waiting:
            _settle(ticket, Answer(problem="the service is going down", failed=True))
        # A thread may be about to begin another process in the place of one. Its pipe it uses until it ends itself.
        while any(thread.is_alive() for thread in self._threads):
            for process in self._processes:
                process.kill()
            for thread in self._threads:
                thread.join(0.1)
        for process in self._processes:
            process.end()

    def _started(self) -> _Process:
        return _Process(self._begin, max(1, available_threads() // self._count))

    def _serve(self, number: int) -> None:
        while batch := self._next_batch():
            live = [ticket for ticket in batch if ticket.attempts or ticket.future.set_running_or_notify_cancel()]
            if not live:
                continue
            try:
                answers = self._processes[number].answer([ticket.job for ticket in live], self.limits.seconds)
            except (EOFError, OSError, TimeoutError) as error:
                if self._closed:
                    answers = [Answer(problem="the service is going down", failed=True)] * len(live)
                else:
                    self._again(live, isinstance(error, TimeoutError))
                    self._restart(number)
                    continue
            for ticket, answer in zip(live, answers, strict=True):
                _settle(ticket, answer)

    def _next_batch(self) -> list[_Ticket]:
        """Return jobs that go together; none when the pool is closed."""
        batch: list[_Ticket] = []
        with self._changed:
            while not batch:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return []
                if len(self._waiting) < self.limits.batch:
                    self._changed.wait(GATHER)  # others may take all meanwhile
                while self._waiting and len(batch) < self.limits.batch:
                    if batch and (batch[0].attempts or self._waiting[0].attempts):
                        break  # what was there when a process died goes alone
                    ticket = self._waiting.popleft()
                    self._bytes -= len(ticket.job.image)
                    batch.append(ticket)
        return batch

    def _again(self, batch: Sequence[_Ticket], too_slow: bool) -> None:
        """Put jobs whose process died back to the front, each to go alone; give up on one that did so twice."""
        with self._changed:
            for ticket in reversed(batch):
                ticket.attempts += 1
                if ticket.attempts < ATTEMPTS:
                    self._waiting.appendleft(ticket)
                    self._bytes += len(ticket.job.image)
                else:
                    why = "takes too long" if too_slow else "ends the process that computes it"
                    _settle(ticket, Answer(problem=f"this image {why}", failed=True))
            self._changed.notify_all()

    def _restart(self, number: int) -> None:
        self._processes[number].end()
        while not self._closed:
            self.restarts += 1
            self._processes[number] = self._started()
            try:
                self._processes[number].ready()
                break
            except SalboxError:
                time.sleep(1)  # memory may be short for a while


class _Process:
    """One process and the pipe to it."""

    def __init__(self, begin: Begin, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there, begin, threads), daemon=True)
        with children_use(threads):
            self._process.start()
        there.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def ready(self) -> None:
        """Wait until it has begun; raise a SalboxError if it cannot."""
        try:
            problem = self._pipe.recv()
        except (EOFError, OSError):
            problem = "a process of the service died while it began"
        if problem:
            raise SalboxError(problem)

    def answer(self, jobs: Sequence[Job], seconds: float) -> list[Answer]:
        """Return the answers; raise a TimeoutError when they take too long, an EOFError when it is gone."""
        self._pipe.send(list(jobs))
        if not self._pipe.poll(seconds):
            raise TimeoutError
        found: list[Answer] = self._pipe.recv()
        return found

    def kill(self) -> None:
        """Kill it; who waits for its answer gets an EOFError."""
        self._process.kill()
        self._process.join(5)

    def end(self) -> None:
        """Kill it, and close the pipe, which nobody may be using."""
        self.kill()
        self._pipe.close()


def _work(pipe: Connection, begin: Begin, threads: int) -> None:
    import signal

    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    threading.Thread(target=leave_with_parent, daemon=True).start()
    cv2.setNumThreads(threads)
    try:
        answer = begin()
    except SalboxError as error:
        pipe.send(str(error))
        return
    pipe.send("")
    while True:
        try:
            jobs: Any = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(answer(jobs))


def _settle(ticket: _Ticket, answer: Answer) -> None:
    if not ticket.future.done():
        ticket.future.set_result(answer)
