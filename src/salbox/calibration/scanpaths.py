"""The order of people's fixations, by maximum likelihood: the saccades of `salbox.models.scanpaths`.

The log-likelihood is concave in all seventeen numbers (a conditional logit over the cells of a grid), so that there is
one best fit, whatever it begins with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from ..datasets import Dataset, Fixations
from ..datasets.scanpaths import scanpaths
from ..errors import UsageError
from ..evaluation import ModelSource
from ..imaging.scaling import normalized_log
from ..models.scanpaths import EARLIER_NODES, LAST_NODES, Saccades, distances
from ..system.progress import SILENT, Progress
from ..types import DoubleMap, Shape
from .held_out import choose
from .observed import read_maps

GRID = 64  # cells along the longest side
LEAST = 50  # fixations that have one before them
_BINS = 256  # of distances, up to the last node: a quarter of a per cent of the longest side each
_FARTHEST = max(LAST_NODES[-1], EARLIER_NODES[-1])

Vector = npt.NDArray[np.float64]
Bins = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Looked:
    """One photo, and how each of its observers' fixations follow each other.

    Attributes
    ----------
    log_density : (C,) float64
        Of the model, of the grid's cells.
    bins : (N, C) uint8
        How far each cell is from each fixation.
    cells : (N,) int
        The cell of each fixation.
    back : (N,) int
        How many fixations of its scanpath came before each.
    """

    log_density: Vector
    bins: Bins
    cells: npt.NDArray[np.intp]
    back: npt.NDArray[np.intp]


def looked(log_density: npt.NDArray[Any], fixations: Fixations, shape: Shape) -> Looked:
    """Return a photo of a shape, (H, W), its scanpaths on the grid; the log density may be of any size."""
    scale = GRID / max(shape)
    size = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    density = np.exp(np.asarray(log_density, np.float64))
    cells = cv2.resize(density, size[::-1], interpolation=cv2.INTER_AREA)
    cells = normalized_log(np.log(np.maximum(cells, np.finfo(np.float32).tiny)))
    paths = [path for path in scanpaths(fixations.inside(shape)) if len(path) > 1]
    places = [np.stack([path.x, path.y], axis=1) / max(shape) for path in paths]
    every = np.concatenate(places) if places else np.zeros((0, 2))
    bins = np.zeros((len(every), size[0] * size[1]), np.uint8)
    for own, place in zip(bins, every, strict=True):
        far = distances(size, shape, place).reshape(-1)
        own[:] = np.minimum(far * ((_BINS - 1) / _FARTHEST) + 0.5, _BINS - 1)
    small = [path.resized(shape, size).flat_pixels(size) for path in paths]
    return Looked(
        cells.reshape(-1).astype(np.float64),
        bins,
        np.concatenate(small) if small else np.zeros(0, np.intp),
        np.concatenate([np.arange(len(path)) for path in paths]) if paths else np.zeros(0, np.intp),
    )


class SaccadeLikelihood:
    """The mean log-likelihood of a fixation that has others before it, as a function of the numbers of `Saccades`.

    In nats, relative to the model's density alone. The numbers: density, last, previous, earlier, one after the other.

    Parameters
    ----------
    photos : sequence of Looked
    weights : sequence of float, optional
        How much each photo counts; by default the same.
    """

    def __init__(self, photos: Sequence[Looked], weights: Sequence[float] | None = None) -> None:
        given = np.ones(len(photos)) if weights is None else np.asarray(weights, np.float64)
        kept = [(photo, weight) for photo, weight in zip(photos, given, strict=True) if photo.back.any()]
        total = sum(weight for _, weight in kept)
        self.photos = [(photo, float(weight / total)) for photo, weight in kept]
        self._last, self._earlier = _hats(LAST_NODES), _hats(EARLIER_NODES)

    def __call__(self, numbers: Vector) -> tuple[float, Vector]:
        """Return the mean log-likelihood and its gradient."""
        total, gradient = 0.0, np.zeros(len(numbers))
        for photo, weight in self.photos:
            value, slope = self._of(photo, numbers)
            total += weight * value
            gradient += weight * slope
        return total, gradient

    def fit(self) -> Vector:
        """Return the numbers of the highest likelihood."""

        def loss(numbers: Vector) -> tuple[float, Vector]:
            value, slope = self(numbers)
            return -value, -slope

        begin = np.zeros(1 + len(self._last) + 2 * len(self._earlier))
        begin[0] = 1.0
        found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 200, "ftol": 1e-8})
        return np.asarray(found.x, np.float64)

    def _of(self, photo: Looked, numbers: Vector) -> tuple[float, Vector]:
        """Return a photo's mean log-likelihood and its gradient."""
        last, previous, earlier = self._split(numbers)
        ahead = np.flatnonzero(photo.back >= 1)
        second = photo.back[ahead] >= 2
        heat = numbers[0] * photo.log_density + (last @ self._last)[photo.bins[ahead - 1]]
        heat[second] += (previous @ self._earlier)[photo.bins[ahead[second] - 2]]
        # Of all that were looked at before the last two, the sum: one after the other within a scanpath.
        behind = (earlier @ self._earlier)[photo.bins]
        runs = _runs(photo.back)
        for start, end in runs:
            if end - start > 3:
                rows = np.searchsorted(ahead, np.arange(start + 3, end))
                heat[rows] += np.cumsum(behind[start : end - 3], axis=0)
        heat -= heat.max(axis=1, keepdims=True)
        shares = np.exp(heat)
        sums = shares.sum(axis=1)
        targets = photo.cells[ahead]
        rows = np.arange(len(ahead))
        value = float(np.mean(heat[rows, targets] - np.log(sums) - photo.log_density[targets]))
        residual = -shares / sums[:, None]
        residual[rows, targets] += 1
        by_density = float((residual @ photo.log_density).sum())
        by_last = self._last @ _binned(photo.bins[ahead - 1], residual)
        by_previous = self._earlier @ _binned(photo.bins[ahead[second] - 2], residual[second])
        by_earlier = np.zeros(len(self._earlier))
        for start, end in runs:
            if end - start > 3:
                own = residual[np.searchsorted(ahead, np.arange(start + 3, end))]
                after = np.cumsum(own[::-1], axis=0)[::-1]
                by_earlier += self._earlier @ _binned(photo.bins[start : end - 3], after)
        return value, np.concatenate([[by_density], by_last, by_previous, by_earlier]) / len(ahead)

    def _split(self, numbers: Vector) -> tuple[Vector, Vector, Vector]:
        first, second = 1 + len(self._last), 1 + len(self._last) + len(self._earlier)
        return numbers[1:first], numbers[first:second], numbers[second:]

    def saccades(self, numbers: Vector) -> Saccades:
        """Return the saccades that the numbers stand for."""
        last, previous, earlier = (tuple(float(v) for v in part) for part in self._split(numbers))
        return Saccades(float(numbers[0]), last, previous, earlier)


