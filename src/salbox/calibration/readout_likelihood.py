"""The likelihood of people's fixations under a log density, a smooth centre bias and a network's features, weighed.

Without a blur at the end the logarithm of the density is linear in all its numbers, so that the likelihood has one
maximum (a conditional logit, McFadden 1974): Newton's method finds it in a few steps, and with the curvature at the
model as it is, known of each photo, each part of the photos has its own fit in a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from ..models.profiles import Center
from ..models.readouts import Readout, blurred
from ..types import DoubleMap, Shape
from .forms import Line, Vector
from .looks import SmallFeatures
from .observed import Observed

BLURS = (0.0, 0.0375, 0.1)  # shares of the longest side: what is there, near there, and around
CENTER_PENALTY = 2.5  # divided by the number of photos, as the features' is
CENTER_GRID = (18, 24)  # rows and columns that the centre bias is kept in
_SCALE = 0.15  # a typical size of what follows
_ENOUGH = 1e-6  # nats a fixation that a further step would gain
_STEPS = 40
_ARMIJO = 0.25  # of what a step promises it has to keep

Matrix = npt.NDArray[np.float32]


def center_terms(shape: Shape) -> DoubleMap:
    """Return what a smooth centre bias is a sum of: (K, h w), powers of the place and distances from the middle."""
    y, x = ((np.arange(side) + 0.5) / side - 0.5 for side in shape)
    x, y = (own.reshape(-1) for own in np.meshgrid(x, y))
    terms = [x, y, x**2, y**2, 4 * x**2 * y**2, 4 * x**4, 4 * y**4, np.hypot(x, y), np.abs(x), np.abs(y)]
    return np.stack(terms) / _SCALE


CENTERS = len(center_terms((1, 1)))


class ReadoutLikelihood:
    """The mean log-likelihood of a fixation over photos, in nats, as a function of all numbers of a readout.

    The numbers: what the log density is multiplied by, those of `center_terms`, and a weight of each feature at each
    blur, in the unit of its standard deviation. As the model is, they are 1 and then 0.

    Parameters
    ----------
    photos : sequence of Observed
        Of one model.
    features : sequence of (C, h, w) arrays
        Of each photo.
    """

    def __init__(self, photos: Sequence[Observed], features: Sequence[SmallFeatures]) -> None:
        stacks = [_stack(own) for own in features]
        self.units = np.sqrt(np.mean([stack.var(axis=1) for stack in stacks], axis=0)) + 1e-3
        self._terms = [
            _terms(photo, own, self.units, f.shape[1:]) for photo, own, f in zip(photos, stacks, features, strict=True)
        ]
        self._counts = [_counts(photo, own.shape[1:]) for photo, own in zip(photos, features, strict=True)]
        self.begin = np.zeros(1 + CENTERS + len(self.units))
        self.begin[0] = 1.0
        self._curvatures = [_curvature(terms) for terms in self._terms]

    def __len__(self) -> int:
        return len(self._terms)

    def value(self, photo: int, numbers: Vector) -> float:
        """Return a photo's log-likelihood, up to a constant of the photo."""
        return self._of(photo, numbers)[0]

    def fit(self, members: Sequence[int], strength: float) -> Vector:
        """Return the numbers that make some photos' fixations most likely, features' weights held by a penalty.

        Parameters
        ----------
        members : sequence of int
            Which photos.
        strength : float
            Half of it, divided by the number of photos, is what a squared weight costs; inf: all weights stay 0.
        """
        free = slice(0, 1 + CENTERS if np.isinf(strength) else None)
        held = 0.0 if np.isinf(strength) else strength
        costs = np.concatenate([[0.0], np.full(CENTERS, CENTER_PENALTY), np.full(len(self.units), held)]) / len(members)
        curvature = np.mean([self._curvatures[k] for k in members], axis=0) + np.diag(costs)
        solved = cho_factor(curvature[free, free] + 1e-9 * np.eye(len(costs))[free, free])
        numbers = self.begin.copy()
        loss, slope = self._loss(members, numbers, costs)
        for _ in range(_STEPS):
            step = cho_solve(solved, slope[free])
            promised, length = float(slope[free] @ step), 1.0
            if promised < _ENOUGH:
                break
            while True:
                tried = numbers.copy()
                tried[free] -= length * step
                found = self._loss(members, tried, costs)
                if found[0] <= loss - _ARMIJO * length * promised or length < 1e-3:
                    break
                length /= 2
            numbers, (loss, slope) = tried, found
        return numbers

    def _loss(self, members: Sequence[int], numbers: Vector, costs: Vector) -> tuple[float, Vector]:
        """Return what a fit makes small, and its gradient."""
        values, slopes = zip(*(self._of(k, numbers) for k in members), strict=True)
        moved = numbers - self.begin
        penalty = 0.5 * float(costs @ moved**2)
        return penalty - float(np.mean(values)), costs * moved - np.mean(slopes, axis=0)

    def _of(self, photo: int, numbers: Vector) -> tuple[float, Vector]:
        """Return a photo's log-likelihood and its gradient."""
        terms, counts = self._terms[photo], self._counts[photo]
        heat = (numbers.astype(np.float32) @ terms).astype(np.float64)
        highest = heat.max()
        shares = np.exp(heat - highest)
        total = shares.sum()
        value = float(counts @ heat - highest - np.log(total))
        return value, np.asarray(terms @ (counts - shares / total).astype(np.float32), np.float64)

    def sharpness(self, numbers: Vector) -> float:
        """Return what the log density is multiplied by, 1 / temperature: at least what a temperature may be.

        Of people who look where the model says that nobody does, it would be negative.
        """
        return max(float(numbers[0]), Line.bounds[0])

    def center(self, numbers: Vector) -> Center:
        """Return the centre bias that the numbers stand for, of weight 1."""
        log = (numbers[1 : 1 + CENTERS] @ center_terms(CENTER_GRID)).reshape(CENTER_GRID)
        return Center(1.0, grid=tuple(tuple(float(v) for v in row) for row in (log - log.max()).round(4)))

    def readout(self, numbers: Vector, network: str) -> Readout:
        """Return the weights that the numbers stand for, as they are added to the log density itself."""
        weights = numbers[1 + CENTERS :] / self.units / self.sharpness(numbers)
        rows = weights.reshape(len(BLURS), -1)
        return Readout(network, BLURS, tuple(tuple(float(f"{v:.5g}") for v in row) for row in rows))


