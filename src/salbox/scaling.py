"""Scaling of maps that divides by nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatMap = npt.NDArray[np.float32]

EPSILON = 2.2e-16  # added where a logarithm would meet 0


def min_max(values: npt.NDArray[Any], low: float = 0.0, high: float = 1.0) -> FloatMap:
    """Return values scaled to low..high, float32; a constant map becomes `low` everywhere."""
    smallest, largest = float(values.min()), float(values.max())
    if not largest > smallest:
        return np.full(values.shape, low, np.float32)
    share = (values.astype(np.float64) - smallest) / (largest - smallest)
    return (low + share * (high - low)).astype(np.float32)


def standardize(values: npt.NDArray[Any]) -> FloatMap:
    """Return values with mean 0 and standard deviation 1 (N - 1), float32; a constant map becomes 0 everywhere."""
    centred = values.astype(np.float64) - float(values.mean(dtype=np.float64))
    deviation = float(centred.std(ddof=1)) if values.size > 1 else 0.0
    if values.max() <= values.min() or deviation == 0:
        return np.zeros(values.shape, np.float32)
    return (centred / deviation).astype(np.float32)


def normalized_log(values: npt.NDArray[Any]) -> FloatMap:
    """Return the log of a density known up to a factor, (H, W), as a log density: float32, exp of it sums to 1."""
    largest = values.max()
    # In double precision: the many small shares of a large image are lost in sums of single precision.
    total = np.exp(values - largest, dtype=np.float64).sum()
    return (values - (largest + np.log(total))).astype(np.float32)


def log_density(values: npt.NDArray[Any]) -> FloatMap:
    """Return the natural log of a map turned into a density, float32, finite; exp of it sums to 1.

    The map is scaled to 0..1, raised by `EPSILON` so that its minimum has a logarithm, and divided by its sum; a
    constant map becomes the uniform density.
    """
    return log_of_density(min_max(values))


def log_of_density(values: npt.NDArray[Any]) -> FloatMap:
    """Return the natural log of a density known up to a factor, nowhere negative; float32, finite; exp of it sums to 1.

    It is raised by `EPSILON` of its maximum, so that a 0 has a logarithm; one that is 0 everywhere becomes the uniform
    density.
    """
    raised = values.astype(np.float64) / (float(values.max()) or 1.0) + EPSILON
    return np.log(raised / raised.sum()).astype(np.float32)
