"""Bicubic resizing as Matlab's imresize defines it: antialiased when shrinking, borders mirrored.

Resizing is linear and separable, so an axis is resized by a product with a banded matrix. The matrices depend on
lengths alone; they are kept, cut into dense blocks that leave the zeros out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..types import FloatMap

Map64 = npt.NDArray[np.float64]

BLOCK = 32  # outputs in a block
# Multiplications up to which OpenBLAS keeps a matrix product on the calling thread. Its own threads, once woken, go on
# spinning for a while on the cores that the algorithms' threads need.
SERIAL = 1 << 18


@dataclass(frozen=True)
class Band:
    """A (outputs, inputs) matrix whose row i is zero outside `first[i]` .. `first[i] + taps - 1`.

    Attributes
    ----------
    first : (outputs,) int
    weights : (outputs, taps) float64, rows sum to 1
    """

    first: npt.NDArray[np.intp]
    weights: Map64

    def block(self, outputs: slice, inputs: slice) -> Map64:
        """Return the dense part of the matrix at rows `outputs` and columns `inputs`."""
        first, weights = self.first[outputs], self.weights[outputs]
        columns = first[:, None] + np.arange(weights.shape[1]) - inputs.start
        rows, taps = np.nonzero((columns >= 0) & (columns < inputs.stop - inputs.start))
        dense = np.zeros((len(first), inputs.stop - inputs.start))
        dense[rows, columns[rows, taps]] = weights[rows, taps]
        dense.flags.writeable = False
        return dense


@dataclass(frozen=True)
class Block:
    """A dense part of a resizing matrix: which outputs it makes of which inputs."""

    outputs: slice
    inputs: slice
    weights: Map64


@lru_cache(maxsize=64)
def band(length: int, new_length: int, scale: float | None = None) -> Band:
    """Return the matrix that resizes an axis.

    Parameters
    ----------
    length, new_length : int
    scale : float, optional
        Places the samples and widens the kernel; `new_length / length` unless given. Matlab takes the scale itself
        where it is called with one, although the rounded-up length does not fit it.
    """
    scale = new_length / length if scale is None else scale
    shrink = min(scale, 1.0)  # the kernel is as much wider
    taps = math.ceil(4 / shrink) + 2
    center = (np.arange(new_length) + 0.5) / scale - 0.5
    left = np.floor(center - 2 / shrink).astype(np.intp)
    index = left[:, None] + np.arange(taps)
    weights = _cubic(shrink * (center[:, None] - index))
    weights /= weights.sum(axis=1, keepdims=True)
    # Mirror at both ends, the border sample included, as often as a kernel wider than the axis needs.
    index %= 2 * length
    index = np.where(index < length, index, 2 * length - 1 - index)
    window = min(taps, length)
    first = np.clip(left, 0, length - window)
    folded = np.zeros((new_length, window))
    np.add.at(folded, (np.arange(new_length)[:, None], index - first[:, None]), weights)
    return Band(first, folded)


@lru_cache(maxsize=64)
def row_blocks(length: int, new_length: int, scale: float | None = None) -> tuple[Block, ...]:
    """Return the resizing matrix cut by outputs: together they make the new axis."""
    matrix = band(length, new_length, scale)
    blocks = []
    for start in range(0, new_length, BLOCK):
        outputs = slice(start, min(start + BLOCK, new_length))
        first = matrix.first[outputs]
        inputs = slice(int(first.min()), int(first.max()) + matrix.weights.shape[1])
        blocks.append(Block(outputs, inputs, matrix.block(outputs, inputs)))
    return tuple(blocks)


@lru_cache(maxsize=8)
def input_blocks(length: int, new_length: int, scale: float | None, strip: int) -> tuple[Block, ...]:
    """Return the resizing matrix cut by inputs, `strip` at a time: products with all strips sum to the whole."""
    matrix = band(length, new_length, scale)
    last = matrix.first + matrix.weights.shape[1]
    blocks = []
    for start in range(0, length, strip):
        inputs = slice(start, min(start + strip, length))
        reached = np.flatnonzero((matrix.first < inputs.stop) & (last > inputs.start))
        outputs = slice(int(reached[0]), int(reached[-1]) + 1) if len(reached) else slice(0, 0)
        blocks.append(Block(outputs, inputs, matrix.block(outputs, inputs)))
    return tuple(blocks)


def imresize(maps: Map64, shape: tuple[int, int], scale: float | None = None) -> Map64:
    """Return maps resized by bicubic interpolation: (..., *shape) float64.

    Parameters
    ----------
    maps : (..., h, w) float64
    shape : (int, int)
        New height and width.
    scale : float, optional
        The scale of both axes where it is not the ratio of the lengths.

    Notes
    -----
    The kernel is Keys' with a = -1/2 (IEEE Trans. Acoustics, Speech, and Signal Processing 29(6), 1981), stretched
    by 1 / scale when shrinking, its weights normalised at every output.
    """
    height, width = maps.shape[-2:]
    if (
        shape[0] * height * width + shape[0] * width * shape[1]
        < height * width * shape[1] + shape[0] * height * shape[1]
    ):
        return resize_columns(resize_rows(maps, shape[0], scale), shape[1], scale)
    return resize_rows(resize_columns(maps, shape[1], scale), shape[0], scale)


def resize_rows(maps: Map64, new_height: int, scale: float | None = None) -> Map64:
    """Return maps with the second-last axis resized: (..., new_height, w) float64."""
    out = np.empty((*maps.shape[:-2], new_height, maps.shape[-1]))
    for b in row_blocks(maps.shape[-2], new_height, scale):
        serial_product(b.weights, maps[..., b.inputs, :], out[..., b.outputs, :])
    return out


def resize_columns(maps: Map64, new_width: int, scale: float | None = None) -> Map64:
    """Return maps with the last axis resized: (..., h, new_width) float64."""
    return resize_rows(maps.swapaxes(-1, -2), new_width, scale).swapaxes(-1, -2)


def enlarge_stretched(values: Map64, shape: tuple[int, int], *, subtract_minimum: bool) -> FloatMap:
    """Return a map resized and divided by its maximum, or stretched to 0..1 if `subtract_minimum`: float32.

    Made a few rows at a time, twice, once for the extremes and once for the result: for a large image both cheaper
    and smaller than the whole in double precision. A map without range becomes one value in 0..1.
    """
    low, high = math.inf, -math.inf
    for _, strip in _row_strips(values, shape):
        low, high = min(low, float(strip.min())), max(high, float(strip.max()))
    bottom = low if subtract_minimum else 0.0
    if high <= bottom:
        return np.full(shape, min(max(high, 0.0), 1.0), np.float32)
    out = np.empty(shape, np.float32)
    for rows, strip in _row_strips(values, shape):
        strip -= bottom
        np.divide(strip, high - bottom, out=out[rows], casting="same_kind")
    return out


def _row_strips(values: Map64, shape: tuple[int, int]) -> Iterator[tuple[slice, Map64]]:
    """Yield a resized map some rows at a time, always in the same memory."""
    wide = resize_columns(values, shape[1])
    strip = np.empty((BLOCK, shape[1]))
    for b in row_blocks(values.shape[0], shape[0]):
        part = strip[: b.weights.shape[0]]
        serial_product(b.weights, wide[b.inputs], part)
        yield b.outputs, part


def serial_product(weights: Map64, values: Map64, out: Map64) -> None:
    """Write weights @ values to `out`, in parts small enough to stay on this thread: (m, k) @ (..., k, n)."""
    step = max(1, SERIAL // weights.size)
    for start in range(0, values.shape[-1], step):
        part = slice(start, start + step)
        np.matmul(weights, values[..., part], out=out[..., part])


def _cubic(x: Map64) -> Map64:
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
