"""What a fit sees of a photo: models' maps at working size, read once, and where people looked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset, Fixations
from ..errors import ImageWarning, SalboxError
from ..evaluation.sources import ModelSource, device_of
from ..models.curves import on_common_scale
from ..models.profiles import working_copy
from ..models.specs import split_loading
from ..prediction.images import ImageMaps, Pipeline
from ..system.progress import SILENT, Progress
from ..system.workers import in_workers
from ..types import Output, Pixels, Shape

Maps = dict[str, npt.NDArray[np.float32]]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Observed:
    """One photo.

    Attributes
    ----------
    index : int
        Its number in the data set.
    values : {model: (h, w) float32}
        Its maps at working size on the scale of `on_common_scale`.
    pixels : (K,) int
        Which of the h w pixels were fixated, row by row, each once.
    shares : (K,) float64
        The share of the fixations that each got; they sum to 1.
    places : (N, 2) float64
        Where each fixation fell, x and y as shares of the photo's width and height.
    """

    index: int
    values: Maps
    pixels: npt.NDArray[np.intp]
    shares: npt.NDArray[np.float64]
    places: npt.NDArray[np.float64]

    @property
    def size(self) -> Shape:
        """The (h, w) of the maps."""
        height, width = next(iter(self.values.values())).shape
        return height, width


@dataclass(frozen=True)
class _Reading:
    """What a worker has to know to read photos."""

    dataset: Dataset
    sources: tuple[ModelSource, ...]

    def begin(self) -> Callable[[int], Maps | str]:
        # Loaded as an evaluation loads them, so that heads of one network share its pass.
        pipelines = {source.name: pipeline_of(source) for source in self.sources}

        def read(pixels: Pixels) -> Maps:
            maps = ImageMaps([pixels], pipelines.values())
            return {name: on_working_scale(maps.of(own)[0], own.output) for name, own in pipelines.items()}

        return lambda index: read_photo(self.dataset, index, read)


def read_maps(
    dataset: Dataset,
    sources: Sequence[ModelSource],
    indices: Sequence[int],
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> tuple[dict[int, Maps], list[str]]:
    """Return {index: {model: map on the common scale, (h, w) float32}} of photos, and a line for each that failed."""
    return read_each(_Reading(dataset, tuple(sources)).begin, sources, indices, workers, progress)


def read_each(
    begin: Callable[[], Callable[[int], T | str]],
    sources: Sequence[ModelSource],
    indices: Sequence[int],
    workers: int | None,
    progress: Progress,
) -> tuple[dict[int, T], list[str]]:
    """Return {index: what models say of a photo}, and a line for each photo that failed.

    Parameters
    ----------
    begin : callable
        Called once in each worker; returns what takes an index, see `read_photo`.
    sources : sequence of ModelSource
        The models that are run.
    indices : sequence of int
    workers : int, optional
    progress : Progress
    """
    found: dict[int, T] = {}
    failures = []
    outcomes = in_workers(begin, indices, workers, device=device_of(sources))
    for index, outcome in zip(indices, progress.track(outcomes, len(indices), "maps"), strict=True):
        if isinstance(outcome, str):
            failures.append(outcome)
        else:
            found[index] = outcome
    return found, failures


def read_photo(dataset: Dataset, index: int, read: Callable[[Pixels], T]) -> T | str:
    """Return what is read of a photo's pixels, or a line that says why it cannot be."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImageWarning)
            return read(dataset.pixels(index))
    except SalboxError as error:
        return f"{dataset.items[index].name}: {error}"


def pipeline_of(source: ModelSource) -> Pipeline:
    """Return what makes a row's maps, its model loaded."""
    (pipeline,) = source.mapper().pipelines  # type: ignore[attr-defined]
    assert isinstance(pipeline, Pipeline)  # noqa: S101  # one model, run on each photo
    return pipeline


def observe(dataset: Dataset, maps: Mapping[int, Maps]) -> list[Observed]:
    """Return the photos that have fixations, in the order of the data set."""
    found = [observed(index, dataset.shape(index), dataset.fixations(index), maps[index]) for index in sorted(maps)]
    return [photo for photo in found if len(photo.places)]


def observed(index: int, shape: Shape, fixations: Fixations, values: Maps) -> Observed:
    """Return one photo of a shape, (H, W)."""
    size = next(iter(values.values())).shape
    small = fixations.resized(shape, (size[0], size[1]))
    pixels, counts = np.unique(small.flat_pixels((size[0], size[1])), return_counts=True)
    places = np.stack([fixations.x / shape[1], fixations.y / shape[0]], axis=1)
    return Observed(index, values, pixels, counts / max(1, counts.sum()), places)


def parameters_of(source: ModelSource) -> dict[str, Any]:
    """Return the parameters that a row's model is given, ready for JSON; not where its weights are, nor the device."""
    given, _ = split_loading(source.parameters)
    card = source.card
    checked = card.parameters_to_json(card.check_parameters(given))
    return {name: checked[name] for name in given}


def degrees_of_lab(datasets: Iterable[Dataset]) -> float | None:
    """Return how many degrees the longest side of a photo spanned for those who looked; None if data sets do not agree.

    That is known where a data set's card says how many pixels a degree took, and how large its images were.
    """
    found = set()
    for dataset in datasets:
        card = dataset.card
        longest = card.longest or (max(card.size) if card.size else None)
        ppd = card.pixels_per_degree
        found.add(round(longest / ppd, 2) if longest and ppd else None)
    return found.pop() if len(found) == 1 else None


def on_working_scale(saliency: npt.NDArray[Any], output: Output) -> npt.NDArray[np.float32]:
    """Return a map, (H, W), at working size on the scale of `on_common_scale`: (h, w) float32."""
    return on_common_scale(working_copy(saliency, output), output).astype(np.float32)
