"""Coders that spend fewer bits where nobody looks: what they share, and how far a file is from its picture."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ..imaging.opening import MAX_PIXELS, opened
from ..types import FloatMap, Pixels
from ._blocks import SIDE
from ._searches import SLOPE
from .attention import Attention

FileFormat = Literal["jpeg", "webp", "avif"]

FLOOR = 0.1  # weight of a block that gets no attention at all, where the mean block's is 1
BEST_QUALITY = 95  # what is above it costs bytes that nobody sees
LOOKED_AT = 0.8  # of attention: what lies outside the fewest blocks that hold it is where hardly anybody looks
STRIP = 256  # rows that are worked on at a time, so that floating-point copies of large pictures stay small
_C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True)
class Picture:
    """A picture to be coded.

    Attributes
    ----------
    pixels : (H, W, 3) uint8 RGB
    weights : (ceil(H / 8), ceil(W / 8)) float32
        What a squared error in each block of 8 x 8 pixels counts, 1 on average; see `block_weights`.
    alpha : (H, W) uint8, optional
        Kept as it is by formats that have transparency.
    extra : mapping
        What else goes into the file: `exif`, `icc_profile` and `xmp`, as Pillow takes them.
    sample_of : int
        How many pixels the picture has of which this is a sample; 0 of one that is whole.
    """

    pixels: Pixels
    weights: FloatMap
    alpha: npt.NDArray[np.uint8] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    sample_of: int = 0

    @property
    def pixel_count(self) -> int:
        """How many pixels the whole picture has."""
        return self.sample_of or self.pixels.shape[0] * self.pixels.shape[1]

    @property
    def is_gray(self) -> bool:
        """Whether no pixel has a colour."""
        return all(np.array_equal(self.pixels[:, :, 0], self.pixels[:, :, channel]) for channel in (1, 2))


@dataclass(frozen=True)
class Errors:
    """How far a file is from its picture.

    Attributes
    ----------
    weighted, plain : float
        Mean squared errors of pixels over all of RGB, by attention and as they are.
    looked_at, elsewhere : float
        The structural similarity of the brightness (see `similarity`), by attention and where hardly anybody looks; 1
        where there are no whole blocks.
    """

    weighted: float
    plain: float
    looked_at: float
    elsewhere: float


@dataclass(frozen=True)
class Way:
    """One way to make files of a picture with the bits where people look.

    Attributes
    ----------
    encode : callable
        Gives the file of a level: the higher, the larger and the truer.
    low, high : int
        The lowest and the highest level.
    first : int
        The level to try first.
    made_by : callable
        Gives the encoder's quality of a level, and the strength: how much is taken from what nobody looks at.
    slope : float
        By how much the logarithm of a file's bytes rises a level, about.
    """

    encode: Callable[[int], bytes]
    low: int
    high: int
    first: int
    made_by: Callable[[int], tuple[int, float]]
    slope: float = SLOPE


class Coder(ABC):
    """Writes one picture as a file of one format, plainly or with what nobody looks at coarser.

    Attributes
    ----------
    near : float
        What share of the bytes that a large picture may have is near enough.
    compared : int
        How many ways that keep what has to be kept are compared, to take the one that is truest where people look. 1
        where the ways stand in that order for any picture.
    """

    near: ClassVar[float] = 0.98
    compared: ClassVar[int] = 1

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._judged: tuple[bytes, Errors] | None = None

    @abstractmethod
    def plain(self, quality: int) -> bytes:
        """Return the file that the format's encoder makes by itself at a quality, 1 to 100."""

    @abstractmethod
    def ways(self, quality: int) -> list[Way]:
        """Return the ways to make a file beside the plain one of a quality, the one most by attention first."""

    def errors(self, data: bytes) -> Errors:
        """Return how far a file of the picture is from it; those of the last file are remembered."""
        if self._judged is None or self._judged[0] is not data:
            self._judged = data, self._errors(data)
        return self._judged[1]

    def decoded(self, data: bytes) -> Callable[[slice], Pixels]:
        """Return what gives rows of a file of the picture: (h, W, 3) uint8 RGB."""
        # While a file is opened, Pillow's limit, which other threads' pictures are held to as well, is this one.
        with opened(data, max_pixels=max(MAX_PIXELS, self.picture.weights.size * SIDE**2)) as file:
            image = file.decoded()
        return lambda rows: np.asarray(image.crop((0, rows.start, image.width, rows.stop)).convert("RGB"))

    def _errors(self, data: bytes) -> Errors:
        height, width = self.picture.pixels.shape[:2]
        weighted = plain = 0.0
        alike: list[FloatMap] = []
        decoded = self.decoded(data)
        for rows, weights in strips(self.picture):
            found = decoded(rows)
            difference = cv2.absdiff(self.picture.pixels[rows], found)
            if self.picture.alpha is not None:
                difference *= self.picture.alpha[rows, :, None] > 0  # what is not seen has no colour
            squared = _block_sums(difference)
            weighted += float((squared * weights).sum(dtype=np.float64))
            plain += float(squared.sum(dtype=np.float64))
            alike.append(similarity(self.picture.pixels[rows], found))
        total = float((self.picture.weights * _block_areas(height, width)).sum(dtype=np.float64))
        blocks = np.concatenate(alike)
        whole = (slice(blocks.shape[0]), slice(blocks.shape[1]))
        looked_at = _mean(blocks, self.picture.weights[whole])
        elsewhere = _mean(blocks, self._elsewhere[whole].astype(np.float32))
        return Errors(weighted / total, plain / (height * width), looked_at, elsewhere)

    @cached_property
    def _elsewhere(self) -> npt.NDArray[np.bool_]:
        """The blocks where hardly anybody looks, as the weights are: outside the fewest that hold `LOOKED_AT` of it."""
        attention = np.maximum(self.picture.weights * (1 + FLOOR) - FLOOR, 0).ravel()
        order = attention.argsort()[::-1]
        held = np.cumsum(attention[order], dtype=np.float64)
        is_outside = held - attention[order] >= LOOKED_AT * held[-1]  # those before it hold that much already
        found = np.zeros(attention.size, np.bool_)
        found[order[is_outside]] = True
        return found.reshape(self.picture.weights.shape)


