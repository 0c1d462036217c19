"""Scaling of maps that divides by nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def min_max(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return values scaled to 0..1, float32; a constant map becomes 0 everywhere."""
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.zeros(values.shape, np.float32)
    scaled = (values.astype(np.float64) - low) / (high - low)
    return scaled.astype(np.float32)
