"""TensorFlow 1's resizing of images with align_corners=True: by area, and bicubic."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ...types import FloatMap

CUBIC = -0.75  # the parameter of Keys's kernel
TABLE = 1024  # steps between two pixels at which the kernel is tabulated


def resize(image: npt.NDArray[Any], size: tuple[int, int], start: tuple[int, int], kept: tuple[int, int]) -> FloatMap:
    """Return an image resized, and a part of it cut out: (h, w, C) float32.

    By area if a side shrinks, else bicubic; only the part is computed.

    Parameters
    ----------
    image : (H, W, C)
    size : (int, int)
        Height and width of the resized image.
    start, kept : (int, int)
        Top and left of the part, and its height and width.
    """
    height, width = image.shape[:2]
    weights = _area if height > size[0] or width > size[1] else _cubic
    rows = weights(height, size[0], start[0], kept[0])
    columns = weights(width, size[1], start[1], kept[1])
    # Sums over the side of which less is left come first: there is less in between.
    if kept[0] * width <= height * kept[1]:
        return _along_columns(_along_rows(image, rows), columns)
    return _along_rows(_along_columns(image, columns), rows)


def _along_rows(image: npt.NDArray[Any], weights: csr_array) -> FloatMap:
    height, width, channels = image.shape
    found = weights @ np.asarray(image, np.float32).reshape(height, width * channels)
    return found.reshape(weights.shape[0], width, channels)


def _along_columns(image: npt.NDArray[Any], weights: csr_array) -> FloatMap:
    return _along_rows(image.swapaxes(0, 1), weights).swapaxes(0, 1)


def _scale(source: int, target: int) -> np.float32:
    """Return how many source pixels there are from one sample to the next."""
    return np.float32((source - 1) / (target - 1)) if target > 1 else np.float32(source / target)


def _area(source: int, target: int, start: int, count: int) -> csr_array:
    """Return the weights, (count, source), of means over the stretches from one sample to the next."""
    scale = _scale(source, target)
    # Single precision as in the original, where a last digit decides about the next pixel.
    first = np.arange(start, start + count, dtype=np.float32) * scale
    last = np.arange(start + 1, start + count + 1, dtype=np.float32) * scale
    reach = int(np.ceil(scale)) + 2
    pixels = np.floor(first).astype(np.int64)[:, None] + np.arange(reach)
    share = np.clip(np.minimum(pixels + 1, last[:, None]) - np.maximum(pixels, first[:, None]), 0, 1) / scale
    return _sparse(pixels, share, source)


def _cubic(source: int, target: int, start: int, count: int) -> csr_array:
    """Return the weights, (count, source), of Keys's cubic convolution, from a table of 1,024 steps."""
    place = np.arange(start, start + count, dtype=np.float32) * _scale(source, target)
    low = np.floor(place).astype(np.int64)
    step = np.rint((place - low.astype(np.float32)) * np.float32(TABLE)) / TABLE
    share = np.stack([far(step + 1), near(step), near(1 - step), far(2 - step)], axis=1)
    return _sparse(low[:, None] + np.arange(-1, 3), share, source)


def near(x: Any) -> Any:
    """Return the kernel within one pixel; of arrays or of tensors."""
    return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1


def far(x: Any) -> Any:
    """Return the kernel from one to two pixels away; of arrays or of tensors."""
    return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC


def _sparse(pixels: npt.NDArray[np.int64], share: npt.NDArray[Any], source: int) -> csr_array:
    """Return weights as a sparse matrix; pixels beyond the edge are the edge's."""
    rows = np.repeat(np.arange(len(pixels)), pixels.shape[1])
    columns = np.clip(pixels, 0, source - 1).ravel()
    return csr_array((share.astype(np.float32).ravel(), (rows, columns)), shape=(len(pixels), source))
