"""The colours of an object where a photo shows a mixture of it and the background, so that no halo stays.

By PyMatting where it is installed: Germer et al., "Fast Multi-Level Foreground Estimation", ICPR 2020. Else by blur
fusion: Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import numpy.typing as npt

from ..types import FloatMap, Pixels
from .matting_closed_form import has_pymatting

_TILE, _MARGIN = 512, 96  # pixels; what lies farther away than the margin does not count
_WINDOWS = (91, 7)  # pixels a side, of the two passes of blur fusion; the paper has 90 and 6
_TINY = 1e-5

Estimate = Callable[[FloatMap, FloatMap], FloatMap]


def clean_colors(
    pixels: Pixels, alpha: npt.NDArray[np.uint8], wanted: npt.NDArray[np.uint8], *, by_levels: bool | None = None
) -> None:
    """Give the pixels that are seen in part the colours of the object, in place.

    Parameters
    ----------
    pixels : (H, W, 3 or more) uint8
        The photo; the first three channels are changed where `wanted` is between 0 and 255.
    alpha : (H, W) uint8
        How much of each pixel is the object.
    wanted : (H, W) uint8
        How much of each pixel will be seen; another than `alpha` where an edge was made soft.
    by_levels : bool, optional
        Whether PyMatting estimates; by default where it is installed.
    """
    estimate = by_multilevel if (has_pymatting() if by_levels is None else by_levels) else by_blur_fusion
    # What is found is put in at the end: a tile reads its neighbours' pixels as the photo has them.
    found = list(_tiles(pixels, alpha, wanted, estimate))
    for rows, columns, is_partial, colors in found:
        pixels[rows, columns, :3][is_partial] = colors


def _tiles(
    pixels: Pixels, alpha: npt.NDArray[np.uint8], wanted: npt.NDArray[np.uint8], estimate: Estimate
) -> Iterator[tuple[slice, slice, npt.NDArray[np.bool_], Pixels]]:
    """Yield where a tile is, which of its pixels are seen in part, and their colours."""
    height, width = alpha.shape
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            rows, columns = slice(top, top + _TILE), slice(left, left + _TILE)
            seen = wanted[rows, columns]
            is_partial = (seen > 0) & (seen < 255)
            if not is_partial.any():
                continue
            wide = slice(max(0, top - _MARGIN), top + _TILE + _MARGIN)
            broad = slice(max(0, left - _MARGIN), left + _TILE + _MARGIN)
            image: FloatMap = pixels[wide, broad, :3].astype(np.float32) / np.float32(255)
            share: FloatMap = alpha[wide, broad].astype(np.float32) / np.float32(255)
            colors = estimate(image, share)
            inner = colors[top - wide.start :, left - broad.start :][: seen.shape[0], : seen.shape[1]]
            yield rows, columns, is_partial, np.rint(inner[is_partial].clip(0, 1) * 255).astype(np.uint8)


def by_multilevel(image: FloatMap, alpha: FloatMap) -> FloatMap:
    """Return the object's colours, (H, W, 3) float32 in 0..1, by PyMatting; parameters as `by_blur_fusion`."""
    if max(alpha.shape) == 1:
        return image
    from pymatting import estimate_foreground_ml

    return np.asarray(estimate_foreground_ml(image, alpha), np.float32)


def by_blur_fusion(image: FloatMap, alpha: FloatMap) -> FloatMap:
    """Return the object's colours, (H, W, 3) float32 in 0..1.

    Parameters
    ----------
    image : (H, W, 3) float32 in 0..1
    alpha : (H, W) float32 in 0..1
    """
    share = alpha[..., None]
    front = back = image
    for window in _WINDOWS:
        # Means of what is known of both; what they leave unexplained of the photo is the object's.
        front = _weighted_mean(front, alpha, window)
        back = _weighted_mean(back, 1 - alpha, window)
        front = (front + share * (image - share * front - (1 - share) * back)).clip(0, 1)
    return front


def _weighted_mean(values: FloatMap, weights: FloatMap, window: int) -> FloatMap:
    """Return the weighted mean of values around each pixel; the values themselves where nothing has weight."""
    side = (window, window)
    total = cv2.blur(weights, side)[..., None]
    mean = cv2.blur(values * weights[..., None], side) / np.maximum(total, _TINY)
    return np.where(total > _TINY, mean, values)
