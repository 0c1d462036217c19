"""Colour spaces of the classical models, in float64.

IMSIG's spaces are written as a pixelwise function followed by a linear map, because what is linear can be applied
after the image was shrunk. DKL and the opponent colours belong to IKN and GBVS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import cv2
import numpy as np
import numpy.typing as npt

from ..types import FloatMap, Pixels
from ._resize import serial_product

Map64 = npt.NDArray[np.float64]

TO_UNIT = np.arange(256) / 255.0
# IEC 61966-2-1: 8-bit sRGB to linear light.
TO_LINEAR = np.where(TO_UNIT <= 0.04045, TO_UNIT / 12.92, ((TO_UNIT + 0.055) / 1.055) ** 2.4)

XYZ_OF_RGB = np.array(  # linear sRGB primaries, D65
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])  # D65, CIE 1931 2 degree observer
RELATIVE_XYZ_OF_RGB = XYZ_OF_RGB / WHITE[:, None]
CUBE_ROOT_FROM = (6 / 29) ** 3  # CIE 15:2004: below, the cube root gives way to its tangent
TANGENT_SLOPE, TANGENT_OFFSET = 841 / 108, 4 / 29


def lab_cube_roots(image: Pixels) -> Map64:
    """Return f(X / Xn), f(Y / Yn), f(Z / Zn) of sRGB, of which CIE Lab is a linear function: (H, W, 3) float64."""
    roots: Map64 = cv2.transform(cv2.LUT(image, TO_LINEAR), RELATIVE_XYZ_OF_RGB)
    flat = roots.reshape(-1)
    dark = np.flatnonzero(flat <= CUBE_ROOT_FROM)
    tangent = TANGENT_SLOPE * flat[dark] + TANGENT_OFFSET
    np.cbrt(flat, out=flat)
    flat[dark] = tangent
    return roots


def unit_rgb(image: Pixels) -> Map64:
    """Return RGB in 0..1: (H, W, 3) float64."""
    return cv2.LUT(image, TO_UNIT)


def hsv(image: Pixels) -> Map64:
    """Return hue, saturation and value of the hexcone model, each in 0..1: (H, W, 3) float64."""
    rgb = unit_rgb(image)
    red, green, blue = np.moveaxis(rgb, -1, 0)
    value = rgb.max(axis=-1)
    chroma = value - rgb.min(axis=-1)
    divisor = np.where(chroma > 0, chroma, 1.0)
    hue = np.where(
        value == red,
        (green - blue) / divisor % 6,
        np.where(value == green, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    saturation = chroma / np.where(value > 0, value, 1.0)
    return np.stack([np.where(chroma > 0, hue / 6, 0.0), saturation, value], axis=-1)


@dataclass(frozen=True)
class ColorSpace:
    """A colour space as `matrix @ pixelwise(image) + offset`.

    Attributes
    ----------
    pixelwise : callable
        (H, W, 3) uint8 -> (H, W, 3) float64.
    matrix : (channels, 3) float64
    offset : (channels,) float64
    unit : float
        The size of its numbers, to judge what is rounding noise.
    """

    pixelwise: Callable[[Pixels], Map64]
    matrix: Map64
    offset: Map64
    unit: float


LAB = ColorSpace(
    lab_cube_roots,
    np.array([[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]]),
    np.array([-16.0, 0.0, 0.0]),
    unit=100.0,
)
COLOR_SPACES = {
    "LAB": LAB,
    "RGB": ColorSpace(unit_rgb, np.eye(3), np.zeros(3), unit=1.0),
    # ITU-R BT.601: luma, and with its colour differences in studio range.
    "gray": ColorSpace(unit_rgb, np.array([[0.299, 0.587, 0.114]]), np.zeros(1), unit=1.0),
    "YCbCr": ColorSpace(
        unit_rgb,
        np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255,
        np.array([16.0, 128.0, 128.0]) / 255,
        unit=1.0,
    ),
    "HSV": ColorSpace(hsv, np.eye(3), np.zeros(3), unit=1.0),
}

# Derrington, Krauskopf and Lennie's space (Journal of Physiology 357, 1984): cone excitations of the monitor's guns,
# those of the background that the axes are measured from, and the scale of each axis.
LMS_OF_GUNS = np.array([[18.32535, 44.60077, 7.46216], [4.09544, 28.20135, 6.66066], [0.02114, 0.10325, 1.05258]])
BACKGROUND_LMS = np.array([34.9185389578, 19.3147966765, 0.5856108185])
_L, _M, _S = BACKGROUND_LMS
DKL_OF_LMS = np.array([[1.0, 1.0, 0.0], [1.0, -_L / _M, 0.0], [-1.0, -1.0, (_L + _M) / _S]])
DKL_SCALES = np.array([0.5774, 2.7525, 0.4526])
DKL_OF_GUNS = DKL_SCALES[:, None] * (DKL_OF_LMS @ LMS_OF_GUNS)
BACKGROUND_DKL = DKL_SCALES * (DKL_OF_LMS @ BACKGROUND_LMS)


@lru_cache(maxsize=1)
def gamma_table() -> Map64:
    """Return the light of the red, green and blue gun at 256 input levels: (3, 256) float64."""
    with files(__package__).joinpath("data/dkl_gamma.csv").open() as file:
        table = np.loadtxt(file, delimiter=",", comments=("#", "red"))
    return np.ascontiguousarray(table.T)


def dkl(red: FloatMap, green: FloatMap, blue: FloatMap) -> Map64:
    """Return luminance and the two chromatic axes of DKL space: (3, H, W) float64.

    Parameters
    ----------
    red, green, blue : (H, W) float32
        In 0..1. The table is entered at ceil(255 v), counted from one and at least one, so its last entry is never
        reached; the product is taken in double precision.
    """
    guns = np.empty((3, red.size))
    for light, gamma, plane in zip(guns, gamma_table(), (red, green, blue), strict=True):
        entry = np.ceil(np.multiply(plane.reshape(-1), 255.0, dtype=np.float64)).astype(np.intp)
        np.take(gamma, np.maximum(entry, 1) - 1, out=light)
    axes = np.empty_like(guns)
    serial_product(DKL_OF_GUNS, guns, axes)
    axes -= BACKGROUND_DKL[:, None]
    return axes.reshape(3, *red.shape)


def opponent(red: FloatMap, green: FloatMap, blue: FloatMap, intensity: FloatMap) -> Map64:
    """Return blue-yellow |B - min(R, G)| / I and red-green |R - G| / I, 0 where I is 0: (2, H, W) float64."""
    r, g, b, i = (plane.astype(np.float64) for plane in (red, green, blue, intensity))
    differences = np.abs(np.stack([b - np.minimum(r, g), r - g]))
    return np.divide(differences, i, out=np.zeros_like(differences), where=i > 0)
