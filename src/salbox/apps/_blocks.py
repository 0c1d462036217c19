"""Planes of pixels as blocks of 8 x 8 cosine coefficients, as JPEG has them, and back."""

from __future__ import annotations

from functools import cache
from math import cos, gcd, pi, sqrt
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..types import FloatMap

SIDE = 8

Number = TypeVar("Number", bound=np.generic)

# JPEG's discrete cosine transform, ITU-T T.81, A.3.3, as a matrix whose inverse is its transpose.
_COSINES = np.array(
    [
        [sqrt((1 if k == 0 else 2) / SIDE) * cos((2 * n + 1) * k * pi / (2 * SIDE)) for n in range(SIDE)]
        for k in range(8)
    ],
    np.float32,
)


def padded(plane: npt.NDArray[Number], multiple: int) -> npt.NDArray[Number]:
    """Return a plane, (H, W) or (H, W, C), its last row and column repeated until both sides are multiples."""
    height, width = plane.shape[:2]
    margins = ((0, -height % multiple), (0, -width % multiple), *((0, 0) for _ in plane.shape[2:]))
    return np.pad(plane, margins, mode="edge")


def block_means(values: FloatMap, side: int) -> FloatMap:
    """Return the means of `side` x `side` numbers each, padded as above: (ceil(h / side), ceil(w / side)) float32."""
    whole = padded(values, side)
    height, width = whole.shape
    means: FloatMap = whole.reshape(height // side, side, width // side, side).mean((1, 3))
    return means


def to_blocks(plane: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return the coefficients of a plane, (h, w) in multiples of 8: (h / 8, 8, w / 8, 8) float32."""
    height, width = plane.shape
    columns = _COSINES @ plane.astype(np.float32, copy=False).reshape(height // SIDE, SIDE, width)
    blocks = _along(columns, _COSINES.T)
    return blocks.reshape(height // SIDE, SIDE, width // SIDE, SIDE)


def to_plane(blocks: npt.NDArray[np.float32]) -> FloatMap:
    """Return the plane of coefficients that `to_blocks` gives: (h, w) float32."""
    rows, _, columns, _ = blocks.shape
    along = _along(blocks, _COSINES)
    plane: FloatMap = (_COSINES.T @ along.reshape(rows, SIDE, columns * SIDE)).reshape(rows * SIDE, columns * SIDE)
    return plane


def _along(values: npt.NDArray[np.float32], cosines: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return each 8 numbers in a row times a matrix, some at once: products of matrices so small are slow."""
    together = gcd(values.size // SIDE, 4)
    product: npt.NDArray[np.float32] = values.reshape(-1, SIDE * together) @ _several(cosines.tobytes(), together)
    return product


@cache
def _several(cosines: bytes, count: int) -> npt.NDArray[np.float32]:
    matrix = np.frombuffer(cosines, np.float32).reshape(SIDE, SIDE)
    return np.kron(np.eye(count, dtype=np.float32), matrix)
