"""Coders that spend fewer bits where nobody looks: what they share, and how far a file is from its picture."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ..imaging.opening import opened
from ..types import FloatMap, Pixels
from ._blocks import SIDE
from .attention import Attention

FileFormat = Literal["jpeg", "webp", "avif"]

FLOOR = 0.1  # weight of a block that gets no attention at all, where the mean block's is 1
STRIP = 256  # rows that are worked on at a time, so that floating-point copies of large pictures stay small


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
        What else goes into the file: `exif` and `icc_profile`, as Pillow takes them.
    """

    pixels: Pixels
    weights: FloatMap
    alpha: npt.NDArray[np.uint8] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_gray(self) -> bool:
        """Whether no pixel has a colour."""
        return all(np.array_equal(self.pixels[:, :, 0], self.pixels[:, :, channel]) for channel in (1, 2))


@dataclass(frozen=True)
class Errors:
    """Mean squared errors of a file's pixels over all of RGB: by attention, and as they are."""

    weighted: float
    plain: float


class Coder(ABC):
    """Writes one picture as a file of one format, plainly or with what nobody looks at coarser.

    Attributes
    ----------
    rises : tuple of int
        By how much a file's quality may be above the plain file's of the same size, largest first.
    """

    rises: ClassVar[tuple[int, ...]]

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    @abstractmethod
    def plain(self, quality: int) -> bytes:
        """Return the file that the format's encoder makes by itself at a quality, 1 to 100."""

    @abstractmethod
    def encode(self, quality: int, strength: float) -> bytes:
        """Return the file at a quality with less of what nobody looks at, the less the greater the strength above 0."""

    def errors(self, data: bytes) -> Errors:
        """Return how far a file of the picture is from it."""
        with opened(data, max_pixels=self.picture.weights.size * SIDE**2) as file:
            decoded = np.asarray(file.decoded().convert("RGB"))
        weighted = plain = total = 0.0
        for rows, weights in strips(self.picture):
            difference = self.picture.pixels[rows].astype(np.int16) - decoded[rows]
            squared = np.square(difference, dtype=np.float32).mean(2)
            if self.picture.alpha is not None:
                squared *= self.picture.alpha[rows] > 0  # what is not seen has no colour
            weighted += float((squared * weights).sum(dtype=np.float64))
            plain += float(squared.sum(dtype=np.float64))
            total += float(weights.sum(dtype=np.float64))
        return Errors(weighted / total, plain / self.picture.pixels[:, :, 0].size)


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
    """Yield the rows of a picture, some at a time, with the weights of their pixels, (rows, W) float32."""
    height, width = picture.pixels.shape[:2]
    for start in range(0, height, STRIP):
        blocks = picture.weights[start // SIDE : -(-min(start + STRIP, height) // SIDE)]
        weights = np.repeat(np.repeat(blocks, SIDE, 0), SIDE, 1)
        yield slice(start, min(start + STRIP, height)), weights[: min(STRIP, height - start), :width]


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
