"""Ray in the place of processes of this machine: actors that load models once, replaced where one is lost."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from ..errors import MissingExtraError, SalboxError, UsageError, one_line
from ..system.offline import stay_offline
from ..system.threads import available_cores
from ..system.workers import engine_in_use, in_workers, shared_out_by
from .data import actor_variables, by_ray_data

ENGINES = ("processes", "ray")
STORE_BYTES = 256_000_000  # of a cluster that is begun here: tasks are names of files, results a few lines
AHEAD = 2  # jobs that an actor has at once, so that it need not wait for the next
ATTEMPTS = 3  # at a job whose actors are lost, before it is taken for the cause
MOST_LOSSES = 10  # of actors, one after another, without a job done

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


@contextlib.contextmanager
def engine(name: str, address: str | None = None, gpus: float = 0) -> Iterator[None]:
    """Let what is shared out to processes within the block be done by an engine.

    Parameters
    ----------
    name : {"processes", "ray"}
    address : str, optional
        Of a Ray cluster that runs, "auto" for the one that this machine belongs to; by default one is begun here, and
        ended with the block.
    gpus : float
        Of each actor, which then sees these alone; .5 has two actors share one.

    Raises
    ------
    UsageError
        For an unknown engine, or an address or GPUs without Ray.
    MissingExtraError
        If Ray is not installed.
    SalboxError
        If there is no cluster at the address, or it has no such GPUs.
    """
    if name not in ENGINES:
        raise UsageError(f"engine '{name}': expected {' or '.join(ENGINES)}")
    if name == "processes":
        if address is not None:
            raise UsageError("--address is of a Ray cluster: say --engine ray")
        if gpus:
            raise UsageError("--gpus-per-worker is of a Ray cluster: say --engine ray")
        yield
        return
    if not 0 <= gpus < float("inf"):
        raise UsageError(f"--gpus-per-worker {gpus:g}: expected a number, at least 0")
    with _cluster(address) as ray, shared_out_by(RayEngine(ray, gpus)):
        yield


def in_any_order(
    begin: Callable[[], Callable[[T], R]], tasks: Sequence[T], workers: int | None = None, device: str | None = "cpu"
) -> Iterator[R]:
    """Yield the result of each task as `system.workers.in_workers` does, by Ray Data where the engine is Ray.

    There they come in the order in which they are done.
    """
    running = engine_in_use()
    if not isinstance(running, RayEngine):
        return in_workers(begin, tasks, workers, device=device)
    return by_ray_data(running.ray, begin, tasks, workers or running.workers, running.gpus)


def workers_at_hand() -> int | None:
    """Return how many workers the engine has; None where it is this machine."""
    running = engine_in_use()
    return None if running is None else running.workers


@contextlib.contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """Yield Ray, connected; what was connected already stays so."""
    stay_offline()
    # Its core prints to this terminal what goes wrong with a cluster, and is mended by itself.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
    except ImportError:
        raise MissingExtraError("--engine ray", "scale") from None
    if ray.is_initialized():
        yield ray
        return
    own = {"num_cpus": available_cores(), "object_store_memory": STORE_BYTES, "include_dashboard": False}
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
            **({} if address else own),
        )
    except Exception as error:  # Ray raises that itself where a node takes long to start
        raise SalboxError(f"{address or 'Ray'}: no cluster could be had ({one_line(error)})") from None
    try:
        yield ray
    finally:
        ray.shutdown()


class RayEngine:
    """Makes executors on a cluster; see `salbox.system.workers.Engine`.

    Parameters
    ----------
    ray : module
        Connected.
    gpus : float
        Of each actor.

    Raises
    ------
    SalboxError
        If the cluster has none, or too few for one actor.
    """

    def __init__(self, ray: Any, gpus: float = 0) -> None:
        self.ray, self.gpus = ray, gpus
        there = self._there("GPU", 0)
        if gpus > there:
            raise SalboxError(f"--gpus-per-worker {gpus:g}: the cluster has {there:g} GPUs")

    @property
    def workers(self) -> int:
        """How many actors may work at once: one a core of the cluster, where they have GPUs as many as have them."""
        cores = max(1, int(self._there("CPU", 1)))
        return cores if not self.gpus else max(1, min(cores, int(self._there("GPU", 0) / self.gpus)))

    def _there(self, resource: str, otherwise: float) -> float:
        return float(self.ray.cluster_resources().get(resource, otherwise))

    def __call__(self, workers: int, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> RayExecutor:
        """Return the actors."""
        return RayExecutor(self.ray, workers, initializer, arguments, self.gpus)


@dataclass(eq=False)
class _Job:
    """A call, with what will hold its result."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    result: Future[Any] = field(default_factory=Future)
    attempts: int = 0


