"""What IKN and GBVS share: the feature maps they start from and the way from a sum of maps to the saliency map."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..models.cards import Parameter
from ..types import FloatMap, Pixels
from ._color import dkl, opponent
from ._gabor import RADIUS, gabor_energy
from ._pyramid import pyramids
from ._resize import enlarge_stretched

Map64 = npt.NDArray[np.float64]
Features = dict[str, dict[int, Map64]]

CHANNELS = "CDIOR"  # opponent colour, DKL colour, intensity, orientation, contrast
MASTER_BORDER = 4  # pixels of the master map that are attenuated
# A feature map whose values lie this close together holds rounding noise: features are of the order of 1, noise of
# 1e-15, and the faintest structure of 8 bits leaves more than 1e-8. Stretched to 0..1 the noise would be the result.
FLAT = 1e-10

# What the cards of both models say of the channels.
CHANNEL_PARAMETERS = (
    Parameter("channels", "DIO", "letters of D (DKL), C (opponent), I, O, R (contrast)", "str"),
    Parameter("color_weight", 1.0, "weight of channel C", "float", minimum=0, maximum=1e6),
    Parameter("intensity_weight", 1.0, "weight of channel I", "float", minimum=0, maximum=1e6),
    Parameter("orientation_weight", 1.0, "weight of channel O", "float", minimum=0, maximum=1e6),
    Parameter("dklcolor_weight", 1.0, "weight of channel D", "float", minimum=0, maximum=1e6),
    Parameter(
        "gabor_angles",
        (0.0, 45.0, 90.0, 135.0),
        "directions of the bars of channel O, degrees",
        "floats",
        minimum=-360,
        maximum=360,
    ),
    Parameter("contrast_width", 0.1, "neighbourhood of channel R, fraction of height", "float", minimum=0, maximum=1),
)


def feature_maps(
    image: Pixels,
    channels: str,
    levels: set[int],
    gabor_angles: tuple[float, ...],
    contrast_width: float,
    pool: Executor,
) -> Features:
    """Return the feature maps of an image: {channel: {level: (maps, h, w) float64}}.

    Parameters
    ----------
    image : (H, W, 3) uint8
    channels : str
        Letters of "CDIOR".
    levels : set of int
        Pyramid levels; level n has 2^-n of the image's size.
    gabor_angles : tuple of float
        Of channel O, in degrees.
    contrast_width : float
        Of channel R: width of the neighbourhood as a fraction of the level's height.
    pool : Executor

    Raises
    ------
    UsageError
        If `channels` is empty or has a letter that is no channel.
    """
    unknown = sorted(set(channels) - set(CHANNELS))
    if unknown or not channels:
        raise UsageError(f"parameter channels={channels!r}: expected letters of {CHANNELS}, e.g. 'DIO'")
    planes = list(cv2.split(image))
    if set(channels) != {"D"}:
        planes.append(cv2.max(cv2.max(planes[0], planes[1]), planes[2]))  # intensity is the largest, not the mean
    if not set(channels) & set("CD"):
        planes = planes[3:]
    by_plane = pyramids(planes, max(levels), pool)
    at = {level: [pyramid[level - 1] for pyramid in by_plane] for level in sorted(levels)}
    features: Features = {channel: {} for channel in CHANNELS if channel in channels}
    for level, (*rgb, last) in at.items():
        for channel in features:
            features[channel][level] = _channel(channel, [*rgb, last], gabor_angles, contrast_width, pool)
    return features


def _channel(
    channel: str, planes: list[FloatMap], gabor_angles: tuple[float, ...], contrast_width: float, pool: Executor
) -> Map64:
    """Return the maps of one channel at one level; `planes` are (red, green, blue,) and intensity as far as needed."""
    if channel == "D":
        return dkl(*planes[:3])
    if channel == "C":
        return opponent(*planes)
    intensity = planes[-1]
    if channel == "I":
        return intensity[None].astype(np.float64)
    if channel == "O":
        return attenuate_borders(gabor_energy(intensity, gabor_angles, pool), RADIUS)
    return local_variance(intensity, round_half_up(intensity.shape[0] * contrast_width))[None]


def local_variance(plane: FloatMap, width: int) -> Map64:
    """Return the variance in a square around each pixel, as far as it lies inside: (H, W) float64.

    Parameters
    ----------
    plane : (H, W) float32
    width : int
        The square has the side 2 (width // 2) + 1.
    """
    box = (2 * (width // 2) + 1,) * 2
    centered = plane - plane.mean(dtype=np.float64)  # no effect but on rounding

    def box_sum(values: Map64) -> Map64:
        return cv2.boxFilter(values, cv2.CV_64F, box, normalize=False, borderType=cv2.BORDER_CONSTANT)

    count = box_sum(np.ones_like(centered))
    return np.maximum(box_sum(centered**2) - box_sum(centered) ** 2 / count, 0.0) / count


def map_shape(image_shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """Return height and width of the saliency map: the image's, its longer side `longest` pixels."""
    scale = longest / max(image_shape[:2])
    return max(1, round_half_up(image_shape[0] * scale)), max(1, round_half_up(image_shape[1] * scale))


def finish(total: Map64, image_shape: tuple[int, ...], blur_frac: float) -> FloatMap:
    """Return the saliency map of an image from the master map: (H, W) float32, 0..1."""
    shape = (image_shape[0], image_shape[1])
    return enlarge_stretched(master_map(total, blur_frac), shape, subtract_minimum=True)


def master_map(total: Map64, blur_frac: float) -> Map64:
    """Return the sum of all channels with its borders attenuated, blurred and stretched to 0..1: (h, w) float64.

    Where it is constant, as for an image of one colour, nothing stands out: zeros, not the shape of the borders.
    """
    if np.ptp(total) == 0:
        return np.zeros_like(total)
    master = mat2gray(attenuate_borders(total, MASTER_BORDER))
    if blur_frac > 0:
        master = mat2gray(_blur(master, blur_frac * max(master.shape)))
    return master


def mat2gray(values: Map64, flat: float = 0.0) -> Map64:
    """Return values stretched to 0..1; a map whose values differ by `flat` at most becomes one value in 0..1."""
    low, high = float(values.min()), float(values.max())
    if high - low <= flat:
        return np.full_like(values, min(max(low, 0.0), 1.0))
    stretched = values - low
    stretched /= high - low
    return stretched


def attenuate_borders(maps: Map64, width: int) -> Map64:
    """Return maps whose outer `width` pixels fall off linearly, k / (width + 1) at the k-th: (..., h, w) float64.

    Where two borders meet both factors apply. Maps too small for it have a narrower border, on all sides the same.
    """
    height, length = maps.shape[-2:]
    width = min(width, height // 2, length // 2)
    return maps * _ramp(height, width)[:, None] * _ramp(length, width)


def round_half_up(value: float) -> int:
    """Return the nearest whole number, of two the larger, as Matlab rounds what is positive."""
    return math.floor(value + 0.5)


@lru_cache(maxsize=32)
def _ramp(length: int, width: int) -> Map64:
    ramp = np.ones(length)
    ramp[:width] = np.arange(1, width + 1) / (width + 1)
    ramp[length - width :] = ramp[:width][::-1]
    ramp.flags.writeable = False
    return ramp


def _blur(values: Map64, sigma: float) -> Map64:
    """Return a Gaussian blur cut off at two sigma, the border repeated outwards."""
    radius = round_half_up(2 * sigma)
    taps = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    taps /= taps.sum()
    return cv2.sepFilter2D(values, cv2.CV_64F, taps, taps, borderType=cv2.BORDER_REPLICATE)