def similarity(one: Pixels, other: Pixels) -> FloatMap:
    """Return the structural similarity of the brightness in whole blocks of 8 x 8 pixels: (H // 8, W // 8) float32.

    Wang et al. 2004, equation 13, with even weights within a block and the constants of section III.C.
    """
    rows, columns = (side // SIDE for side in one.shape[:2])
    if not rows or not columns:
        return np.zeros((rows, columns), np.float32)
    x, y = (
        cv2.cvtColor(pixels[: rows * SIDE, : columns * SIDE], cv2.COLOR_RGB2GRAY).astype(np.float32)
        for pixels in (one, other)
    )

    def mean(values: FloatMap) -> FloatMap:
        # By whole numbers an area is the mean.
        return np.asarray(cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)

    mean_x, mean_y = mean(x), mean(y)
    variances = mean(x * x + y * y) - mean_x**2 - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    means = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    return np.asarray(means * (2 * covariance + C2) / (variances + C2), np.float32)


def _mean(values: FloatMap, weights: FloatMap) -> float:
    """Return a weighted mean; 1 where nothing has a weight."""
    total = float(weights.sum(dtype=np.float64))
    return float((values * weights).sum(dtype=np.float64)) / total if total > 0 else 1.0


def block_weights(attention: Attention) -> FloatMap:
    """Return what an error in each block of 8 x 8 pixels counts: (ceil(H / 8), ceil(W / 8)) float32, 1 on average.

    It is the attention that the block gets, and a floor: also what few look at must stay a picture.
    """
    rows, columns = (-(-side // SIDE) for side in attention.shape)
    is_smaller = rows * columns < attention.density.size
    method = cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR
    density = np.maximum(cv2.resize(attention.density.astype(np.float32), (columns, rows), interpolation=method), 0)
    weights: FloatMap = FLOOR + density / max(float(density.mean()), 1e-30)
    return weights / weights.mean()


def strips(picture: Picture) -> Iterator[tuple[slice, FloatMap]]:
    """Yield the rows of a picture, some at a time, with the weights of their blocks, (ceil(rows / 8), ceil(W / 8))."""
    for rows in strip_rows(picture.pixels.shape[0]):
        yield rows, picture.weights[rows.start // SIDE : -(-rows.stop // SIDE)]


def strip_rows(height: int) -> Iterator[slice]:
    """Yield all rows, `STRIP` at a time."""
    for start in range(0, height, STRIP):
        yield slice(start, min(start + STRIP, height))


def _block_sums(difference: Pixels) -> FloatMap:
    """Return the squared differences of pixels, (H, W, 3), added up in blocks, mean over colours: float32."""
    height, width = difference.shape[:2]
    below, right = -height % SIDE, -width % SIDE
    if below or right:
        difference = cv2.copyMakeBorder(difference, 0, below, 0, right, cv2.BORDER_CONSTANT)
    squared = np.square(difference, dtype=np.float32)
    size = (squared.shape[1] // SIDE, squared.shape[0] // SIDE)
    means = cv2.resize(squared, size, interpolation=cv2.INTER_AREA)
    return np.asarray(means.mean(2) * SIDE**2, np.float32)


def _block_areas(height: int, width: int) -> FloatMap:
    """Return how many pixels of a picture each block has: (ceil(H / 8), ceil(W / 8)) float32."""
    down, across = (np.minimum(SIDE, side - np.arange(0, side, SIDE)).astype(np.float32) for side in (height, width))
    return down[:, None] * across


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
