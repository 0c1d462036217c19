"""The best window of a density: every place in whole pixels is compared, though few have to be looked at.

Within a cell of the grid the density is constant, so that what a window of one size holds is a bilinear function of
its place until one of its edges meets an edge of a cell. The best of all whole pixels is therefore among the last
before and the first behind such a meeting. What is lost by cutting is bilinear in the same patches.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import DoubleMap, Shape
from .attention import Attention, at_edges
from .box import Box
from .sizes import Size

STRIP = 0.02  # how far from an edge, as a share of the longer side, lies what is cut through with it

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scores:
    """Windows of one size at every pair of places: `kept` and what cutting costs, both (len(ys), len(xs))."""

    xs: Places
    ys: Places
    kept: DoubleMap
    cut: DoubleMap


@dataclass(frozen=True, eq=False)
class Field:
    """A density with what a line through it would cut."""

    attention: Attention

    def scores(self, width: int, height: int, xs: Places, ys: Places) -> Scores:
        """Return what windows of one size keep and cut at each pair of places of their top left corners."""
        rows, columns = self.attention.shape
        kept = _over(self.attention.sums, ys, ys + height, rows, 0)
        cut = _over(self._vertical, ys, ys + height, rows, 0)
        across = at_edges(self._horizontal, ys, rows, 0) + at_edges(self._horizontal, ys + height, rows, 0)
        lost = at_edges(cut, xs, columns, 1) + at_edges(cut, xs + width, columns, 1)
        return Scores(xs, ys, _over(kept, xs, xs + width, columns, 1), lost + _over(across, xs, xs + width, columns, 1))

    @cached_property
    def _strip(self) -> int:
        """How many cells to each side of an edge count as cut through."""
        return max(1, round(STRIP * max(self.attention.density.shape)))

    @cached_property
    def _vertical(self) -> DoubleMap:
        """What vertical lines cut, (h + 1, w + 1): of the line at each corner, all that lies above it."""
        return _summed(_cut_by_columns(self.attention.density, self._strip), 0)

    @cached_property
    def _horizontal(self) -> DoubleMap:
        """What horizontal lines cut, (h + 1, w + 1): of the line at each corner, all that lies to the left of it."""
        return _summed(_cut_by_columns(self.attention.density.T, self._strip).T, 1)


def candidates(cells: int, side: int, window: int, low: int, high: int) -> Places:
    """Return the places, in low..high, among which the best of all is; see the module.

    Parameters
    ----------
    cells, side : int
        Of the grid and of the image, along one axis.
    window : int
        The window's side in pixels.
    """
    edges = np.arange(cells + 1) * (side / cells)
    meetings = np.concatenate([edges, edges - window])
    places = np.concatenate([np.floor(meetings), np.ceil(meetings), [low, high]]).astype(np.int64)
    found: Places = np.unique(places[(places >= low) & (places <= high)])
    return found


def spans(shape: Shape, width: int, height: int, keep: Box | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first and last column, and the first and last row, of windows of one size that hold a box.

    The window is no larger than the image, (H, W), and what it must hold no larger than the window.
    """
    rows, columns = shape
    if keep is None:
        return (0, columns - width), (0, rows - height)
    return (
        (max(0, keep.right - width), min(columns - width, keep.x)),
        (max(0, keep.bottom - height), min(rows - height, keep.y)),
    )


def peak(attention: Attention) -> tuple[float, float]:
    """Return where attention is highest, (x, y) in the image's pixels: the middle of that cell."""
    density = attention.density
    row, column = np.unravel_index(int(density.argmax()), density.shape)
    (height, width), (rows, columns) = attention.shape, density.shape
    return (float(column) + 0.5) * width / columns, (float(row) + 0.5) * height / rows


def middle_of(attention: Attention) -> tuple[float, float]:
    """Return the middle of attention, (x, y) in the image's pixels: the mean over its density."""
    (height, width), (rows, columns) = attention.shape, attention.density.shape
    x = float(attention.density.sum(axis=0) @ (np.arange(columns) + 0.5)) * width / columns
    y = float(attention.density.sum(axis=1) @ (np.arange(rows) + 0.5)) * height / rows
    return x, y


def largest(shape: Shape, ratio: float) -> tuple[int, int]:
    """Return the (width, height) of the largest window of an aspect, width over height, in an image of shape (H, W)."""
    height, width = shape
    if width > height * ratio:
        return min(width, max(1, round(height * ratio))), height
    return width, min(height, max(1, round(width / ratio)))


def largest_holding(keep: Box | None, shape: Shape, size: Size) -> tuple[int, int]:
    """Return the (width, height) of the largest window of a size's aspect; raise a UsageError if a box does not fit."""
    width, height = largest(shape, size.ratio)
    if keep is not None:
        keep.check_inside(shape, "keep")
        if keep.width > width or keep.height > height:
            raise UsageError(
                f"keep {keep.text} does not fit into {size.text} of the image, which is at most {width}x{height}"
            )
    return width, height


def _over(table: DoubleMap, begin: Places, end: Places, side: int, axis: int) -> DoubleMap:
    return at_edges(table, end, side, axis) - at_edges(table, begin, side, axis)


def _cut_by_columns(density: DoubleMap, strip: int) -> DoubleMap:
    """Return what the line at each edge between columns cuts in each row, (h, w + 1), nothing at the borders.

    Something is cut through where attention stands out, above its mean, on both sides: twice the lesser of the two
    strips beside the line. Without the mean, a line through nothing would cost more than the image's own border.
    """
    height, width = density.shape
    sums = np.zeros((height, width + 1))
    np.cumsum(np.maximum(density - 1 / density.size, 0), axis=1, out=sums[:, 1:])
    edges = np.arange(width + 1)
    before, behind = np.maximum(edges - strip, 0), np.minimum(edges + strip, width)
    return 2 * np.minimum(sums - sums[:, before], sums[:, behind] - sums)


def _summed(lines: DoubleMap, axis: int) -> DoubleMap:
    """Return running sums along an axis, beginning with 0."""
    sums = np.cumsum(lines, axis=axis)
    return np.insert(sums, 0, 0.0, axis=axis)
