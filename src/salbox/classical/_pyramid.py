"""The dyadic pyramid of IKN and GBVS: level n is the image at 2^-n of its size.

Numbers are stored in single precision between the passes, and the sums of equally weighted pairs are rounded to it,
because the colour table that follows is entered by a rounded-up number: a last bit decides between two entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..types import DoubleMap, FloatMap, Pixels

SMALLEST = 10  # an array with a side of this length or less is not halved any more
STRIP = 1 << 16  # numbers worked on at a time, so that they stay in the processor's cache
TO_UNIT = (np.arange(256) / 255.0).astype(np.float32)


def pyramids(planes: Sequence[Pixels], depth: int, pool: Executor) -> list[list[FloatMap]]:
    """Return the levels 1 .. depth of every plane.

    Parameters
    ----------
    planes : sequence of (H, W) uint8
    depth : int
        Levels wanted; where the size no longer allows it, a level repeats the one before.
    pool : Executor
        The planes are shared out over it.
    """
    return list(pool.map(lambda plane: _pyramid(plane, depth), planes))


def _pyramid(plane: Pixels, depth: int) -> list[FloatMap]:
    levels = [halve(plane)]
    while len(levels) < depth:
        levels.append(halve(levels[-1]))
    return levels


def halve(plane: Pixels | FloatMap) -> FloatMap:
    """Return a plane low-passed with [1 5 10 10 5 1] / 32 and decimated by two: (H // 2, W // 2) float32.

    Parameters
    ----------
    plane : (H, W) uint8 or float32
        Bytes stand for byte / 255. With a side of 10 or less it is returned as it is, in float32.
    """
    height, width = plane.shape
    if min(height, width) <= SMALLEST:
        return _to_unit(plane)
    half_height, half_width = height // 2, width // 2
    narrow = np.empty((height, half_width), np.float32)
    for rows in _strips(0, height, width):
        strip = _to_unit(plane[rows])
        even, odd = cv2.split(strip[:, : 2 * half_width].reshape(-1, half_width, 2))
        last = strip[:, -1] if width % 2 else None
        _low_pass_inner(even.T, odd.T, narrow[rows, 1:-1].T)
        _low_pass_ends(even.T, odd.T, last, narrow[rows].T)
    halved = np.empty((half_height, half_width), np.float32)
    even, odd = narrow[0 : 2 * half_height : 2], narrow[1::2]
    for rows in _strips(1, half_height - 1, 2 * half_width):
        around = slice(rows.start - 1, rows.stop + 1)
        _low_pass_inner(even[around], odd[around], halved[rows])
    _low_pass_ends(even, odd, narrow[-1] if height % 2 else None, halved)
    return halved


def _to_unit(plane: npt.NDArray[Any]) -> FloatMap:
    return cv2.LUT(plane, TO_UNIT) if plane.dtype == np.uint8 else plane


def _strips(start: int, stop: int, length: int) -> list[slice]:
    step = max(1, STRIP // length)
    return [slice(i, min(i + step, stop)) for i in range(start, stop, step)]


def _low_pass_inner(even: FloatMap, odd: FloatMap, out: FloatMap) -> None:
    """Filter and decimate along the first axis, but for the first and last sample.

    Sample i of the result is the low-passed signal between the samples 2i and 2i + 1.

    Parameters
    ----------
    even, odd : (n, m) float32
        Samples 0, 2, 4, ... and 1, 3, 5, ...
    out : (n - 2, m) float32
    """
    total = np.multiply(even[1:-1] + odd[1:-1], 2.0, dtype=np.float64)
    total += odd[:-2] + even[2:]
    total *= 5.0
    total += even[:-2] + odd[2:]
    np.multiply(total, 1 / 32, out=out, casting="same_kind")


def _low_pass_ends(even: FloatMap, odd: FloatMap, last: FloatMap | None, out: FloatMap) -> None:
    """Fill in the first and last sample: taps that fall outside are dropped, the others divided by their sum.

    Parameters
    ----------
    even, odd : (n, m) float32
    last : (m,) float32, optional
        One more sample after the last odd one, if their number is odd.
    out : (n, m) float32
    """
    out[0] = (_times(even[0] + odd[0], 10.0) + _times(even[1], 5.0) + odd[1]) / 26
    near = _times(even[-1] + odd[-1], 10.0)
    if last is None:
        out[-1] = (near + _times(odd[-2], 5.0) + even[-2]) / 26
    else:
        out[-1] = (near + _times(odd[-2] + last, 5.0) + even[-2]) / 31


def _times(values: FloatMap, factor: float) -> DoubleMap:
    """Return a product in double precision; NumPy 1 keeps `values * np.float64(factor)` in single."""
    return np.multiply(values, factor, dtype=np.float64)
