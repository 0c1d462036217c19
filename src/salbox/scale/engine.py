"""Ray in the place of processes of this machine: actors that load models once, replaced where one is lost."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from ..errors import MissingExtraError, SalboxError, UsageError, one_line
from ..system.offline import stay_offline
from ..system.threads import available_cores, thread_variables
from ..system.workers import shared_out_by

ENGINES = ("processes", "ray")
STORE_BYTES = 256_000_000  # of a cluster that is begun here: tasks are names of files, results a few lines

P = ParamSpec("P")
R = TypeVar("R")


@contextlib.contextmanager
def engine(name: str, address: str | None = None, gpus: float = 0.0) -> Iterator[None]:
    """Let what is shared out to processes within the block be done by an engine.

    Parameters
    ----------
    name : {"processes", "ray"}
    address : str, optional
        Of a Ray cluster that runs, "auto" for the one that this machine belongs to; by default one is begun here, and
        ended with the block.
    gpus : float
        Of each actor.

    Raises
    ------
    UsageError
        For an unknown engine, or an address without Ray.
    MissingExtraError
        If Ray is not installed.
    SalboxError
        If there is no cluster at the address.
    """
    if name not in ENGINES:
        raise UsageError(f"engine '{name}': expected {' or '.join(ENGINES)}")
    if name == "processes":
        if address is not None:
            raise UsageError("--address is of a Ray cluster: say --engine ray")
        yield
        return
    with _cluster(address) as ray, shared_out_by(RayEngine(ray, gpus)):
        yield


@contextlib.contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """Yield Ray, connected; what was connected already stays so."""
    stay_offline()
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
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
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
    """

    def __init__(self, ray: Any, gpus: float = 0.0) -> None:
        self._ray, self._gpus = ray, gpus

    @property
    def workers(self) -> int:
        """How many actors may work at once: one a core of the cluster, or as its GPUs allow."""
        found = self._ray.cluster_resources()
        count = found.get("CPU", 1)
        return max(1, int(min(count, found.get("GPU", 0) / self._gpus) if self._gpus else count))

    def __call__(self, workers: int, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> RayExecutor:
        """Return the actors."""
        return RayExecutor(self._ray, workers, initializer, arguments, self._gpus)


class RayExecutor(Executor):
    """Actors, each begun once with `initializer`; a task goes to the one that has the fewest.

    An actor that is lost, alone or with its machine, is begun again elsewhere, and its tasks are done again: so that
    what they do must be no worse done twice.
    """

    def __init__(
        self, ray: Any, workers: int, initializer: Callable[..., None], arguments: tuple[Any, ...], gpus: float
    ) -> None:
        self._ray = ray
        variables = {name: os.environ[name] for name in thread_variables() if name in os.environ}
        # What this process imports by way of sys.path, an actor on the same file system does too.
        variables["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        actor = ray.remote(_Worker).options(
            num_cpus=1,
            num_gpus=gpus,
            max_restarts=-1,
            max_task_retries=-1,
            scheduling_strategy="SPREAD",
            runtime_env={"env_vars": variables},
        )
        self._actors = [actor.remote(initializer, arguments) for _ in range(workers)]
        self._pending: list[set[Future[Any]]] = [set() for _ in self._actors]

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """See `concurrent.futures.Executor`."""
        number = min(range(len(self._actors)), key=lambda k: len(self._pending[k]))
        found: Future[R] = Future()
        found.set_running_or_notify_cancel()
        there = self._actors[number].run.remote(fn, args, kwargs).future()
        self._pending[number].add(there)
        there.add_done_callback(lambda done: self._settle(number, done, found))
        return found

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the actors."""
        for actor in self._actors:
            with contextlib.suppress(Exception):  # it may be gone already
                self._ray.kill(actor)
        self._actors = []

    def _settle(self, number: int, done: Future[Any], found: Future[Any]) -> None:
        self._pending[number].discard(done)
        error = done.exception()
        if error is None:
            found.set_result(done.result())
            return
        cause = getattr(error, "cause", None)
        if isinstance(cause, BaseException):
            found.set_exception(cause)
        else:
            found.set_exception(SalboxError(f"the cluster lost the work: {one_line(error)}"))


class _Worker:
    """What runs in an actor."""

    def __init__(self, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        initializer(*arguments)

    def run(self, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Return what a function returns."""
        return function(*arguments, **keywords)
