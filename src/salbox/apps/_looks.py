"""In which order regions are looked at first: looks drawn from the density, which do not come back for a while.

A spot that was looked at is left alone (inhibition of return, as in Itti, Koch & Niebur 1998, section 2.4). Looks are
not the maxima here, one after another, but drawn: of each in turn it is known with what probability it falls where.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from ..types import DoubleMap

# Of the disc around a look that is left alone, as a share of the longer side: fitted to the order in which people look.
RADIUS = 0.15
LOOKS = 12  # about as many as people make in three seconds; what they have not looked at by then counts as later
_CELLS = 64  # along the longest side: many to a disc


def mean_first_looks(density: DoubleMap, covers: Mapping[str, DoubleMap]) -> dict[str, float]:
    """Return after about how many looks, in the mean, the first falls on each region; `LOOKS` where none does.

    What is left open for a look is taken in the mean over all that may have come before (a mean-field approximation:
    a tenth off what drawing looks one by one gives).

    Parameters
    ----------
    density : (h, w) float64
        Sums to 1.
    covers : {name: (h, w)}
        How much of each cell a region covers.
    """
    height, width = density.shape
    scale = min(1.0, _CELLS / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    coarse = _resized(density, size)
    # What a region covers of a coarse cell is what it covers of the attention there.
    inside = {name: _resized(density * cover, size) / np.maximum(coarse, 1e-300) for name, cover in covers.items()}
    open_, waiting, mean = np.ones_like(coarse), dict.fromkeys(covers, 1.0), dict.fromkeys(covers, 0.0)
    disc = _disc(max(coarse.shape) * RADIUS)
    for _ in range(LOOKS):
        look = coarse * open_
        look /= max(float(look.sum()), 1e-300)
        for name, share in inside.items():
            mean[name] += waiting[name]
            waiting[name] *= 1 - min(float((look * share).sum()), 1.0)
        open_ *= 1 - np.clip(cv2.filter2D(look, -1, disc, borderType=cv2.BORDER_CONSTANT), 0, 1)
    return mean


def first_looks(density: DoubleMap, covers: Mapping[str, DoubleMap]) -> dict[str, int]:
    """Return the place of each region in the order of first looks, from 1; see `mean_first_looks`."""
    means = mean_first_looks(density, covers)
    return {name: place for place, name in enumerate(sorted(means, key=lambda name: means[name]), start=1)}


def _resized(values: DoubleMap, size: tuple[int, int]) -> DoubleMap:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float64)


def _disc(radius: float) -> DoubleMap:
    """Return 1 within a disc, 0 around it."""
    reach = int(radius)
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(x**2 + y**2 <= radius**2, np.float64)
