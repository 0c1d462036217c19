"""An image fitted into a frame of fixed size with its shape kept, and the map of the frame brought back to the image.

The way of ML-Net's program, which later ones took over: enlarge or shrink, put into the middle of a constant; later
enlarge the map until it covers the image, and cut out the middle.
"""

from __future__ import annotations

import cv2
import numpy as np

from ...types import FloatMap, Pixels


def fit(image: Pixels, height: int, width: int, fill: int = 0) -> Pixels:
    """Return the image in the middle of a frame: (height, width, 3) uint8.

    Parameters
    ----------
    image : (H, W, 3) uint8
        Resized with OpenCV's INTER_LINEAR, also where it shrinks.
    height, width : int
        Of the frame; one side of it is filled.
    fill : int
        Of the rest of the frame, in every channel.
    """
    high, wide = image.shape[:2]
    if high * width > wide * height:
        inner = height, max(1, wide * height // high)
    else:
        inner = max(1, high * width // wide), width
    framed = np.full((height, width, 3), fill, np.uint8)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    resized = cv2.resize(image, inner[::-1], interpolation=cv2.INTER_LINEAR)
    framed[top : top + inner[0], left : left + inner[1]] = resized
    return framed


def unfit(saliency: FloatMap, shape: tuple[int, int]) -> FloatMap:
    """Return the map of a frame brought to an image's shape: (H, W) float32.

    Equal to OpenCV's INTER_LINEAR to the size that covers the image, cropped; only what is kept is computed, because
    that size grows without bounds with the length of an image.

    Parameters
    ----------
    saliency : (h, w) float32
        Of the frame.
    shape : (int, int)
        Height and width of the image.
    """
    height, width = saliency.shape
    high, wide = shape
    by_height = high * width > wide * height
    covering = (high, width * high // height) if by_height else (height * wide // width, wide)
    rows = _Line(height, covering[0], (covering[0] - high) // 2, high)
    columns = _Line(width, covering[1], (covering[1] - wide) // 2, wide)
    # Whichever side first leaves less in between.
    if high * width <= height * wide:
        return columns.of_columns(rows.of_rows(saliency))
    return rows.of_rows(columns.of_columns(saliency))


class _Line:
    """Linear interpolation along one side: `count` of `target` samples, from `start` on, of `source` values."""

    def __init__(self, source: int, target: int, start: int, count: int) -> None:
        centers = (np.arange(start, start + count) + 0.5) * (source / target) - 0.5
        centers = np.clip(centers, 0, source - 1)
        self.low = centers.astype(np.intp)
        self.high = np.minimum(self.low + 1, source - 1)
        self.share = (centers - self.low).astype(np.float32)

    def of_rows(self, values: FloatMap) -> FloatMap:
        share = self.share[:, None]
        return values[self.low] * (1 - share) + values[self.high] * share

    def of_columns(self, values: FloatMap) -> FloatMap:
        return values[:, self.low] * (1 - self.share) + values[:, self.high] * self.share
