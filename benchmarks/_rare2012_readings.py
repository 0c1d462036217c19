"""Ways of reading RARE2012's paper, of which salbox's model is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

from salbox.classical._gabor_bank import GaborBank
from salbox.classical._rarity import box_mean, rarity, stretch
from salbox.classical._resize import imresize
from salbox.classical.rare2012 import _enlarge, principal_components
from salbox.types import FloatMap, Pixels

LEVELS, SCALES, ORIENTATIONS, THRESHOLD = 4, 3, 8, 0.3  # documented in the original's genParams.m

Weights = Literal["rank", "efficiency", "both"]


@dataclass(frozen=True)
class Reading:
    """One way of reading the paper; the defaults are the outline taken literally.

    Attributes
    ----------
    working_size : int, optional
        Of a square copy; None: the image's own size.
    max_frequency : float
    bins : int
    exponent : float
        Of rarity in 0..1.
    per_channel : bool
        Low and medium level meet within a colour channel, not at the end.
    weights : {"rank", "efficiency", "both"}
        Of maps that are fused: rank / N, (max - mean)^2, or the product.
    smoothing : int
        Side of the square that is averaged over.
    smooth_each : bool
        Each rarity map is averaged, not the finished one.
    stretch_channels : bool
        To 0..1 before efficiencies are compared.
    real_part : bool
        Of the Gabor responses instead of their magnitude.
    """

    working_size: int | None = None
    max_frequency: float = 0.2
    bins: int = 64
    exponent: float = 1.0
    per_channel: bool = False
    weights: Weights = "rank"
    smoothing: int = 1
    smooth_each: bool = False
    stretch_channels: bool = False
    real_part: bool = False


MODEL = Reading(200, 0.25, 11, per_channel=True, weights="both", smoothing=8)

# What the maps may choose among; working size and smoothing are read off them.
CHOICES = tuple(
    Reading(200, frequency, bins, exponent, per_channel, weights, smoothing=8, smooth_each=each)
    for frequency, bins, exponent, per_channel, weights, each in product(
        (0.2, 0.25, 0.3), (11, 64, 256), (1.0, 2.0), (False, True), ("rank", "efficiency", "both"), (False, True)
    )
)


def map_of(image: Pixels, reading: Reading) -> FloatMap:
    """Return the map that a reading gives, at the image's size."""
    smoothing = reading.smoothing if reading.smooth_each else 1
    low, medium = [], []
    for component, responses in _features(
        image.tobytes(), image.shape, reading.working_size, reading.max_frequency, reading.real_part
    ):
        maps = [[measured(m, reading.bins, reading.exponent, smoothing) for m in of_scale] for of_scale in responses]
        textures = [stretch(fused(of_scale, reading.weights)) for of_scale in maps]
        low.append(measured(component, reading.bins, reading.exponent, smoothing))
        medium.append(stretch(fused(textures, reading.weights)))
    if reading.per_channel:
        channels = [a + b for a, b in zip(low, medium, strict=True)]
        saliency = fused([stretch(c) for c in channels] if reading.stretch_channels else channels, reading.weights)
    else:
        saliency = fused([stretch(fused(maps, reading.weights)) for maps in (low, medium)], reading.weights)
    if not reading.smooth_each:
        saliency = box_mean(saliency, reading.smoothing)
    return _enlarge(saliency, image.shape[:2])


def measured(values: FloatMap, bins: int, exponent: float, smoothing: int) -> FloatMap:
    """Return the rarity of a map, raised to a power and averaged: (h, w) float32 in 0..1."""
    found = rarity(values, LEVELS, bins)
    if exponent != 1:
        found = found ** np.float32(exponent)
    return stretch(box_mean(found, smoothing)) if smoothing > 1 else found


def fused(maps: Sequence[FloatMap], weights: Weights) -> FloatMap:
    """Return the weighted sum of maps; those below the threshold of the best efficiency weigh nothing."""
    efficiencies = efficiencies_of(maps)
    factors = np.ones(len(maps))
    if weights != "efficiency":
        factors[np.argsort(efficiencies, kind="stable")] = np.arange(1, len(maps) + 1) / len(maps)
    if weights != "rank":
        factors *= efficiencies
    factors[efficiencies < THRESHOLD * efficiencies.max()] = 0
    found: FloatMap = np.tensordot(factors.astype(np.float32), np.stack(maps), axes=1)
    return found


def efficiencies_of(maps: Sequence[FloatMap]) -> npt.NDArray[np.float64]:
    """Return (max - mean)^2 of each map."""
    return np.array([(float(m.max()) - float(m.mean(dtype=np.float64))) ** 2 for m in maps])


@lru_cache(maxsize=8)
def _features(
    content: bytes, shape: tuple[int, int, int], size: int | None, max_frequency: float, real_part: bool
) -> list[tuple[FloatMap, FloatMap]]:
    """Return of each colour component its values and its Gabor responses: (h, w), (scales, orientations, h, w)."""
    colors = np.moveaxis(np.frombuffer(content, np.uint8).reshape(shape) / 255.0, -1, 0)
    if size:
        colors = imresize(np.ascontiguousarray(colors), (size, size))
    bank = GaborBank(SCALES, ORIENTATIONS, max_frequency)
    components = principal_components(colors).astype(np.float32)
    return [(c, _real_parts(bank, c) if real_part else bank.magnitudes(c)) for c in components]


def _real_parts(bank: GaborBank, values: FloatMap) -> FloatMap:
    """Return the real parts of the responses: (frequencies, orientations, h, w) float32."""
    height, width = values.shape
    shape = (height + bank.reach, width + bank.reach)
    spectrum = np.fft.fft2(values, s=shape)
    parts = [
        [np.fft.ifft2(spectrum * bank.transfer(s, o, shape)).real[:height, :width] for o in range(bank.orientations)]
        for s in range(bank.frequencies)
    ]
    return np.array(parts, np.float32)
