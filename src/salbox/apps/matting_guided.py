"""A colour guided filter: an alpha that follows the edges of a photo, as a linear model that holds at any size of it.

He, Sun, Tang, "Guided Image Filtering", IEEE TPAMI 35(6), 2013; coefficients that are found on a small copy and used on
the whole photo: He, Sun, "Fast Guided Filter", arXiv 1505.00996, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import cv2
import numpy as np

from ..types import FloatMap, Pixels, Shape
from .enlarging import enlarged_rows

EPSILON = 1e-4  # of a photo in 0..1: what counts as an edge; the best of 1e-5, 1e-4, 1e-3 on drawn shapes


@dataclass(frozen=True)
class LinearAlpha:
    """An alpha as a linear function of colour: slope . colour + offset, which both change slowly over the photo.

    Attributes
    ----------
    slope : (h, w, 3) float32, or None
        Of a photo in 0..1; None: the offset alone is the alpha.
    offset : (h, w) float32
    """

    slope: FloatMap | None
    offset: FloatMap

    def rows(self, pixels: Pixels, top: int, shape: Shape) -> FloatMap:
        """Return the alpha of some rows of a photo: (n, W) float32, not yet brought to 0..1.

        Parameters
        ----------
        pixels : (n, W, 3 or more) uint8
            The photo's rows from `top` on.
        top : int
        shape : (int, int)
            The photo's (H, W).
        """
        bottom = top + len(pixels)
        alpha = enlarged_rows(self.offset, top, bottom, shape)
        if self.slope is not None:
            slope = enlarged_rows(self.slope, top, bottom, shape)
            for channel in range(3):
                alpha += slope[..., channel] * (pixels[..., channel] * np.float32(1 / 255))
        return alpha


def guided(pixels: Pixels, values: FloatMap, radius: int, epsilon: float = EPSILON) -> LinearAlpha:
    """Return the linear model of colour that comes closest to values in the windows around each pixel.

    Parameters
    ----------
    pixels : (h, w, 3) uint8
        The guide.
    values : (h, w) float32
    radius : int
        Windows have 2 * radius + 1 pixels a side.
    epsilon : float
        What is added to the variances of colour.
    """
    guide: FloatMap = pixels.astype(np.float32) / np.float32(255)
    means = _mean(guide, radius)
    mean = _mean(values, radius)
    # Equation 19: slope = (covariance of colours + epsilon)^-1 (covariance of colour and values), by cofactors.
    covariance = {
        (i, j): _mean(guide[..., i] * guide[..., j], radius) - means[..., i] * means[..., j]
        for i, j in combinations_with_replacement(range(3), 2)
    }
    for i in range(3):
        covariance[i, i] += np.float32(epsilon)
    xx, xy, xz, yy, yz, zz = covariance.values()
    cofactors = (yy * zz - yz * yz, yz * xz - xy * zz, xy * yz - yy * xz, xx * zz - xz * xz, xy * xz - xx * yz,
                 xx * yy - xy * xy)  # fmt: skip
    determinant = xx * cofactors[0] + xy * cofactors[1] + xz * cofactors[2]
    cx, cy, cz = (_mean(guide[..., i] * values, radius) - means[..., i] * mean for i in range(3))
    a, b, c, d, e, f = cofactors
    slope = np.stack([a * cx + b * cy + c * cz, b * cx + d * cy + e * cz, c * cx + e * cy + f * cz], axis=-1)
    slope /= determinant[..., None]
    offset = mean - (slope * means).sum(axis=-1)  # equation 20
    return LinearAlpha(_mean(slope, radius), _mean(offset, radius))  # equation 21: the mean over all windows of a pixel


def _mean(values: FloatMap, radius: int) -> FloatMap:
    side = 2 * radius + 1
    return cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
