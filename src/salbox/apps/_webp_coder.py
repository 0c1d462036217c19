"""WebP with attention, in one of two ways.

With the extra `video`, libvpx codes the picture in the place of libwebp, in four regions with quantizers of their own.
Without it, with transparency, and of pictures above 16 megapixels, libwebp gets a picture in which blocks that nobody
looks at are taken from files of lower qualities, decoded: what an encoder has rounded once costs it little the next
time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ..types import DoubleMap, Pixels
from ._blocks import SIDE, block_means
from ._coders import Picture, Way, saved
from ._steered_coder import SteeredCoder
from ._vp8 import INDICES, SEGMENTS, Rectangle, Region, encoded, planes_of, rectangles_of, takes_regions
from ._webp_file import with_frame
from .enlarging import bands

# How many times coarser than those of the plain file the quantizers of the files are that blocks are taken from.
_COARSER = (1.0, 1.4, 2.0, 2.8, 4.0, 5.6)
_BLOCK = 2 * SIDE  # pixels a side of what WebP quantizes alike
# Where VP8's table of steps (RFC 6386, 14.1) bends, about, and the steps there.
_INDICES, _STEPS = (0, 54, 83, 96, 127), (4, 58, 116, 155, 284)
_COARSEST = 280.0  # step of quality 0, about

# Pixels of which libvpx surely codes all blocks' modes in the 512 KB that the format has for them (RFC 6386, 9.1): it
# writes damaged files of more, and takes 40 bytes a pixel.
_MOST_IN_REGIONS = 1 << 24
_STEERED = (0.75, 0.5, 0.25)  # strengths of regions
_COMMON = 1  # of the regions, by their weights: what libvpx takes an error and a bit to be worth is this one's alone
_FINEST, _RATIO, _LEVELS = 4.0, 1 / 40, 200  # steps of a region of mean weight: levels are a fortieth finer each
_HIGHER = 16  # levels above the plain file's that the first is
_CELLS = 96  # of regions along a side, at most: attention is no finer
_ROUNDS = 10


class WebpCoder(SteeredCoder):
    """WebP: plainly by libwebp, with attention by libvpx or by libwebp's most thorough method."""

    strengths = (1.0, 0.8, 0.6, 0.4)
    near = 0.955  # a level of regions is 2.5 % of the bytes

    def __init__(self, picture: Picture) -> None:
        super().__init__(picture)
        self._coarser_files: dict[int, bytes] = {}

    def plain(self, quality: int) -> bytes:
        """Return the file of libwebp."""
        return self._saved(self.with_alpha(self.picture.pixels), quality, 4)

    def ways(self, quality: int) -> list[Way]:
        """Return the ways: a strength each, whose levels are quantizers' steps or libwebp's qualities."""
        too_large = self.picture.pixel_count > _MOST_IN_REGIONS
        if self.picture.alpha is not None or too_large or not takes_regions():
            return super().ways(quality)
        first = min(_level_of(step_of(quality)) + _HIGHER, _LEVELS)

        def way(strength: float) -> Way:
            return Way(
                lambda level: self.in_regions(strength, _step(level)),
                0,
                _LEVELS,
                first,
                lambda level: (quality_of(_step(level)), strength),
            )

        return [way(strength) for strength in _STEERED]

    def in_regions(self, strength: float, step: float) -> bytes:
        """Return the file whose quantizers' steps are `step / sqrt(weight)^strength`, in four regions."""
        logs, _ = self._regions
        wanted = index_of(step * np.exp(-strength / 2 * logs))
        common = min(_COMMON, len(logs) - 1)
        quantizer = int(np.abs(INDICES - wanted[common]).argmin())
        regions = []
        for label in range(len(logs)):
            change = float(wanted[label] - INDICES[quantizer])
            steps = int(np.abs(INDICES - abs(change)).argmin()) * (1 if change > 0 else -1)
            if label != common and steps:  # three regions are all that there may be
                regions.append(Region(self._rectangles[label], steps))
        shape = self.picture.pixels.shape[:2]
        return with_frame(self._container, encoded(self._planes, shape, quantizer, regions), shape)

    @cached_property
    def _planes(self) -> npt.NDArray[np.uint8]:
        return planes_of(self.picture.pixels)

    @cached_property
    def _container(self) -> bytes:
        """A file with all that belongs to the picture, and another picture in it."""
        return saved(Image.new("RGB", (_BLOCK, _BLOCK)), "WEBP", **self.picture.extra)

    @cached_property
    def _cell(self) -> int:
        """How many macroblocks a cell of the regions has along a side."""
        return -(-max(self.picture.weights.shape) // (2 * _CELLS))

    @cached_property
    def _regions(self) -> tuple[DoubleMap, npt.NDArray[np.intp]]:
        """The logarithms of regions' weights, and which region each cell lies in: those nearest in the logarithm."""
        values = np.log(block_means(self.picture.weights, 2 * self._cell).astype(np.float64))
        centers = np.unique(np.quantile(values, (np.arange(SEGMENTS) + 0.5) / SEGMENTS))
        for _ in range(_ROUNDS):
            labels = np.abs(values[..., None] - centers).argmin(-1)
            counts = np.bincount(labels.ravel(), minlength=len(centers))
            sums = np.bincount(labels.ravel(), values.ravel(), len(centers))
            centers = np.where(counts > 0, sums / np.maximum(counts, 1), centers)
        return centers, np.abs(values[..., None] - centers).argmin(-1)

    @cached_property
    def _rectangles(self) -> list[list[Rectangle]]:
        """What each region covers."""
        logs, labels = self._regions
        return [rectangles_of(labels == label, _BLOCK * self._cell) for label in range(len(logs))]

    def steered(self, strength: float, quality: int) -> Callable[[int], bytes]:
        """Return what encodes the picture with blocks out of coarser files; see `SteeredCoder.steered`."""
        image = self.with_alpha(self.coarse(strength, quality))
        return lambda each: self._saved(image, each, 6)

    def coarse(self, strength: float, quality: int) -> Pixels:
        """Return the picture with each block from the file whose quantizer its weight asks for."""
        wanted = self._levels(strength)
        levels = [level for level in range(1, len(_COARSER)) if (wanted == level).any()]
        coarser = [quality_of(min(step_of(quality) * _COARSER[level], _COARSEST)) for level in levels]
        files = [self._coarser_file(each) for each in coarser]
        pixels = self.picture.pixels.copy()  # once the encoder, which takes twice as much, is done
        height, width = pixels.shape[:2]
        for level, file in zip(levels, files, strict=True):
            found = self.decoded(file)
            for top, bottom in bands((height, width)):
                is_chosen = wanted[np.arange(top, bottom) // _BLOCK][:, np.arange(width) // _BLOCK] == level
                np.copyto(pixels[top:bottom], found(slice(top, bottom)), where=is_chosen[..., None])
        return pixels

    def decoded(self, data: bytes) -> Callable[[slice], Pixels]:
        """Return what gives rows of a file: by OpenCV, for Pillow takes 16 bytes a pixel for WebP, as if it moved."""
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if found is None:  # built without WebP
            return super().decoded(data)
        return lambda rows: cv2.cvtColor(found[rows], cv2.COLOR_BGR2RGB)

    def _coarser_file(self, quality: int) -> bytes:
        """Return the picture without its transparency at a quality, made once: each strength takes blocks of it."""
        if quality not in self._coarser_files:
            image = Image.fromarray(self.picture.pixels)
            self._coarser_files[quality] = saved(image, "WEBP", quality=quality)
        return self._coarser_files[quality]

    def _levels(self, strength: float) -> npt.NDArray[np.intp]:
        """Return which of `_COARSER` each block asks for: an error costs the same if steps go by 1 / sqrt(weight)."""
        height, width = self.picture.weights.shape
        even = np.pad(self.picture.weights, ((0, height % 2), (0, width % 2)), mode="edge")
        most = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).max((1, 3))
        times = np.log(np.clip(strength / np.sqrt(most), 1, _COARSER[-1]))
        return np.abs(times[..., None] - np.log(_COARSER)).argmin(-1)

    def _saved(self, image: Image.Image, quality: int, method: int) -> bytes:
        return saved(image, "WEBP", quality=quality, method=method, **self.picture.extra)


def step_of(quality: float) -> float:
    """Return about the quantizer's step at a quality: libwebp's own formula, VP8's table."""
    linear = quality / 100
    compression = (linear * 2 / 3 if linear < 0.75 else 2 * linear - 1) ** (1 / 3)
    return float(np.interp(127 * (1 - compression), _INDICES, _STEPS))


def index_of(steps: DoubleMap) -> DoubleMap:
    """Return the places of steps in VP8's table, as fractions."""
    places: DoubleMap = np.interp(steps, _STEPS, _INDICES)
    return places


def quality_of(step: float) -> int:
    """Return the quality whose step is nearest."""
    return int(np.argmin([abs(step_of(quality) - step) for quality in range(101)]))


def _step(level: int) -> float:
    return float(_FINEST * np.exp(_RATIO * (_LEVELS - level)))


def _level_of(step: float) -> int:
    return round(_LEVELS - np.log(step / _FINEST) / _RATIO)
