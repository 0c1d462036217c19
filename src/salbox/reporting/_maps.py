"""Maps of chosen images, made in processes and brought to a small size there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from ..batch import default_workers
from ..cards import Output
from ..datasets import Dataset
from ..errors import SalboxError
from ..evaluation import MapSource, ModelSource
from ..evaluation.sources import Mapper
from ..evaluation.truth import Truths
from ..metrics import to_common_size
from ..scaling import min_max
from ..workers import in_workers

Shown: TypeAlias = "ModelSource | MapSource"
Reduce: TypeAlias = "Callable[[npt.NDArray[Any], Output], npt.NDArray[Any]]"

THUMBNAIL = 288  # pixels, longest side of the pictures in the page


class Outcome(Protocol):
    """One image's part of a long run."""

    @property
    def failures(self) -> list[str]:
        """What failed, a line each."""
        ...


# Told what is being done and how many there will be; passes the outcomes through.
Watch: TypeAlias = "Callable[[Iterable[Any], int, str], Iterable[Any]]"


@dataclass(frozen=True)
class Task:
    """An image, and the numbers of the rows whose maps are wanted."""

    index: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Mapped:
    """An image's maps by the row's number, and what failed."""

    index: int
    maps: dict[int, npt.NDArray[Any]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Making:
    dataset: Dataset
    sources: tuple[Shown, ...]
    reduce: Reduce

    def begin(self) -> Callable[[Task], Mapped]:
        truths = Truths(self.dataset)
        makers: dict[int, Mapper] = {}

        def make(task: Task) -> Mapped:
            mapped, truth = Mapped(task.index), truths.of(task.index)
            for number in task.numbers:
                source = self.sources[number]
                try:
                    if number not in makers:
                        makers[number] = source.mapper()
                    mapped.maps[number] = self.reduce(makers[number](truth), source.output)
                except SalboxError as error:
                    mapped.failures.append(f"{self.dataset.items[task.index].name}, {source.name}: {error}")
            return mapped

        return make


def make_maps(
    dataset: Dataset,
    sources: Sequence[Shown],
    wanted: Mapping[int, Iterable[int]],
    reduce: Reduce,
    *,
    workers: int | None,
    watch: Watch,
    title: str,
) -> Iterator[Mapped]:
    """Yield the reduced maps of images.

    Parameters
    ----------
    dataset : Dataset
    sources : models or maps
    wanted : mapping
        Image's index -> the numbers of the sources whose maps are wanted.
    reduce : callable
        `common_size` or `thumbnail`; can be pickled.
    workers, watch
        As in `write_report`; `title` is what the watcher is told.
    """
    tasks = [Task(index, tuple(sorted(numbers))) for index, numbers in sorted(wanted.items()) if numbers]
    if not tasks:
        return
    count = default_workers(len(tasks)) if workers is None else min(workers, len(tasks))
    begin = _Making(dataset, tuple(sources), reduce).begin
    yield from watch(in_workers(begin, tasks, count), len(tasks), title)


def linear(saliency: npt.NDArray[Any], output: Output) -> npt.NDArray[Any]:
    """Return a map as it is compared and shown: of a log density exp of it, in any scale."""
    if output != "log_density":
        return saliency
    values = saliency.astype(np.float64)
    return np.exp(values - values.max())


def common_size(saliency: npt.NDArray[Any], output: Output) -> npt.NDArray[np.float64]:
    """Return a map as agreement compares it: (240, 320), in 0..1."""
    return to_common_size(linear(saliency, output))


def thumbnail(saliency: npt.NDArray[Any], output: Output) -> npt.NDArray[np.uint8]:
    """Return a small map, min-max scaled: (h, w) uint8, the longest side at most `THUMBNAIL`."""
    small = shrunk(linear(saliency, output).astype(np.float64))
    return np.rint(min_max(small) * 255).astype(np.uint8)


def shrunk(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a picture or map whose longest side is at most `THUMBNAIL`, by area."""
    height, width = pixels.shape[:2]
    scale = THUMBNAIL / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
