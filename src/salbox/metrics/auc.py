"""AUC: how well a map's values tell fixated pixels from others; the variants differ in the others.

All but Borji's are exact: they count values, ties included, and sample nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ._checks import AnyFixations, as_fixations, as_grid, as_map, check_finite, is_constant, values_at
from ._ranks import count_below
from .metric import ANY, Metric

BORJI_SPLITS = 100  # AUC_Borji.m of the MIT benchmark: Nsplits = 100
BORJI_STEP = 0.1  # and stepSize = .1
BORJI_SEED = 0


def auc(saliency: npt.ArrayLike, fixations: AnyFixations) -> float:
    """Return the AUC with all pixels as negatives, the fixated ones too: pysaliency's and the Tübingen benchmark's.

    The probability that a fixated pixel has a higher value than a pixel drawn from the image, ties half. Every
    fixation counts, also of one pixel several.

    Parameters
    ----------
    saliency : (H, W) array
    fixations : Fixations, or (N, 2) array of positions x, y in pixels

    Returns
    -------
    float
        In 0..1; .5 is chance, and what a constant map gets; higher is better.

    Raises
    ------
    UsageError
        If a value is not finite, there is no fixation, or one lies outside.

    Examples
    --------
    The fixated pixel is above three of the four pixels and equal to one, itself: (3 + 1/2) / 4.

    >>> from salbox.datasets import Fixations
    >>> from salbox.metrics import auc
    >>> auc([[1, 2], [3, 4]], Fixations(x=[1], y=[1]))
    0.875
    """
    scores = as_map(saliency)
    return _rank_auc(values_at(scores, fixations), scores.reshape(-1))


def sauc(saliency: npt.ArrayLike, fixations: AnyFixations, negatives: AnyFixations) -> float:
    """Return the shuffled AUC: as `auc`, with the fixations on other images as negatives.

    A map that only knows the centre gets .5. The Tübingen benchmark takes as negatives all fixations of the split's
    other images, duplicates kept (`salbox.datasets.ShuffledNegatives`); MIT's program samples ten images.

    Parameters
    ----------
    saliency : (H, W) array
    fixations, negatives : Fixations, or (N, 2) arrays of positions x, y in pixels

    Returns
    -------
    float
        In 0..1; .5 is chance, and what a constant map gets; higher is better.

    Raises
    ------
    UsageError
        If a value at one of them is not finite (no other is read), there are none of either, or one lies outside.

    References
    ----------
    Zhang, Tong, Marks, Shan, Cottrell: SUN. Journal of Vision 8(7), 2008.

    Examples
    --------
    People look at the pixel of value 4; on other images they looked there and at the pixel of value 1: (1 + 1/2) / 2.

    >>> from salbox.datasets import Fixations
    >>> from salbox.metrics import sauc
    >>> sauc([[1, 2], [3, 4]], Fixations(x=[1], y=[1]), negatives=Fixations(x=[0, 1], y=[0, 1]))
    0.75
    """
    scores = as_grid(saliency)
    fixated = values_at(scores, fixations)
    negatives = as_fixations(negatives)
    if not len(negatives):
        raise UsageError("no negatives: shuffled AUC needs the fixations of at least one other image")
    elsewhere = values_at(scores, negatives)
    check_finite(fixated)
    check_finite(elsewhere)
    return _rank_auc(fixated, elsewhere)


def auc_judd(saliency: npt.ArrayLike, fixations: AnyFixations) -> float:
    """Return AUC-Judd: negatives are the pixels never fixated, thresholds the map's values at the fixations.

    Straight lines join the curve's points, also the lowest fixation's with the end: a map that ranks all fixations
    last gets .5, not 0. Every fixation counts, also of one pixel several, as in pysaliency (MIT's
    program counts each fixated pixel once), and nothing random is added to the map (both programs add noise of
    1e-7 to break ties).

    Parameters
    ----------
    saliency : (H, W) array
    fixations : Fixations, or (N, 2) array of positions x, y in pixels

    Returns
    -------
    float
        In 0..1; .5 is chance, and what a constant map gets; higher is better.

    Raises
    ------
    UsageError
        If a value is not finite, there is no fixation, one lies outside, or no pixel is left unfixated.

    References
    ----------
    Judd, Ehinger, Durand, Torralba: Learning to predict where humans look. ICCV 2009. AUC_Judd.m, MIT benchmark.

    Examples
    --------
    At the only threshold, 3, one of the three negatives is a false alarm. The area under the straight lines from (0, 0)
    to (1/3, 1) and on to (1, 1) is 5/6.

    >>> from salbox.datasets import Fixations
    >>> from salbox.metrics import auc_judd
    >>> round(auc_judd([[1, 2], [3, 4]], Fixations(x=[0], y=[1])), 3)
    0.833
    """
    scores = as_map(saliency)
    fixated = values_at(scores, fixations)
    once = _fixated_once(scores, fixations)
    if once.size == scores.size:
        raise UsageError("every pixel is fixated: AUC-Judd has no negatives")
    thresholds, multiplicity = np.unique(fixated, return_counts=True)
    below_all, _ = count_below(scores.reshape(-1), thresholds)
    below_fixated = np.searchsorted(np.sort(once), thresholds)
    # From the highest threshold to the lowest: the share of fixations, and of negatives, at or above it.
    hits = np.cumsum(multiplicity[::-1]) / fixated.size
    false_alarms = 1 - (below_all - below_fixated)[::-1] / (scores.size - once.size)
    return _trapezoid(np.r_[0.0, hits, 1.0], np.r_[0.0, false_alarms, 1.0])


def auc_borji(saliency: npt.ArrayLike, fixations: AnyFixations, seed: int = BORJI_SEED) -> float:
    """Return AUC-Borji: negatives are random pixels, as many as fixated ones, thresholds 0, .1, .. 1.

    The mean of 100 draws, with replacement, from the min-max scaled map; each fixated pixel counts once. The coarse
    thresholds lie below the exact area (`auc`) for maps with few high values.

    Parameters
    ----------
    saliency : (H, W) array
    fixations : Fixations, or (N, 2) array of positions x, y in pixels
    seed : int
        Of the draws; the same for every map of this size and number of fixations.

    Returns
    -------
    float
        In 0..1; .5 is chance, and what a constant map gets; higher is better.

    Raises
    ------
    UsageError
        If a value is not finite, there is no fixation, or one lies outside.

    References
    ----------
    Borji, Tavakoli, Sihite, Itti: Analysis of scores, datasets, and models in visual saliency prediction. ICCV 2013.
    AUC_Borji.m, MIT benchmark.

    Examples
    --------
    A negative drawn from the three dark pixels makes the area 1, one from the bright pixel itself .5: about 7/8.

    >>> from salbox.datasets import Fixations
    >>> from salbox.metrics import auc_borji
    >>> 0.8 < auc_borji([[0, 0], [0, 1]], Fixations(x=[1], y=[1])) < 0.95
    True
    >>> auc_borji([[2, 2], [2, 2]], Fixations(x=[1], y=[1]))
    0.5
    """
    scores = as_map(saliency).astype(np.float64, copy=False)
    values_at(scores, fixations)
    if is_constant(scores):
        return 0.5
    low, high = scores.min(), scores.max()
    positives = (_fixated_once(scores, fixations) - low) / (high - low)
    drawn = np.random.default_rng(seed).integers(scores.size, size=(BORJI_SPLITS, positives.size))
    negatives = (scores.reshape(-1)[drawn] - low) / (high - low)
    thresholds = np.arange(round(1 / BORJI_STEP), -1, -1) * BORJI_STEP
    hits = np.mean(positives >= thresholds[:, None], axis=1)
    false_alarms = np.mean(negatives[:, None, :] >= thresholds[:, None], axis=2)
    return float(np.mean([_trapezoid(np.r_[0.0, hits, 1.0], np.r_[0.0, f, 1.0]) for f in false_alarms]))


def _fixated_once(scores: npt.NDArray[Any], fixations: AnyFixations) -> npt.NDArray[Any]:
    """Return the value of each pixel that was fixated, once."""
    height, width = scores.shape
    return scores.reshape(-1)[np.unique(as_fixations(fixations).flat_pixels((height, width)))]


def _trapezoid(y: npt.NDArray[np.float64], x: npt.NDArray[np.float64]) -> float:
    return float(np.sum((x[1:] - x[:-1]) * (y[1:] + y[:-1])) / 2)


def _rank_auc(positives: npt.NDArray[Any], negatives: npt.NDArray[Any]) -> float:
    """Return the probability that a positive exceeds a negative, ties half: the Mann-Whitney U / (P N)."""
    thresholds, multiplicity = np.unique(positives, return_counts=True)
    below, equal = count_below(negatives, thresholds)
    return float(np.sum(multiplicity * (below + 0.5 * equal)) / (positives.size * negatives.size))


_FIELD = "values above a threshold; area under hits against false alarms"

METRICS = (
    Metric(
        name="auc",
        title="AUC",
        formula="P(p at a fixation > p at any pixel) + half of P(equal)",
        source="pysaliency's AUC, nonfixations='uniform'; Tübingen benchmark",
        direction="higher",
        accepts=ANY,
        reads="map",
        needs=("fixations",),
        function=auc,
    ),
    Metric(
        name="auc_judd",
        title="AUC-Judd",
        formula=f"{_FIELD}; negatives: pixels never fixated; thresholds: p at fixations; no jitter",
        source="Judd et al. 2009; pysaliency's AUC_Judd(jitter=False)",
        direction="higher",
        accepts=ANY,
        reads="map",
        needs=("fixations",),
        function=auc_judd,
    ),
    Metric(
        name="auc_borji",
        title="AUC-Borji",
        formula=f"{_FIELD}; negatives: {BORJI_SPLITS} draws of random pixels, seed {BORJI_SEED}; thresholds: 0, "
        f"{BORJI_STEP}, .. 1 of the min-max scaled map",
        source="Borji et al. 2013; MIT's AUC_Borji.m",
        direction="higher",
        accepts=ANY,
        reads="map",
        needs=("fixations",),
        function=auc_borji,
    ),
    Metric(
        name="sauc",
        title="sAUC",
        formula="P(p at a fixation > p at a fixation of another image) + half of P(equal)",
        source="Zhang et al. 2008; pysaliency's AUC, nonfixations='shuffled'; Tübingen benchmark",
        direction="higher",
        accepts=ANY,
        reads="map",
        needs=("fixations", "negatives"),
        function=sauc,
    ),
)
