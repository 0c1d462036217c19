"""The rules by which a map becomes a density over pixels; a metric that uses one names it in its formula."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import DoubleMap
from ._checks import as_map

Rule = Literal["sum", "min-max"]


def to_density(saliency: npt.ArrayLike, rule: Rule) -> DoubleMap:
    """Return a map as a density over pixels: (H, W) float64, not negative, sums to 1.

    Parameters
    ----------
    saliency : (H, W) array
    rule : {"sum", "min-max"}
        "sum": if the minimum is negative it is subtracted; then division by the sum (pysaliency, Tübingen benchmark).
        A density stays as it is. "min-max": the minimum is always subtracted, so that the lowest pixel has
        probability 0 (MIT's SIM). What is 0 everywhere becomes the uniform density.

    Raises
    ------
    UsageError
        If a value is not finite or the rule is unknown.

    Examples
    --------
    >>> from salbox.metrics import to_density
    >>> to_density([[2, 2], [3, 1]], "sum").tolist()
    [[0.25, 0.25], [0.375, 0.125]]
    >>> to_density([[2, 2], [3, 1]], "min-max").tolist()
    [[0.25, 0.25], [0.5, 0.0]]
    """
    values = as_map(saliency).astype(np.float64, copy=False)
    if rule not in ("sum", "min-max"):
        raise UsageError(f"density rule '{rule}': expected 'sum' or 'min-max'")
    low = values.min()
    if low < 0 or rule == "min-max":
        values = values - low
    total = values.sum()
    return values / total if total > 0 else np.full(values.shape, 1 / values.size)


def unit_range(values: npt.NDArray[Any]) -> DoubleMap:
    """Return a map min-max scaled to 0..1 in double precision; a constant map becomes 0."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.zeros(values.shape)
    scaled = np.subtract(values, low, dtype=np.float64)
    scaled /= high - low
    return scaled
