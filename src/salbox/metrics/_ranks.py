"""Counting the values below a few thresholds: what every exact AUC is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._checks import Indices

MOST_BINS = 65536
VALUES_A_BIN = 8
SORT_BELOW = 2000  # fewer values are sorted faster than binned
MANY_TIES = 0.05  # the share of values in the thresholds' bins from which comparing is faster than sorting them


def count_below(values: npt.NDArray[Any], thresholds: npt.NDArray[Any]) -> tuple[Indices, Indices]:
    """Return how many values are below each threshold and how many equal it; thresholds ascend and differ.

    Sorting half a million values for a hundred thresholds is a waste: values go into bins, whole bins are counted,
    and only the values that share a bin with a threshold are looked at. Binning is monotone in floating point too, so
    the counts are exact.
    """
    bins = min(MOST_BINS, values.size // VALUES_A_BIN + 1)
    binned = _bin(values, thresholds, bins) if values.size >= SORT_BELOW else None
    if binned is None:
        return _count_below_sorted(np.sort(values), thresholds)
    of_values, of_thresholds = binned
    counts = np.bincount(of_values, minlength=bins)
    filled = of_thresholds[np.r_[True, of_thresholds[1:] > of_thresholds[:-1]]]
    if counts[filled].sum() < MANY_TIES * values.size or len(filled) < len(thresholds):
        is_shared = np.zeros(bins, np.bool_)
        is_shared[filled] = True
        below, equal = _count_below_sorted(np.sort(values[is_shared[of_values]]), thresholds)
        # `below` holds all shared bins up to the threshold; add the values of the bins under it that nothing shares.
        counts[filled] = 0
        return below + np.cumsum(counts)[of_thresholds], equal
    # Many ties, as in 8-bit maps, and one threshold a bin: compare each value with its bin's threshold.
    limits = np.full(bins, np.inf, values.dtype)
    limits[filled] = thresholds
    limit = limits[of_values]
    is_equal = values == limit
    upto = np.cumsum(counts)[of_thresholds]
    if np.count_nonzero(is_equal) == counts[filled].sum():
        equal = counts[of_thresholds]
        return upto - equal, equal
    equal = np.bincount(of_values[is_equal], minlength=bins)[of_thresholds]
    above = np.bincount(of_values[values > limit], minlength=bins)[of_thresholds]
    return upto - equal - above, equal


def _count_below_sorted(values: npt.NDArray[Any], thresholds: npt.NDArray[Any]) -> tuple[Indices, Indices]:
    below = np.searchsorted(values, thresholds, side="left")
    return below, np.searchsorted(values, thresholds, side="right") - below


def _bin(values: npt.NDArray[Any], thresholds: npt.NDArray[Any], bins: int) -> tuple[Indices, Indices] | None:
    """Return a bin for each value and threshold, or None where their range is too small or too large to divide."""
    low = min(values.min(), thresholds[0])
    high = max(values.max(), thresholds[-1])
    limits = np.finfo(values.dtype)
    if not float(limits.tiny) * bins < float(high) - float(low) < float(limits.max):
        return None
    scale = values.dtype.type((bins - 1) / (float(high) - float(low)))

    def place(numbers: npt.NDArray[Any]) -> Indices:
        shifted = numbers - low
        shifted *= scale
        return shifted.astype(np.intp)

    return place(values), place(thresholds)
