"""Where people look whatever the photo, from a few photos' fixations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from ..models.profiles import Center
from .observed import Observed

Shape = Literal["gaussian", "grid"]
SHAPES: tuple[Shape, ...] = ("gaussian", "grid")

GRID = (12, 16)  # rows and columns
GRID_BLUR = 1.0  # of its parts
GRID_UNIFORM = 0.02  # the share spread evenly, so that no part has probability 0; salbox's own choice


def fit_center(photos: Sequence[Observed], shape: Shape = "gaussian", weights: Sequence[float] | None = None) -> Center:
    """Return the centre bias of photos' fixations, of weight 1; each photo counts the same, or by its weight.

    Parameters
    ----------
    photos : sequence of Observed
    shape : {"gaussian", "grid"}
        A Gaussian of the fixations' mean and standard deviation across and down, or the logarithms of a blurred grid.
    weights : sequence of float, optional
    """
    shares = np.ones(len(photos)) if weights is None else np.asarray(weights, np.float64)
    each = np.concatenate([np.full(len(p.places), w / len(p.places)) for p, w in zip(photos, shares, strict=True)])
    each /= each.sum()
    places = np.concatenate([photo.places for photo in photos])
    if shape == "grid":
        rows, columns = ((places[:, axis] * n).astype(int) for axis, n in ((1, GRID[0]), (0, GRID[1])))
        counts = np.bincount(rows * GRID[1] + columns, each, GRID[0] * GRID[1]).reshape(GRID)
        density = gaussian_filter(counts, GRID_BLUR, mode="nearest")
        density = (1 - GRID_UNIFORM) * density / density.sum() + GRID_UNIFORM / density.size
        log = np.log(density) - np.log(density).max()
        return Center(1.0, grid=tuple(tuple(float(v) for v in row) for row in log.round(4)))
    mean = each @ places
    spread = np.sqrt(each @ (places - mean) ** 2)
    (x, y), (width, height) = mean.clip(0, 1), spread.clip(0.02, 10)
    return Center(1.0, float(x), float(y), float(width), float(height))
