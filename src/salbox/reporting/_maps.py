"""Maps of chosen images, computed in processes and brought to a small size there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..evaluation.running import SourceRunner
from ..evaluation.sources import Mapper, RowSource, device_of
from ..evaluation.truth import ImageTruth, Truths
from ..imaging.scaling import min_max, visible
from ..metrics import to_common_size
from ..system.progress import Progress
from ..system.workers import in_workers
from ..types import Output

Reduce: TypeAlias = "Callable[[npt.NDArray[Any], Output], npt.NDArray[Any]]"

THUMBNAIL = 288  # pixels, longest side of the pictures in the page


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
class _Work:
    dataset: Dataset
    sources: tuple[RowSource, ...]
    reduce: Reduce

    def begin(self) -> Callable[[Task], Mapped]:
        runner = SourceRunner(Truths(self.dataset), self.sources, lambda source: source.mapper())

        def reduced(number: int, mapper: Mapper, truth: ImageTruth) -> npt.NDArray[Any]:
            return self.reduce(mapper(truth), self.sources[number].output)

        return lambda task: Mapped(task.index, *runner.run(task.index, task.numbers, reduced))


def make_maps(
    dataset: Dataset,
    sources: Sequence[RowSource],
    wanted: Mapping[int, Iterable[int]],
    reduce: Reduce,
    *,
    workers: int | None,
    progress: Progress,
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
    workers, progress
        As in `write_report`; `title` is what is said to be done.
    """
    tasks = [Task(index, tuple(sorted(numbers))) for index, numbers in sorted(wanted.items()) if numbers]
    if not tasks:
        return
    begin = _Work(dataset, tuple(sources), reduce).begin
    yield from progress.track(in_workers(begin, tasks, workers, device=device_of(sources)), len(tasks), title)


def common_size(saliency: npt.NDArray[Any], output: Output) -> npt.NDArray[np.float64]:
    """Return a map as agreement compares it: (240, 320), in 0..1."""
    return to_common_size(visible(saliency, output))


def thumbnail(saliency: npt.NDArray[Any], output: Output) -> npt.NDArray[np.uint8]:
    """Return a small map, min-max scaled: (h, w) uint8, the longest side at most `THUMBNAIL`."""
    small = shrunk(visible(saliency, output).astype(np.float64))
    return np.rint(min_max(small) * 255).astype(np.uint8)


def shrunk(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a picture or map whose longest side is at most `THUMBNAIL`, by area."""
    height, width = pixels.shape[:2]
    scale = THUMBNAIL / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
