"""What every metric asks of its arguments; each failure is one line that says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import DoubleMap

Indices = npt.NDArray[np.intp]

# How far the log of a density's sum may be from 0: single precision and files with rounded values pass, a map that
# was resized or never normalised does not. The limit that pysaliency sets on the density files it reads.
LOG_SUM_TOLERANCE = 0.01


class FixationSet(Protocol):
    """What the metrics know of fixations; `salbox.datasets.Fixations` is one."""

    def __len__(self) -> int: ...

    def flat_pixels(self, shape: tuple[int, int], /) -> Indices:
        """Return row * W + column of each fixation; raises UsageError if one lies outside."""
        ...


AnyFixations: TypeAlias = "FixationSet | npt.ArrayLike"
"""Fixations as the metrics take them: a set, or an array (N, 2) of positions x, y in pixels."""


@dataclass(frozen=True)
class _Points:
    """Positions of an array as a set of fixations."""

    positions: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.positions)

    def flat_pixels(self, shape: tuple[int, int], /) -> Indices:
        x, y = self.positions.T
        if outside := int(np.count_nonzero(~((x >= 0) & (y >= 0) & (x < shape[1]) & (y < shape[0])))):
            raise UsageError(
                f"{outside} of {len(self)} fixations lie outside the image of {shape[1]}x{shape[0]} "
                "(an array of fixations has x in its first column, y in its second)"
            )
        return y.astype(np.intp) * shape[1] + x.astype(np.intp)


def as_fixations(fixations: AnyFixations) -> FixationSet:
    """Return a set of fixations; of an array (N, 2) its rows are positions x, y in pixels.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if hasattr(fixations, "flat_pixels"):
        return cast(FixationSet, fixations)
    try:
        positions = np.asarray(fixations, np.float64)
    except (TypeError, ValueError):
        positions = np.empty(())
    if positions.shape == (0,):
        positions = positions.reshape(0, 2)
    if positions.ndim != 2 or positions.shape[1] != 2 or not np.isfinite(positions).all():
        raise UsageError(
            f"fixations of shape {positions.shape}: expected finite positions (N, 2), x and y in pixels, or "
            "salbox.datasets.Fixations"
        )
    return _Points(positions)


def as_map(values: npt.ArrayLike, name: str = "saliency map") -> npt.NDArray[Any]:
    """Return a map as a float array, float32 where it is one already, else float64; perhaps the array itself.

    Raises
    ------
    UsageError
        If it is not two-dimensional, empty, or holds NaN or infinity.
    """
    array = as_grid(values, name)
    check_finite(array, name)
    return array


def as_grid(values: npt.ArrayLike, name: str = "saliency map") -> npt.NDArray[Any]:
    """Return what `as_map` does, the values unread; raises UsageError for another shape."""
    array = np.asarray(values)
    if array.ndim != 2 or not array.size:
        raise UsageError(f"{name} of shape {array.shape}: expected (H, W)")
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def check_finite(array: npt.NDArray[Any], name: str = "saliency map") -> None:
    """Raise UsageError if a value is NaN or infinite."""
    if not (np.isfinite(array.min()) and np.isfinite(array.max())):  # NaN passes through both
        raise UsageError(f"{name}: {int(np.count_nonzero(~np.isfinite(array)))} values are not finite numbers")


def as_pair(saliency: npt.ArrayLike, truth: npt.ArrayLike, name: str) -> tuple[DoubleMap, DoubleMap]:
    """Return the map and what it is compared with, both float64 and of one shape; raises as `as_map`."""
    first = as_map(saliency).astype(np.float64, copy=False)
    second = as_map(truth, name).astype(np.float64, copy=False)
    check_same_shape(first, second, name)
    return first, second


def check_same_shape(saliency: npt.NDArray[Any], truth: npt.NDArray[Any], name: str) -> None:
    """Raise UsageError unless the two have one shape: a metric never resizes."""
    if saliency.shape != truth.shape:
        raise UsageError(f"saliency map of shape {saliency.shape}, but {name} of {truth.shape}: resize one first")


def as_log_density(values: npt.ArrayLike, name: str = "log density") -> DoubleMap:
    """Return the natural log of a density over pixels as float64.

    Raises
    ------
    UsageError
        As `as_map`, or if exp of it does not sum to 1.
    """
    log_density = as_map(values, name).astype(np.float64, copy=False)
    high = float(log_density.max())
    if high > LOG_SUM_TOLERANCE:  # checked first: exp of a score may overflow
        raise UsageError(f"{name}: its maximum {high:.4g} is above 0, so it is not the log of a density over pixels")
    total = float(np.exp(log_density).sum())
    if not np.exp(-LOG_SUM_TOLERANCE) <= total <= np.exp(LOG_SUM_TOLERANCE):
        raise UsageError(f"{name}: exp of it sums to {total:.4g}, not to 1; normalise it, also after resizing")
    return log_density


def values_at(saliency: npt.NDArray[Any], fixations: AnyFixations) -> npt.NDArray[Any]:
    """Return the map's value at each fixation, (N,).

    Raises
    ------
    UsageError
        If there is no fixation or one lies outside.
    """
    fixations = as_fixations(fixations)
    if not len(fixations):
        raise UsageError("no fixations on this image: metrics at fixations are not defined, leave it out")
    height, width = saliency.shape
    return saliency.reshape(-1).take(fixations.flat_pixels((height, width)))  # twice as fast as two indices


def is_constant(values: npt.NDArray[Any]) -> bool:
    """Return whether all values are equal; a standard deviation would come out as rounding noise, not as 0."""
    return bool(values.min() == values.max())
