"""The map that a density itself expects to score best by each metric.

A model that says how likely each pixel is to be fixated need not choose one map for all metrics: each has a map of the
highest expected score under that density.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError, nearest
from ..types import DoubleMap
from ._checks import as_log_density, check_same_shape

Wanted: TypeAlias = Literal["nss", "auc", "sauc", "cc", "kl", "sim"]

# Metrics of the table -> the kind of map that is best for them.
KINDS: dict[str, Wanted] = {
    "nss": "nss", "auc": "auc", "auc_judd": "auc", "auc_borji": "auc", "sauc": "sauc", "cc": "cc", "kl": "kl",
    "kl_mit": "kl", "kl_pysaliency": "kl", "sim": "sim", "sim_mit": "sim",
}  # fmt: skip

DRAWS = 100  # sets of fixations of which the expected SIM is taken; salbox's own choice
SIM_SIDE = 128  # longest side at which SIM's map is found
BLUR_AT = 6.0  # pixels of sigma at the size at which densities are blurred
TRUNCATE = 4.0  # sigma after which a Gaussian ends, as in `salbox.datasets.fixation_density`


def map_for(
    metric: str,
    log_density: npt.ArrayLike,
    *,
    center_bias: npt.ArrayLike | None = None,
    sigma: float | None = None,
    fixations: int = 100,
    seed: int = 0,
) -> DoubleMap:
    """Return the map of the highest expected score by a metric, if fixations are drawn from a density: (H, W) float64.

    Parameters
    ----------
    metric : {"nss", "auc", "sauc", "cc", "kl", "sim"}, or another variant's name
        nss and auc: the density. sauc: the density divided by that of the negatives, the centre bias. cc and kl: the
        density blurred as the true maps are. sim: of maps that sum to 1, the one that shares most, on average, with the
        maps that drawn fixations make.
    log_density : (H, W) array
        Natural log of the density over pixels; exp of it sums to 1.
    center_bias : (H, W) array
        Natural log of where the negatives are drawn from; sauc needs it.
    sigma : float
        Of the Gaussian that makes fixations the true map, in pixels; cc, kl and sim need it.
    fixations : int
        How many make a true map; sim alone depends on it.
    seed : int
        Of the draws for sim.

    Raises
    ------
    UsageError
        For another metric, if it is no log density, or what a metric needs is missing.

    References
    ----------
    Kümmerer, Wallis, Bethge: Saliency benchmarking made easy: separating models, maps and metrics. ECCV 2018,
    section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.metrics import map_for
    >>> density, center = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([[0.1, 0.1], [0.1, 0.7]])
    >>> map_for("sauc", np.log(density), center_bias=np.log(center)).round(2).tolist()
    [[1.0, 2.0], [3.0, 0.57]]
    """
    if metric not in KINDS:
        known = ", ".join(get_args(Wanted))
        raise UsageError(f"no map is known to be best for '{metric}'{nearest(metric, KINDS)} (there are {known})")
    kind, log = KINDS[metric], as_log_density(log_density)
    if kind == "sauc":
        if center_bias is None:
            raise UsageError("the map for sauc is divided by the centre bias: give its log density, center_bias")
        center = as_log_density(center_bias, "center_bias")
        check_same_shape(log, center, "center_bias")
        return np.exp(np.asarray(log, np.float64) - center)
    density = np.exp(np.asarray(log, np.float64))
    if kind in ("nss", "auc"):
        return density
    if sigma is None or not (np.isfinite(sigma) and sigma > 0):
        raise UsageError(f"the map for {kind} is blurred as the true maps are: give sigma, in pixels")
    if kind == "sim":
        return _for_sim(density, sigma, fixations, seed)
    return _blurred(density, sigma)


def most_shared(truths: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the density that shares most with others on average: (N,) float64, not negative, sums to 1.

    Each further bit of a pixel adds the share of truths that are still above it there. The sum is greatest where that
    share is the same in all pixels: where each holds the same quantile of its truths.

    Parameters
    ----------
    truths : (K, N) array
        Densities, each row not negative, summing to 1.
    """
    ordered = np.sort(truths, axis=0)
    low, high = 0.0, float(len(ordered) - 1)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if _at(ordered, middle).sum() > 1 else (middle, high)
    found = _at(ordered, high)
    return found / found.sum()


def _at(ordered: npt.NDArray[np.float64], rank: float) -> npt.NDArray[np.float64]:
    """Return what lies between two rows, at a rank that need not be whole."""
    below = min(int(rank), len(ordered) - 2)
    share = rank - below
    return np.asarray((1 - share) * ordered[below] + share * ordered[below + 1])


def _for_sim(density: DoubleMap, sigma: float, fixations: int, seed: int) -> DoubleMap:
    if fixations < 1:
        raise UsageError(f"fixations={fixations}: expected at least 1")
    small, scale = _smaller(density, SIM_SIDE / max(density.shape))
    upto = np.cumsum(small.reshape(-1))
    rng = np.random.default_rng(seed)
    truths = np.empty((DRAWS, small.size))
    for k in range(DRAWS):
        places = np.searchsorted(upto, rng.random(fixations) * upto[-1], side="right")
        counts = np.bincount(np.minimum(places, small.size - 1), minlength=small.size)
        truth = _gaussian(counts.reshape(small.shape).astype(np.float64), sigma * scale)
        truths[k] = (truth / truth.sum()).reshape(-1)
    found = cv2.resize(most_shared(truths).reshape(small.shape), density.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(found / found.sum(), np.float64)


def _blurred(density: DoubleMap, sigma: float) -> DoubleMap:
    """Return a density as `fixation_density` blurs fixations: what leaves the image is lost before the division."""
    small, scale = _smaller(density, BLUR_AT / sigma)
    blurred = _gaussian(small, sigma * scale)
    if blurred.shape != density.shape:
        blurred = np.maximum(cv2.resize(blurred, density.shape[::-1], interpolation=cv2.INTER_CUBIC), 0)
    return np.asarray(blurred / blurred.sum(), np.float64)


def _smaller(density: DoubleMap, scale: float) -> tuple[DoubleMap, float]:
    """Return a density reduced by a factor, by area, and the factor; one of 1 or more leaves it as it is."""
    if scale >= 1:
        return density, 1.0
    size = (max(1, round(density.shape[1] * scale)), max(1, round(density.shape[0] * scale)))
    small = cv2.resize(density, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small / small.sum(), np.float64), size[0] / density.shape[1]


def _gaussian(values: npt.NDArray[Any], sigma: float) -> DoubleMap:
    radius = int(TRUNCATE * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    return np.asarray(cv2.sepFilter2D(values, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_CONSTANT), np.float64)
