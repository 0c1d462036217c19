"""Smoothing what nobody looks at before an encoder runs.

Small cosine coefficients of blocks are left out, and the mean of two grids of blocks half a block apart is taken, so
that edges stay sharp and no grid is seen.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..types import FloatMap, Pixels
from ._blocks import SIDE, padded, to_blocks, to_plane
from ._coders import strip_rows

_THRESHOLD = 8.0  # of coefficients, in a block of average weight at strength 1; 1 is a noise of one brightness level
_SHIFT = SIDE // 2


def smoothed(pixels: Pixels, weights: FloatMap, strength: float) -> Pixels:
    """Return a picture, (H, W, 3) uint8, without the small coefficients of blocks that count little.

    Parameters
    ----------
    pixels : (H, W, 3) uint8
    weights : (ceil(H / 8), ceil(W / 8)) float32
        What a squared error in a block counts: a block loses what is below a threshold over its root.
    strength : float
        0 leaves all as it is.
    """
    if strength <= 0:
        return pixels
    height, width = pixels.shape[:2]
    thresholds: FloatMap = (strength * _THRESHOLD / np.sqrt(weights)).astype(np.float32)
    result = np.empty_like(pixels)
    for rows in strip_rows(height):
        # A block more at either end, for the grid that is half a block off.
        first, last = max(rows.start - SIDE, 0), min(rows.stop + SIDE, height)
        part = cv2.cvtColor(pixels[first:last], cv2.COLOR_RGB2YCrCb)
        limits = thresholds[first // SIDE : -(-last // SIDE)]
        done = np.stack([_thresholded(part[:, :, channel], limits) for channel in range(3)], axis=2)
        turned = cv2.cvtColor(done, cv2.COLOR_YCrCb2RGB)
        result[rows] = turned[rows.start - first : rows.stop - first]
    return result[:height, :width]


def _thresholded(plane: npt.NDArray[np.uint8], limits: FloatMap) -> npt.NDArray[np.uint8]:
    """Return a plane without coefficients below a limit a block, the mean of both grids: (h, w) uint8."""
    height, width = plane.shape
    whole = padded(plane, SIDE).astype(np.float32)
    shifted = np.pad(whole, _SHIFT, mode="reflect" if min(whole.shape) > _SHIFT else "edge")
    # Blocks of the other grid lie between four of the first: the smallest of their limits spares what is looked at.
    around = np.pad(limits, 1, mode="edge")
    between = np.minimum(np.minimum(around[:-1, :-1], around[1:, :-1]), np.minimum(around[:-1, 1:], around[1:, 1:]))
    other = _without_small(shifted, between)[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT]
    mean = (_without_small(whole, limits) + other) / 2
    return np.clip(np.rint(mean[:height, :width]), 0, 255).astype(np.uint8)


def _without_small(plane: FloatMap, limits: FloatMap) -> FloatMap:
    blocks = to_blocks(plane)
    kept = np.abs(blocks) > limits[:, None, :, None]
    kept[:, 0, :, 0] = True  # the mean
    return to_plane(blocks * kept)
