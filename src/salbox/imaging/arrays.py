"""Arrays as images: (H, W, 3) uint8 RGB of whatever holds brightness."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ImageError
from ..types import Pixels


def from_array(array: npt.NDArray[Any]) -> Pixels:
    """Return an array of brightness as a contiguous (H, W, 3) uint8 RGB array; transparency is laid over white.

    Parameters
    ----------
    array : (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) array
        uint8, uint16 (0..65535), bool or float (0..1), of any kind of array that is one: matrices and memory maps too.

    Raises
    ------
    ImageError
        If it has another shape or dtype, or masked elements.
    """
    array = plain(array)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ImageError(f"array of shape {array.shape}: expected (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)")
    pixels = to_uint8(array)
    if pixels.shape[2] == 4:
        alpha = pixels[:, :, 3:].astype(np.uint16)
        pixels = ((pixels[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels)


def plain(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array of NumPy's own class and of the machine's byte order, with the same elements.

    Raises
    ------
    ImageError
        If some of them are masked.
    """
    if isinstance(array, np.ma.MaskedArray):
        if np.ma.is_masked(array):
            raise ImageError("array with masked elements: fill them first (array.filled(value))")
        array = array.data
    array = np.asarray(array)  # a matrix stays two-dimensional however it is indexed
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def to_uint8(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return brightness as 0..255, rounded: of uint8, bool, uint16 (0..65535) or float (0..1).

    Raises
    ------
    ImageError
        If it has another dtype, or is a float beyond 0..1.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        if not (array.min() >= 0 and array.max() <= 1):  # also catches NaN
            raise ImageError(f"float array with values in {array.min():g}..{array.max():g}: expected 0..1")
        return np.rint(array * (255.0 if array.itemsize > 2 else np.float32(255))).astype(np.uint8)
    raise ImageError(f"array of dtype {array.dtype}: expected uint8, uint16, bool or float in 0..1")
