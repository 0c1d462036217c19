"""How far a mean over images may be off: the bootstrap over images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
SEED = 0
LEVEL = 0.95
_AT_ONCE = 500  # resamples in memory together

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """A figure minus the reference's on the same images, its interval, and how likely chance alone gives as much."""

    value: float
    low: float
    high: float
    p: float


def interval_text() -> str:
    """Return how the intervals were made."""
    return f"{LEVEL:.0%} percentile bootstrap over images, {RESAMPLES:,} resamples, seed {SEED}"


def resampled(groups: Sequence[Values], resamples: int = RESAMPLES, seed: int = SEED) -> list[Values]:
    """Return what each group's figure becomes when images are drawn with replacement, the same ones for all groups.

    Parameters
    ----------
    groups : sequence of (N,) or (N, K) arrays
        A value an image, or a curve; the figure is the mean, of curves the maximum of the mean curve.

    Returns
    -------
    list of (resamples,) arrays
    """
    columns = [np.asarray(g, np.float64).reshape(len(g), -1) for g in groups]
    images = len(columns[0])
    widths = np.cumsum([0, *(c.shape[1] for c in columns)])
    together = np.concatenate(columns, axis=1)
    rng = np.random.default_rng(seed)
    figures = np.empty((len(groups), resamples))
    for start in range(0, resamples, _AT_ONCE):
        number = min(_AT_ONCE, resamples - start)
        drawn = rng.integers(images, size=(number, images))
        counts = np.stack([np.bincount(row, minlength=images) for row in drawn])
        means = counts @ together / images
        for k in range(len(groups)):
            figures[k, start : start + number] = means[:, widths[k] : widths[k + 1]].max(axis=1)
    return list(figures)


def estimate(value: float, resamples: Values, level: float = LEVEL) -> Estimate:
    """Return a figure with its percentile interval."""
    low, high = np.quantile(resamples, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high))


def difference(value: float, resamples: Values, level: float = LEVEL) -> Difference:
    """Return a difference with its percentile interval and two-sided p: twice the smaller share beyond 0."""
    between = estimate(value, resamples, level)
    # One is added on both sides of the fraction: p is never 0 on a finite number of draws.
    beyond = min(np.count_nonzero(resamples <= 0), np.count_nonzero(resamples >= 0))
    p = min(1.0, 2 * (beyond + 1) / (len(resamples) + 1))
    return Difference(value, between.low, between.high, float(p))
