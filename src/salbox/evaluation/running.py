"""The run itself: which figures are missing, who computes them, what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..batch import default_workers
from ..datasets import Dataset
from ..errors import SalboxError, UsageError
from ..metrics import Metric, get_metric
from ..workers import in_workers
from .sources import Mapper, MapSource, ModelSource, Results, Source
from .store import Store
from .truth import ImageTruth, Truths


@dataclass(frozen=True)
class Task:
    """An image, and for each source by its number the metrics that are wanted of it."""

    index: int
    wanted: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Scored:
    """What came of an image: results by the source's number, and what failed, a line each."""

    index: int
    results: dict[int, Results] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


Watch = Callable[[Iterable[Scored], int], Iterable[Scored]]


@dataclass(frozen=True)
class Plan:
    """What a worker has to know."""

    dataset: Dataset
    sources: tuple[Source, ...]
    sigma: float | None = None
    teacher: ModelSource | MapSource | None = None

    def begin(self) -> Callable[[Task], Scored]:
        """Return what scores an image; models are loaded when they are first needed."""
        teach = None if self.teacher is None else _no_logarithm(self.teacher)
        truths = Truths(self.dataset, self.sigma, teach)
        scorers: dict[int, Callable[[ImageTruth, Sequence[Metric]], Results]] = {}

        def score(task: Task) -> Scored:
            scored, truth = Scored(task.index), truths.of(task.index)
            for number, names in task.wanted:
                source = self.sources[number]
                try:
                    if number not in scorers:
                        scorers[number] = source.scorer()
                    scored.results[number] = scorers[number](truth, [get_metric(name) for name in names])
                except SalboxError as error:
                    scored.failures.append(f"{self.dataset.items[task.index].name}, {source.name}: {error}")
                except MemoryError:
                    scored.failures.append(f"{self.dataset.items[task.index].name}, {source.name}: not enough memory")
            return scored

        return score


def _no_logarithm(teacher: ModelSource | MapSource) -> Mapper:
    """Return the teacher's maps, of a log density exp of them: student and teacher are compared on one footing."""
    make = teacher.mapper()
    if teacher.output != "log_density":
        return make

    def density(truth: ImageTruth) -> npt.NDArray[np.float64]:
        return np.exp(make(truth).astype(np.float64))

    return density


def run(
    plan: Plan,
    wanted: Sequence[Sequence[str]],
    stores: Sequence[Store],
    workers: int | None,
    watch: Watch,
) -> list[str]:
    """Compute what the stores lack, add it to them as it comes, and return what failed.

    Parameters
    ----------
    plan : Plan
    wanted : sequence of sequences of metric names
        For each source.
    stores : sequence of Store
        Of each source.
    workers : int, optional
    watch : callable
        Passes the outcomes through; told how many there will be.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers: expected at least 1")
    tasks = list(_tasks(plan, wanted, stores))
    if not tasks:
        return []
    workers = default_workers(len(tasks)) if workers is None else min(workers, len(tasks))
    failures = []
    outcomes = in_workers(plan.begin, tasks, workers)
    for scored in watch(outcomes, len(tasks)):
        for number, results in scored.results.items():
            stores[number].add(plan.dataset.items[scored.index].name, results)
        failures += scored.failures
    return failures


def _tasks(plan: Plan, wanted: Sequence[Sequence[str]], stores: Sequence[Store]) -> Iterator[Task]:
    for index, item in enumerate(plan.dataset.items):
        missing = []
        for number, (source, store) in enumerate(zip(plan.sources, stores, strict=True)):
            there = store.results.get(item.name, {})
            names = tuple(name for name in wanted[number] if name not in there)
            if names and source.covers(index):
                missing.append((number, names))
        if missing:
            yield Task(index, tuple(missing))


def results_folder(folder: Path, dataset: Dataset) -> Path:
    """Return the folder of a dataset's results."""
    return folder / f"{dataset.card.name}-{dataset.split}"