class RayExecutor(Executor):
    """Actors, each begun once with `initializer`; a job goes to one that is ready.

    What was in the hands of an actor that is lost, alone or with its machine, is done again by others: so it must be no
    worse for being done twice. Another actor is asked for in its place, and joins when the cluster has room for it.
    """

    def __init__(
        self, ray: Any, workers: int, initializer: Callable[..., None], arguments: tuple[Any, ...], gpus: float = 0
    ) -> None:
        self._ray = ray
        variables = actor_variables()
        devices = {"num_gpus": gpus} if gpus else {}
        self._make: Callable[[], Any] = lambda: (
            ray.remote(_Worker)
            .options(num_cpus=1, scheduling_strategy="SPREAD", runtime_env={"env_vars": variables}, **devices)
            .remote(initializer, arguments)
        )
        self._waiting: deque[_Job] = deque()
        self._actors: dict[int, Any] = {}
        self._busy: dict[int, int] = {}  # jobs that each actor that is ready has
        self._numbers = itertools.count()
        self._losses = 0  # since a job was last done
        self._reason = ""  # of the last loss
        self._events: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        for _ in range(workers):
            self._begin_actor()
        # What happens is dealt with in one thread: those of Ray must not call it back.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """See `concurrent.futures.Executor`."""
        job = _Job(fn, args, kwargs)
        job.result.set_running_or_notify_cancel()
        self._events.put(lambda: self._waiting.append(job))
        return job.result

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the actors."""
        self._events.put(None)
        self._thread.join()
        for actor in self._actors.values():
            with contextlib.suppress(Exception):  # it may be gone already
                self._ray.kill(actor)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            event()
            for number, count in self._busy.items():
                while count < AHEAD and self._waiting:
                    self._give(number, self._waiting.popleft())
                    count += 1
            while not self._actors and self._waiting:
                self._waiting.popleft().result.set_exception(SalboxError(f"the cluster loses all work: {self._reason}"))

    def _begin_actor(self) -> None:
        number = next(self._numbers)
        actor = self._actors[number] = self._make()
        begun = actor.ready.remote().future()
        begun.add_done_callback(lambda done: self._events.put(lambda: self._joined(number, done)))

    def _joined(self, number: int, begun: Future[Any]) -> None:
        if begun.exception() is None:
            self._busy[number] = 0
        else:
            self._lost(number, begun.exception())

    def _give(self, number: int, job: _Job) -> None:
        self._busy[number] += 1
        there = self._actors[number].run.remote(job.function, job.arguments, job.keywords).future()
        there.add_done_callback(lambda done: self._events.put(lambda: self._settle(number, job, done)))

    def _settle(self, number: int, job: _Job, done: Future[Any]) -> None:
        if number in self._busy:
            self._busy[number] -= 1
        error = done.exception()
        if error is None:
            self._losses = 0
            job.result.set_result(done.result())
        elif isinstance(cause := getattr(error, "cause", None), BaseException):
            job.result.set_exception(cause)
        else:
            self._lost(number, error)
            job.attempts += 1
            if job.attempts < ATTEMPTS:
                self._waiting.appendleft(job)
            else:
                job.result.set_exception(SalboxError(f"the cluster lost the work: {one_line(error)}"))

    def _lost(self, number: int, error: BaseException | None) -> None:
        """Ask for another actor in the place of one, unless one after another is lost."""
        if self._actors.pop(number, None) is None:
            return
        self._busy.pop(number, None)
        self._losses += 1
        self._reason = one_line(error or "")
        if self._losses <= MOST_LOSSES:
            self._begin_actor()


class _Worker:
    """What runs in an actor."""

    def __init__(self, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        initializer(*arguments)

    def ready(self) -> None:
        """Do nothing: that it is done says that the actor has begun."""

    def run(self, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Return what a function returns."""
        return function(*arguments, **keywords)
