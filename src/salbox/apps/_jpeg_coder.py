"""JPEG with attention: each block's coefficients rounded to what is worth its bits there.

A decoder knows one quantization for all blocks. What an encoder may choose is which whole number each coefficient
becomes: here the one that makes `weight * squared error + strength * bits` least, so that blocks which nobody looks at
lose their fine detail, and the bits buy a higher quality for the whole file. Any decoder reads it.
"""

from __future__ import annotations

import io
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ..types import FloatMap
from ._blocks import SIDE, block_means, padded, to_blocks, to_plane
from ._coders import BEST_QUALITY, Coder, Way, saved, strip_rows

_UNIT = 2 * SIDE  # pixels that a block of halved colour covers along a side
_MIDDLE = 128

# Bits of a whole number k in Huffman's code, about: its category, with the zeros before it, and its digits.
_FIRST, _EACH = 3.5, 1.6

_RISES = (25, 15, 10, 5)  # by how much a file's quality is above that of the plain file beside it
_APART = 2  # what is so close to the highest quality, as it is near `BEST_QUALITY`, is no way of its own
# Levels of strength: each a thirtieth below the one before, from what leaves hardly more than the blocks' means.
_GREATEST, _RATIO, _LEVELS = 100.0, 1 / 30, 420
_FIRST_LEVEL = 220  # a strength of about 0.065