def fit_saccades(photos: Sequence[Looked], weights: Sequence[float] | None = None) -> Saccades:
    """Return the saccades that make people's fixations most likely.

    Raises
    ------
    UsageError
        If there are fewer than `LEAST` fixations with another before them.
    """
    number = sum(int(np.count_nonzero(photo.back)) for photo in photos)
    if number < LEAST:
        raise UsageError(f"{number} fixations have another before them: a fit of saccades needs at least {LEAST}")
    likelihood = SaccadeLikelihood(photos, weights)
    return replace(likelihood.saccades(likelihood.fit()), about={"photos": len(photos), "fixations": number})


def look(
    model: ModelSource,
    dataset: Dataset,
    *,
    photos: int | None = None,
    seed: int = 0,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> list[Looked]:
    """Return the photos of a data set, all or so many of them, with a model's density: what `fit_saccades` takes.

    Those that cannot be read are left out.

    Raises
    ------
    UsageError
        If the model gives no density, or the data set does not tell the order of fixations.
    """
    if model.output != "log_density":
        raise UsageError(f"model '{model.name}' gives a {model.output}: saccades are fitted to a density")
    chosen = choose(dataset, photos, seed)
    if any(dataset.fixations(index).order is None for index in chosen):
        raise UsageError(f"{dataset.card.name}: it does not tell in which order places were fixated")
    maps, _ = read_maps(dataset, [model], chosen, workers, progress)
    return [looked(own[model.name], dataset.fixations(index), dataset.shape(index)) for index, own in maps.items()]


def _hats(nodes: Sequence[float]) -> DoubleMap:
    """Return the value at each bin's distance of the linear functions that are 1 at a node and 0 at the others.

    Without that of the last node: (nodes - 1, bins).
    """
    distances = np.arange(_BINS) * (_FARTHEST / (_BINS - 1))
    return np.stack([np.interp(distances, nodes, np.eye(len(nodes))[k]) for k in range(len(nodes) - 1)])


def _binned(bins: Bins, values: DoubleMap) -> Vector:
    return np.asarray(np.bincount(bins.reshape(-1), values.reshape(-1), minlength=_BINS), np.float64)


def _runs(back: npt.NDArray[np.intp]) -> list[tuple[int, int]]:
    """Return where each scanpath begins and ends."""
    starts = np.flatnonzero(back == 0)
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(back)], strict=True))


def pooled(data_sets: Sequence[Sequence[Looked]]) -> tuple[list[Looked], list[float]]:
    """Return the photos of several data sets and their weights, each data set's the same in all."""
    photos = [photo for own in data_sets for photo in own]
    return photos, [1 / len(own) for own in data_sets for _ in own]
