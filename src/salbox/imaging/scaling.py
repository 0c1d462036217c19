"""Scaling of maps that divides by nothing."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..types import EPSILON, FloatMap, Output, Pixels, Shape

REFERENCE_SIZE = 640  # longest side in pixels at which a classical model is imitated

_UNIT_SUM = 1e-2  # how far the sum of a density may be from 1, as of a model of somebody's own


def min_max(values: npt.NDArray[Any], low: float = 0.0, high: float = 1.0) -> FloatMap:
    """Return values scaled to low..high, float32; a constant map becomes `low` everywhere."""
    smallest, largest = float(values.min()), float(values.max())
    if not largest > smallest:
        return np.full(values.shape, low, np.float32)
    share = (values.astype(np.float64) - smallest) / (largest - smallest)
    return (low + share * (high - low)).astype(np.float32)


def standardize(values: npt.NDArray[Any]) -> FloatMap:
    """Return values with mean 0 and standard deviation 1 (N - 1), float32; a constant map becomes 0 everywhere."""
    centered = values.astype(np.float64) - float(values.mean(dtype=np.float64))
    deviation = float(centered.std(ddof=1)) if values.size > 1 else 0.0
    if values.max() <= values.min() or deviation == 0:
        return np.zeros(values.shape, np.float32)
    return (centered / deviation).astype(np.float32)


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


def at_size(pixels: Pixels, longest_side: int) -> Pixels:
    """Return an image with this longest side: shrunk with OpenCV's INTER_AREA, enlarged with INTER_CUBIC."""
    height, width = pixels.shape[:2]
    scale = longest_side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def smaller_copy(pixels: Pixels, longest_side: int) -> Pixels:
    """Return an image whose longest side is at most this, shrunk with INTER_AREA; one that is no larger as it is."""
    return pixels if longest_side >= max(pixels.shape[:2]) else at_size(pixels, longest_side)


def map_at(saliency: FloatMap, shape: Shape, output: Output) -> FloatMap:
    """Return a map brought bilinearly to a size, (H, W); a log density stays one. A map of that size as it is."""
    if saliency.shape == shape:
        return saliency
    resized = cv2.resize(saliency, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return normalized_log(resized) if output == "log_density" else resized


def is_log_density(values: npt.NDArray[Any]) -> bool:
    """Return whether a map can only be a log density: nothing above 0, and exp of it sums to 1."""
    if not values.size or not values.max() <= 0:
        return False
    return abs(float(np.exp(values, dtype=np.float64).sum()) - 1) < _UNIT_SUM


def visible(saliency: npt.NDArray[Any], output: Output | None = None) -> npt.NDArray[Any]:
    """Return a map as it is looked at: of a log density the density, whose logarithm would be grey all over.

    It is scaled so that its maximum is 1. By default a log density is recognised by its numbers.
    """
    if output == "log_density" or (output is None and is_log_density(saliency)):
        return np.exp(saliency.astype(np.float64) - float(saliency.max()))
    return saliency


def picture_range(saliency: npt.NDArray[Any], output: Output | None) -> tuple[float, float] | None:
    """Return what black and white stand for in a picture of a map; None: its own minimum and maximum.

    A probability is drawn as it is, so that of a photo without an object all is dark.
    """
    is_share = output == "probability" and saliency.size and saliency.min() >= 0 and saliency.max() <= 1
    return (0.0, 1.0) if is_share else None


def for_picture(saliency: npt.NDArray[Any], output: Output | None = None) -> FloatMap:
    """Return a map as a picture of it shows it, in 0..1: `visible`, min-max scaled unless it is a probability."""
    if picture_range(saliency, output) is not None:
        return saliency.astype(np.float32, copy=False)
    return min_max(visible(saliency, output))


def density(saliency: npt.NDArray[Any], output: Output) -> npt.NDArray[Any]:
    """Return a map as others are compared with it: of a log density exp of it, float64; any other as it is."""
    return np.exp(saliency.astype(np.float64)) if output == "log_density" else saliency
