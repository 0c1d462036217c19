"""The run itself: which figures are missing, who computes them, what failed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy.typing as npt

from ..datasets import Dataset
from ..errors import SalboxError
from ..imaging.scaling import density
from ..metrics import get_metric
from ..prediction.images import FEWER_WORKERS, Pipeline, memory_errors_named
from ..system.progress import Progress
from ..system.workers import check_workers, in_workers
from ..types import Output
from .duration import emd_duration
from .sources import Mapper, Results, RowSource, Scorer, Source, device_of, pipelines_of
from .store import Store
from .truth import ImageTruth, Truths

AnySource = TypeVar("AnySource", bound=Source)
Loaded = TypeVar("Loaded", bound=Callable[..., Any])
Answer = TypeVar("Answer")


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


@dataclass(frozen=True)
class Plan:
    """What a worker has to know."""

    dataset: Dataset
    sources: tuple[Source, ...]
    sigma: float | None = None
    teacher: RowSource | None = None

    def begin(self) -> Callable[[Task], Scored]:
        """Return what scores an image; models are loaded when they are first needed."""
        teach = None if self.teacher is None else _DensityMapper(self.teacher.mapper(), self.teacher.output)
        truths = Truths(self.dataset, self.sigma, teach)
        runner = SourceRunner(truths, self.sources, lambda source: source.scorer())

        def score(task: Task) -> Scored:
            wanted = dict(task.wanted)

            def results(number: int, scorer: Scorer, truth: ImageTruth) -> Results:
                return scorer(truth, [get_metric(name) for name in wanted[number]])

            return Scored(task.index, *runner.run(task.index, wanted, results))

        return score


class SourceRunner(Generic[AnySource, Loaded]):
    """Asks sources about images, one image at a time; heads of one network share its pass. What fails is a line.

    Parameters
    ----------
    truths : Truths
    sources : sequence of sources
    load : callable
        Returns what is asked: a source's mapper or scorer, its model loaded.
    """

    def __init__(self, truths: Truths, sources: Sequence[AnySource], load: Callable[[AnySource], Loaded]) -> None:
        self._truths, self._sources, self._load = truths, sources, load
        self._loaded: dict[int, Loaded] = {}

    def loaded(self, number: int) -> Loaded:
        """Return what is asked of a source, loaded when it is first needed."""
        if number not in self._loaded:
            self._loaded[number] = self._load(self._sources[number])
        return self._loaded[number]

    def run(
        self, index: int, numbers: Iterable[int], ask: Callable[[int, Loaded, ImageTruth], Answer]
    ) -> tuple[dict[int, Answer], list[str]]:
        """Return {source's number: answer} for one image, and a line for each source that has none.

        Parameters
        ----------
        index : int
            The image's.
        numbers : iterable of int
            The sources'.
        ask : callable
            Takes a source's number, what was loaded of it, and the image's truth; returns the answer.
        """
        item = self._truths.dataset.items[index]
        ready: dict[int, Loaded] = {}
        answers: dict[int, Answer] = {}
        failures: list[str] = []

        @contextlib.contextmanager
        def noted(number: int) -> Iterator[None]:
            try:
                with memory_errors_named(item.image, FEWER_WORKERS):
                    yield
            except SalboxError as error:
                failures.append(f"{item.name}, {self._sources[number].name}: {error}")

        for number in numbers:
            with noted(number):
                ready[number] = self.loaded(number)
        truth = self._truths.of(index, pipelines_of([*ready.values(), self._truths.teach]))
        for number, loaded in ready.items():
            with noted(number):
                answers[number] = ask(number, loaded, truth)
        return answers, failures


@dataclass(frozen=True)
class _DensityMapper:
    """Makes a teacher's maps, of a log density exp of them: student and teacher are compared on one footing."""

    mapper: Mapper
    output: Output

    @property
    def pipelines(self) -> tuple[Pipeline, ...]:
        return pipelines_of([self.mapper])

    def __call__(self, truth: ImageTruth) -> npt.NDArray[Any]:
        return density(self.mapper(truth), self.output)


def run(
    plan: Plan,
    wanted: Sequence[Sequence[str]],
    stores: Sequence[Store],
    workers: int | None,
    progress: Progress,
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
    progress : Progress
        Takes how far it is, and what failed.

    Raises
    ------
    UsageError
        If `workers` is below 1.
    """
    check_workers(workers)
    tasks = list(_tasks(plan, wanted, stores))
    if not tasks:
        return []
    _say_how_long(plan, tasks, progress)
    failures = []
    teachers = [] if plan.teacher is None else [plan.teacher]
    outcomes = in_workers(
        plan.begin,
        tasks,
        workers,
        device=device_of([*plan.sources, *teachers]),
    )
    for scored in progress.track(outcomes, len(tasks), "images"):
        for number, results in scored.results.items():
            stores[number].add(plan.dataset.items[scored.index].name, results)
        failures += scored.failures
    return failures


def _say_how_long(plan: Plan, tasks: Sequence[Task], progress: Progress) -> None:
    """Say how long the one slow metric will take, if it is asked for."""
    repeats = [getattr(source, "repeats", 1) for source in plan.sources]
    figures = sum(repeats[number] for task in tasks for number, names in task.wanted if "emd" in names)
    if figures:
        with contextlib.suppress(SalboxError):  # of an image that cannot be read, which the run itself says
            progress.say(emd_duration(Truths(plan.dataset, plan.sigma).of(tasks[0].index), figures))


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