def _stack(features: SmallFeatures) -> Matrix:
    """Return features at each blur: (blurs C, h w) float32."""
    own = features.astype(np.float32)
    return np.concatenate([[blurred(feature, blur).reshape(-1) for feature in own] for blur in BLURS])


def _terms(photo: Observed, stack: Matrix, units: Vector, shape: Shape) -> Matrix:
    """Return what a photo's log density is a sum of: (numbers, h w) float32."""
    (values,) = photo.values.values()
    small = cv2.resize(np.exp(values.astype(np.float64)), shape[::-1], interpolation=cv2.INTER_AREA)
    log = np.log(np.maximum(small, np.finfo(np.float64).tiny)).reshape(1, -1)
    centered = (stack - stack.mean(axis=1, keepdims=True)) / units[:, None]  # for numbers of one size
    return np.concatenate([log, center_terms(shape), centered]).astype(np.float32)


def _counts(photo: Observed, shape: Shape) -> Vector:
    """Return the share of a photo's fixations in each part of the grid: (h w,)."""
    columns, rows = (
        np.clip((photo.places[:, axis] * side).astype(int), 0, side - 1)
        for axis, side in ((0, shape[1]), (1, shape[0]))
    )
    counts = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return np.asarray(counts / counts.sum(), np.float64)


def _curvature(terms: Matrix) -> DoubleMap:
    """Return the covariance of the terms under the log density itself: minus the second derivative there."""
    shares = np.exp(terms[0].astype(np.float64) - terms[0].max())
    shares = (shares / shares.sum()).astype(np.float32)
    mean = terms @ shares
    return ((terms * shares) @ terms.T - np.outer(mean, mean)).astype(np.float64)
