"""The teachers of `gaze` as a density of their own: the ensemble calibrated on the same people as the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from gaze_data import ensemble, people_photos
from scipy.optimize import minimize

from salbox.datasets import Fixations, center_bias

Array = npt.NDArray[np.float64]

BLURS = (0.0, 0.01, 0.02, 0.03, 0.045)  # standard deviations, as shares of the width
GRID = 120  # longest side of the grid that is fitted on


@dataclass(frozen=True)
class Center:
    """Where people looked, whatever the photo: the fixations of data sets' training parts."""

    fixations: tuple[Fixations, ...]
    shapes: tuple[tuple[int, int], ...]
    sigma: float  # as a share of the width

    @classmethod
    def of(cls, names: Sequence[str]) -> Center:
        """Return the centre bias of the training parts of data sets."""
        fixations, shapes = [], []
        for name in names:
            data, images = people_photos(name, "train")
            fixations += [data.fixations(i) for i in range(len(images))]
            shapes += [data.shape(i) for i in range(len(images))]
        return cls(tuple(fixations), tuple(shapes), 0.04)

    def log_density(self, shape: tuple[int, int]) -> Array:
        """Return the log of the density on a grid of this shape."""
        return np.log(center_bias(self.fixations, self.shapes, shape, self.sigma * shape[1]))


@dataclass(frozen=True)
class Calibrated:
    """A density proportional to exp(a blur(z) + b log centre)."""

    a: float
    b: float
    blur: float
    center: Center

    def log_density(self, z: npt.NDArray[Any], center: Array | None = None) -> Array:
        """Return the log density of a z-scored map; `center` saves computing it again for maps of one shape."""
        prior = self.center.log_density(z.shape) if center is None else center
        values = self.a * blurred(z, self.blur) + self.b * prior
        return values - np.log(np.exp(values - values.max()).sum()) - values.max()


def blurred(z: npt.NDArray[Any], blur: float) -> Array:
    """Return a map blurred by a Gaussian whose standard deviation is a share of the width."""
    values = z.astype(np.float64)
    return cv2.GaussianBlur(values, (0, 0), blur * z.shape[1], borderType=cv2.BORDER_REPLICATE) if blur else values


def calibrate(names: Sequence[str]) -> Calibrated:
    """Return the ensemble fitted to people on the training parts of data sets: the likelihood of their fixations."""
    center = Center.of(names)
    photos = []
    for name in names:
        data, images = people_photos(name, "train")
        for index, photo in enumerate(images):
            z = ensemble(photo.output.as_posix())
            scale = GRID / max(z.shape)
            size = (round(z.shape[1] * scale), round(z.shape[0] * scale))
            small = cv2.resize(z, size, interpolation=cv2.INTER_AREA)
            photos.append((small, counts(data.fixations(index), data.shape(index), small.shape)))
    priors = {shape: center.log_density(shape) for shape in {z.shape for z, _ in photos}}
    best: tuple[float, Calibrated] | None = None
    for blur in BLURS:
        terms = [(blurred(z, blur), priors[z.shape], looked / looked.sum()) for z, looked in photos]
        found = minimize(_loss, (1.0, 0.5), args=(terms,), method="BFGS", options={"gtol": 1e-4})
        if best is None or found.fun < best[0]:
            best = found.fun, Calibrated(float(found.x[0]), float(found.x[1]), blur, center)
    assert best is not None
    return best[1]


def counts(fixations: Fixations, shape: tuple[int, int], grid: tuple[int, int]) -> Array:
    """Return how many fixations lie in each cell of a grid over an image."""
    edges = [np.linspace(0, side, number + 1) for side, number in zip(shape, grid, strict=True)]
    return np.histogram2d(fixations.y + 0.5, fixations.x + 0.5, bins=edges)[0]


def _loss(factors: npt.NDArray[Any], terms: Sequence[tuple[Array, Array, Array]]) -> float:
    """Return minus the mean log-likelihood of a fixation, photos weighing alike."""
    total = 0.0
    for z, prior, share in terms:
        values = factors[0] * z + factors[1] * prior
        total += np.log(np.exp(values - values.max()).sum()) + values.max() - (share * values).sum()
    return total / len(terms)
