"""Ray Data: units given to a pool of actors, each of which loads its models once."""

from __future__ import annotations

import logging
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ..errors import SalboxError, one_line
from ..system.threads import available_cores, children_use, thread_variables
from ..system.workers import Prepare, preparations, prepare

T = TypeVar("T")
R = TypeVar("R")


def by_ray_data(
    ray: Any, begin: Callable[[], Callable[[T], R]], tasks: Sequence[T], workers: int, gpus: float = 0
) -> Iterator[R]:
    """Yield the result of each task, as they come.

    One that is in the hands of an actor that is lost, alone or with its machine, is done again by another: it must be
    no worse for being done twice. A worker has two tasks at most, so that what waits does not grow with their number.

    Parameters
    ----------
    ray : module
        Connected.
    begin : callable
        Called once in each actor; returns what is called with a task. It can be pickled, as can tasks and results.
    tasks : sequence
    workers : int
        Actors.
    gpus : float
        Of each actor.

    Raises
    ------
    SalboxError
        What a task raises; or that the cluster lost the work.
    """
    if not tasks:
        return
    _be_quiet()
    workers = min(workers, len(tasks))
    with children_use(max(1, available_cores() // workers)):
        variables = actor_variables()
    rows = ray.data.from_items([{"task": pickle.dumps(task)} for task in tasks], override_num_blocks=len(tasks))
    done = rows.map(
        Actor,
        fn_constructor_args=(preparations(), pickle.dumps(begin)),
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
        num_cpus=1,
        runtime_env={"env_vars": variables},
        **({"num_gpus": gpus} if gpus else {}),
    )
    try:
        for row in done.iter_rows():
            result, error = pickle.loads(row["result"])  # noqa: S301  # of our own actors
            if error is not None:
                raise error
            yield result
    except ray.exceptions.RayError as error:
        raise SalboxError(f"the cluster lost the work: {one_line(error)}") from None


class Actor:
    """What runs in an actor."""

    def __init__(self, preparations: Sequence[Prepare], begin: bytes) -> None:
        import cv2

        from ..system.threads import available_threads

        cv2.setNumThreads(available_threads())
        prepare(preparations)
        self._do = pickle.loads(begin)()  # noqa: S301  # of the process that shares out

    def __call__(self, row: dict[str, Any]) -> dict[str, bytes]:
        """Return what came of a task, or what it raised."""
        found: tuple[Any, Exception | None]
        try:
            found = self._do(pickle.loads(row["task"])), None  # noqa: S301
        except Exception as error:
            found = None, error
        return {"result": pickle.dumps(found)}


def actor_variables() -> dict[str, str]:
    """Return the environment of an actor: threads as of processes that are begun here, and where it imports from."""
    threads = {name: os.environ[name] for name in thread_variables() if name in os.environ}
    # What this process imports by way of sys.path, an actor on the same file system does too.
    return {**threads, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _be_quiet() -> None:
    """Keep Ray Data's own bars and lines from the terminal."""
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = False