class JpegCoder(Coder):
    """Baseline quantization tables, colour at half the size, progressive, Huffman tables made for the picture."""

    def plain(self, quality: int) -> bytes:
        """Return the file of libjpeg-turbo."""
        image = Image.fromarray(self.picture.pixels)
        return self._saved(image.convert("L") if self.picture.is_gray else image, quality)

    def ways(self, quality: int) -> list[Way]:
        """Return a way for each higher quality, whose levels are strengths."""
        qualities = sorted({min(quality + rise, BEST_QUALITY) for rise in _RISES} - {quality}, reverse=True)
        qualities = [each for each in qualities if each == qualities[0] or each < qualities[0] - _APART]

        def way(raised: int) -> Way:
            return Way(
                lambda level: self.encode(raised, _strength(level)),
                0,
                _LEVELS,
                _FIRST_LEVEL,
                lambda level: (raised, _strength(level)),
            )

        return [way(raised) for raised in qualities]

    def encode(self, quality: int, strength: float) -> bytes:
        """Return the file at a quality with coefficients rounded by attention, the more so the greater the strength."""
        height, width = self.picture.pixels.shape[:2]
        image = Image.new("L" if len(self._planes) == 1 else "YCbCr", (width, height))
        tables = _tables(quality)
        for rows in strip_rows(self._planes[0].shape[0]):
            found = self._rounded_rows(rows, tables, strength)[:, :width]
            image.paste(Image.fromarray(found, image.mode), (0, rows.start))
        return self._saved(image, quality)

    def _rounded_rows(self, rows: slice, tables: list[FloatMap], strength: float) -> npt.NDArray[np.uint8]:
        """Return some rows with coefficients rounded by attention, whole blocks: (h, w) or (h, w, 3) uint8."""
        channels = []
        for channel, (plane, table) in enumerate(zip(self._planes, tables, strict=False)):
            scale = 1 if channel == 0 else 2
            weights = self._weights[rows.start // SIDE : -(-rows.stop // SIDE)]
            if scale > 1:
                weights = block_means(weights, scale)
            part = plane[rows.start // scale : rows.stop // scale].astype(np.float32)
            blocks = to_blocks(part - _MIDDLE)
            # The encoder finds the same whole numbers again: it does the same to what is rounded to pixels.
            values = to_plane(_rounded(blocks, table, weights, strength) * table[:, None, :]) + _MIDDLE
            found = np.clip(np.rint(values), 0, 255).astype(np.uint8)
            channels.append(np.repeat(np.repeat(found, scale, 0), scale, 1) if scale > 1 else found)
        return channels[0] if len(channels) == 1 else cv2.merge(channels)

    @cached_property
    def _planes(self) -> list[npt.NDArray[np.uint8]]:
        """Brightness, and the two colours at half the size, (h, w) in whole blocks."""
        pixels = self.picture.pixels
        if self.picture.is_gray:
            return [padded(pixels[:, :, 0], _UNIT)]
        height, width = (-(-side // _UNIT) * _UNIT for side in pixels.shape[:2])
        bright, *colors = (np.empty((height // scale, width // scale), np.uint8) for scale in (1, 2, 2))
        for rows in strip_rows(height):
            # Not by Pillow, which cuts digits off where libjpeg rounds: half a level of brightness.
            part = padded(cv2.cvtColor(pixels[rows], cv2.COLOR_RGB2YCrCb), _UNIT)
            bright[rows] = part[:, :, 0]
            for plane, channel in zip(colors, (2, 1), strict=True):
                plane[rows.start // 2 : rows.stop // 2] = _halved(part[:, :, channel])
        return [bright, *colors]

    @cached_property
    def _weights(self) -> FloatMap:
        """Those of the picture, for all blocks of the brightness."""
        rows, columns = (side // SIDE for side in self._planes[0].shape)
        have = self.picture.weights
        return np.pad(have, ((0, rows - have.shape[0]), (0, columns - have.shape[1])), mode="edge")

    def _saved(self, image: Image.Image, quality: int) -> bytes:
        options: dict[str, Any] = {"subsampling": "4:2:0"} if image.mode != "L" else {}
        return saved(image, "JPEG", quality=quality, optimize=True, progressive=True, **options, **self.picture.extra)


def _strength(level: int) -> float:
    return float(_GREATEST * np.exp(-_RATIO * level))


def _halved(plane: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a plane of half the size, the mean of each four pixels."""
    part = plane.astype(np.uint16)
    total = part[0::2, 0::2] + part[1::2, 0::2] + part[0::2, 1::2] + part[1::2, 1::2]
    # As libjpeg has it, so that halves are rounded up as often as down.
    rounding = 1 + np.arange(plane.shape[1] // 2, dtype=np.uint16) % 2
    return ((total + rounding) // 4).astype(np.uint8)


def _tables(quality: int) -> list[FloatMap]:
    """Return libjpeg's quantization tables of a quality, for brightness and twice for colour: (8, 8) float32 each.

    They are read from a file that Pillow writes; rows are vertical frequencies.
    """
    with Image.open(io.BytesIO(saved(Image.new("RGB", (SIDE, SIDE)), "JPEG", quality=quality))) as image:
        tables: dict[int, list[int]] = image.quantization  # type: ignore[attr-defined]
    return [np.array(tables[index], np.float32).reshape(SIDE, SIDE) for index in (0, 1, 1)]


def _rounded(
    blocks: npt.NDArray[np.float32], table: FloatMap, weights: FloatMap, strength: float
) -> npt.NDArray[np.float32]:
    """Return coefficients in steps of a table, whole numbers whose error and bits together cost least.

    Tried are the nearest whole number, the one below it, the largest of the next shorter category, and 0. Means of
    blocks stay: a step between blocks would be seen.

    Parameters
    ----------
    blocks : (h, 8, w, 8) float32
    table : (8, 8) float32
    weights : (h, w) float32
    strength : float
        What a bit costs, in squared steps of the table's average kind.
    """
    steps = blocks / table[:, None, :]
    whole = np.rint(steps)
    if strength <= 0:
        return whole
    size = np.abs(whole)
    means = whole[:, 0, :, 0].copy()
    bit_cost = strength * float(np.square(table).mean())
    # Most of what is not 0 is 1, whose only other choice is 0: that saves its bits where they cost more than the error
    # grows by, exact^2 - (exact - 1)^2 = 2 exact - 1.
    squares = np.square(table)
    worth = (1 + _FIRST * bit_cost / (squares[:, None, :] * weights[:, None, :, None])) / 2
    whole[(size == 1) & (np.abs(steps) < worth)] = 0
    row, v, column, u = np.nonzero(size > 1)
    exact, best = steps[row, v, column, u], whole[row, v, column, u]
    error_cost = weights[row, column] * squares[v, u]
    size, sign = np.abs(best), np.sign(best)
    shorter = np.exp2(np.floor(np.log2(size))) - 1
    lowest = error_cost * np.square(exact - best) + bit_cost * _bits(size)
    for candidate in (size - 1, shorter, np.zeros_like(size)):
        cost = error_cost * np.square(exact - sign * candidate) + bit_cost * _bits(candidate)
        best = np.where(cost < lowest, sign * candidate, best)
        lowest = np.minimum(cost, lowest)
    whole[row, v, column, u] = best
    whole[:, 0, :, 0] = means
    return whole


def _bits(size: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return about how many bits whole numbers take, of their sizes."""
    bits: npt.NDArray[np.float32] = np.where(size == 0, 0, _FIRST + _EACH * np.log2(np.maximum(size, 1)))
    return bits
