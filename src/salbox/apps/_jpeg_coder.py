"""JPEG with attention: each block's coefficients rounded to what is worth its bits there.

A decoder knows one quantization for all blocks. What an encoder may choose is which whole number each coefficient
becomes: here the one that makes `weight * squared error + strength * bits` least, so that blocks which nobody looks at
lose their fine detail, and the bits buy a higher quality for the whole file. Any decoder reads it.

Where hardly anybody looks `weight` may have a second part, by what an error takes from structural similarity there:
less in texture than in what is nearly flat.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ..types import FloatMap
from ._blocks import SIDE, block_means, padded, to_blocks, to_plane
from ._coders import C2, Coder, Way, saved, strip_rows
from ._jpeg_tables import even_tables, finer_quality, libjpeg_tables

_UNIT = 2 * SIDE  # pixels that a block of halved colour covers along a side
_MIDDLE = 128

# Bits of a whole number k in Huffman's code, about: its category, with the zeros before it, and its digits.
_FIRST, _EACH = 3.5, 1.6

# How many times finer a file's steps are than those of the plain file beside it, how much what hardly anybody looks at
# is spared, and the level that is about right for a file of the same size. On photos of the training parts they stood
# in this order: the truest where people look first, which least often keeps the rest a picture.
_WAYS = (
    (3.2, 0.0, 190),
    (2.6, 0.0, 207),
    (3.2, 0.1, 177),
    (2.6, 0.1, 191),
    (3.2, 0.25, 166),
    (2.6, 0.25, 180),
    (1.6, 0.8, 230),
    (2.0, 0.1, 215),
    (1.6, 0.25, 250),
    (1.25, 0.0, 290),
)
# From so many times finer on, steps are made more even and slopes kept: what is hardly finer takes little from slopes,
# and where all is soft, as in large photos, libjpeg's steps are the better ones.
_EVEN_FROM = 1.5
_SLOPES, _LEAST_OF_SLOPES = ((0, 1), (1, 0), (1, 1)), 2.0  # coefficients, and what an error of theirs counts at least
_APART = 2  # what is so close in quality to another way that spares as much is no way of its own
_TEXTURE, _MOST_STRUCTURE = 500.0, 4.0  # variance of brightness in a block of middling texture
# Levels of strength: each a thirtieth below the one before, from what leaves hardly more than the blocks' means.
_GREATEST, _RATIO, _LEVELS = 100.0, 1 / 30, 420
_SLOPE = 0.01  # by how much the logarithm of a file's bytes rises a level, about


class JpegCoder(Coder):
    """Baseline JPEG, colour at half the size, progressive, Huffman tables made for the picture."""

    compared = 2

    def plain(self, quality: int) -> bytes:
        """Return the file of libjpeg-turbo."""
        image = Image.fromarray(self.picture.pixels)
        return self._saved(image.convert("L") if self.picture.is_gray else image, quality=quality)

    def ways(self, quality: int) -> list[Way]:
        """Return ways of higher qualities, whose levels are strengths."""
        taken: list[tuple[int, float]] = []
        found = []
        for times, sparing, first in _WAYS:
            raised = finer_quality(quality, times)
            if raised > quality and not any(abs(raised - have) < _APART and sparing == of for have, of in taken):
                taken.append((raised, sparing))
                found.append(self._way(raised, sparing, first, is_even=times > _EVEN_FROM))
        return found

    def _way(self, quality: int, sparing: float, first: int, *, is_even: bool) -> Way:
        tables, slopes = (even_tables(quality), _LEAST_OF_SLOPES) if is_even else (libjpeg_tables(quality), 0.0)
        return Way(
            lambda level: self.encode(tables, _strength(level), sparing, slopes),
            0,
            _LEVELS,
            first,
            lambda level: (quality, _strength(level)),
            _SLOPE,
        )

    def encode(
        self, tables: list[FloatMap], strength: float, sparing: float = 0.0, slopes: float = _LEAST_OF_SLOPES
    ) -> bytes:
        """Return the file of tables with coefficients rounded by attention, the more so the greater the strength.

        Where hardly anybody looks errors count more by `sparing` times what they take from structural similarity; those
        of slopes count `slopes` at least.
        """
        height, width = self.picture.pixels.shape[:2]
        image = Image.new("L" if len(self._planes) == 1 else "YCbCr", (width, height))
        weights = self._weights + np.float32(sparing) * self._structure if sparing else self._weights
        for rows in strip_rows(self._planes[0].shape[0]):
            blocks = slice(rows.start // SIDE, -(-rows.stop // SIDE))
            found = self._rounded_rows(rows, tables, weights[blocks], strength, slopes)[:, :width]
            image.paste(Image.fromarray(found, image.mode), (0, rows.start))
        qtables = [table.astype(int).ravel().tolist() for table in tables[: len(self._planes)]]
        return self._saved(image, qtables=qtables)

    def _rounded_rows(
        self, rows: slice, tables: list[FloatMap], weights: FloatMap, strength: float, slopes: float
    ) -> npt.NDArray[np.uint8]:
        """Return some rows with coefficients rounded by attention, whole blocks: (h, w) or (h, w, 3) uint8."""
        bright, color = tables
        bit_cost = strength * float(np.square(bright).mean())
        coarse = block_means(weights, 2)
        channels = []
        for channel, plane in enumerate(self._planes):
            scale, table, counts = (1, bright, weights) if channel == 0 else (2, color, coarse)
            part = plane[rows.start // scale : rows.stop // scale].astype(np.float32)
            blocks = to_blocks(part - _MIDDLE)
            # The encoder finds the same whole numbers again: it does the same to what is rounded to pixels.
            values = to_plane(_rounded(blocks, table, counts, bit_cost, slopes) * table[:, None, :]) + _MIDDLE
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

    @cached_property
    def _structure(self) -> FloatMap:
        """What a squared error takes from structural similarity in blocks where hardly anybody looks; 0 elsewhere.

        That of a block is about 1 - error / (2 variance + C2): in texture an error is seen less. It is 1 in a block of
        `_TEXTURE`, and has a limit, for next to nothing is what flat blocks have of it.
        """
        rows, columns = self._weights.shape
        found = np.zeros((rows, columns), np.float32)
        for strip in strip_rows(rows * SIDE):
            blocks = slice(strip.start // SIDE, strip.stop // SIDE)
            part = self._planes[0][strip].astype(np.float32).reshape(-1, SIDE, columns, SIDE)
            found[blocks] = np.minimum((2 * _TEXTURE + C2) / (2 * part.var((1, 3)) + C2), _MOST_STRUCTURE)
        have = self._elsewhere
        return found * np.pad(have, ((0, rows - have.shape[0]), (0, columns - have.shape[1])))

    def _saved(self, image: Image.Image, **tables: Any) -> bytes:
        """Return a picture as a file of a `quality` or of `qtables`."""
        options: dict[str, Any] = {"subsampling": "4:2:0"} if image.mode != "L" else {}
        return saved(image, "JPEG", optimize=True, progressive=True, **tables, **options, **self.picture.extra)


def _strength(level: int) -> float:
    return float(_GREATEST * np.exp(-_RATIO * level))


def _halved(plane: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a plane of half the size, the mean of each four pixels."""
    part = plane.astype(np.uint16)
    total = part[0::2, 0::2] + part[1::2, 0::2] + part[0::2, 1::2] + part[1::2, 1::2]
    # As libjpeg has it, so that halves are rounded up as often as down.
    rounding = 1 + np.arange(plane.shape[1] // 2, dtype=np.uint16) % 2
    return ((total + rounding) // 4).astype(np.uint8)


def _rounded(
    blocks: npt.NDArray[np.float32], table: FloatMap, weights: FloatMap, bit_cost: float, slopes: float
) -> npt.NDArray[np.float32]:
    """Return coefficients in steps of a table, whole numbers whose error and bits together cost least.

    Tried are the nearest whole number, the one below it, the largest of the next shorter category, and 0. A step
    between blocks would be seen: means of blocks stay, and errors of the slopes within them may count much everywhere.

    Parameters
    ----------
    blocks : (h, 8, w, 8) float32
    table : (8, 8) float32
    weights : (h, w) float32
    bit_cost : float
        What a bit costs, in squared error.
    slopes : float
        What errors of `_SLOPES` count at least.
    """
    steps = blocks / table[:, None, :]
    whole = np.rint(steps)
    if bit_cost <= 0:
        return whole
    size = np.abs(whole)
    means = whole[:, 0, :, 0].copy()
    # Most of what is not 0 is 1, whose only other choice is 0: that saves its bits where they cost more than the error
    # grows by, exact^2 - (exact - 1)^2 = 2 exact - 1.
    error_costs = weights[:, None, :, None] * np.square(table)[:, None, :]
    for down, across in _SLOPES:
        error_costs[:, down, :, across] = np.maximum(weights, slopes) * table[down, across] ** 2
    worth = (1 + _FIRST * bit_cost / error_costs) / 2
    whole[(size == 1) & (np.abs(steps) < worth)] = 0
    row, v, column, u = np.nonzero(size > 1)
    exact, best = steps[row, v, column, u], whole[row, v, column, u]
    error_cost = error_costs[row, v, column, u]
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
