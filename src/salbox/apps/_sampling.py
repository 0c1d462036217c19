"""Tiles of a large picture side by side, a small picture on which encoders are tried before they see the whole."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from ..types import DoubleMap
from ._blocks import SIDE
from ._coders import Picture

TILE = 128  # pixels a side: whole blocks of all formats, whole superblocks of AVIF
PIXELS = 1 << 19  # of the tiles together, about
LARGE = 3 * PIXELS  # what has no more pixels is tried whole
_DRAWS = 200
_STRIDE = 8  # of the rows in which detail is looked for


def sampled(picture: Picture) -> Picture:
    """Return tiles of a picture as a picture, with their weights and nothing else; itself if it is not large.

    Tiles are drawn one from each of equal fields, the same ones each time: of many drawings the one whose tiles are
    like the whole in what they weigh and how much detail they have.
    """
    height, width = picture.pixels.shape[:2]
    rows, columns = height // TILE, width // TILE
    every = sqrt(height * width / PIXELS)
    down, across = round(rows / every), round(columns / every)
    if height * width <= LARGE or not down or not across:
        return picture
    features = _features(picture, rows, columns)
    random = np.random.default_rng(0)
    drawn = [_tiles_of(random, (rows, columns), (down, across)) for _ in range(_DRAWS)]
    top, left = min(drawn, key=lambda places: np.square(features[places].mean((0, 1)) - 1).sum())

    def tiles(values: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
        return np.concatenate(
            [
                np.concatenate(
                    [values[y * side : (y + 1) * side, x * side : (x + 1) * side] for y, x in zip(*each, strict=True)],
                    axis=1,
                )
                for each in zip(top, left, strict=True)
            ]
        )

    alpha = None if picture.alpha is None else tiles(picture.alpha, TILE)
    weights = tiles(picture.weights, TILE // SIDE)
    return replace(
        picture,
        pixels=tiles(picture.pixels, TILE),
        weights=weights,
        alpha=alpha,
        extra={},
        sample_of=picture.pixel_count,
    )


def _tiles_of(
    random: np.random.Generator, grid: tuple[int, int], count: tuple[int, int]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the rows and columns of tiles, one of each of `count` fields of a grid: two (down, across) arrays."""
    places = random.random((2, *count))
    top, left = (
        np.floor((np.indices(count)[axis] + places[axis]) * grid[axis] / count[axis]).astype(np.intp) for axis in (0, 1)
    )
    return top, left


def _features(picture: Picture, rows: int, columns: int) -> DoubleMap:
    """Return what is to be alike, of each tile, over its mean: (rows, columns, 5)."""
    height, width = rows * TILE, columns * TILE
    blocks = TILE // SIDE
    weights = picture.weights[: rows * blocks, : columns * blocks].astype(np.float64)
    green = picture.pixels[:height:_STRIDE, :width, 1].astype(np.int16)
    detail = np.abs(np.diff(green, axis=1, append=green[:, -1:]))

    def means(values: npt.NDArray[Any]) -> DoubleMap:
        down, across = values.shape[0] // rows, values.shape[1] // columns
        return np.asarray(values.reshape(rows, down, columns, across).mean((1, 3)), np.float64)

    weight, detailed = means(weights), means(detail) + 1
    found = np.stack([weight, np.sqrt(weight), detailed, weight * detailed, np.sqrt(weight) * detailed], axis=2)
    return found / found.mean((0, 1))
