"""Matting: of the probability that pixels are the object's, the alpha that a cutout has, at the photo's full size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import UsageError, nearest
from ..types import FloatMap, Pixels, Shape
from .matting_closed_form import closed_form, has_pymatting
from .matting_guided import LinearAlpha, guided

REFINEMENTS = ("auto", "closed-form", "guided", "none")
WORKING_PIXELS = 2_000_000  # of the copy on which an alpha is refined; on larger photos its edges are followed
NETWORK_SIDE = 320  # pixels at which most object networks look, so that their edges are uncertain by one of those

# What is surely the object, or surely not, is all of it: networks seldom say 0 or 1. The steepest of three slopes
# tried on drawn shapes of known alpha.
_STEEP = (0.4, 0.6)
_FULL = (0.1, 0.9)  # of the filtered alpha


@dataclass(frozen=True)
class Matte:
    """An alpha that is known on a working copy and can be had of any rows of the photo."""

    alpha: LinearAlpha
    levels: tuple[float, float] = (0.0, 1.0)

    def rows(self, pixels: Pixels, top: int, shape: Shape) -> FloatMap:
        """Return the alpha of some rows of a photo, (H, W): (n, W) float32 in 0..1. See `LinearAlpha.rows`."""
        return stretched(self.alpha.rows(pixels, top, shape), *self.levels)


def chosen_refinement(refine: str) -> str:
    """Return which refinement a name means: "auto" is "closed-form" where PyMatting is installed, else "guided"."""
    if refine not in REFINEMENTS:
        raise UsageError(f"refinement '{refine}'{nearest(refine, REFINEMENTS)} (there are {', '.join(REFINEMENTS)})")
    if refine == "auto":
        return "closed-form" if has_pymatting() else "guided"
    return refine


def matte(pixels: Pixels, probability: FloatMap, refine: str, shape: Shape) -> Matte:
    """Return the alpha of a photo.

    Parameters
    ----------
    pixels : (h, w, 3) uint8
        The photo, or a smaller copy of it.
    probability : (h, w) float32
        That a pixel is the object's.
    refine : {"auto", "closed-form", "guided", "none"}
    shape : (int, int)
        The photo's own (H, W).
    """
    how = chosen_refinement(refine)
    if how == "none":
        return Matte(LinearAlpha(None, probability))
    radius = max(1, round(max(pixels.shape[:2]) / NETWORK_SIDE))
    found = guided(pixels, stretched(probability, *_STEEP), radius)
    if how == "guided":
        return Matte(found, _FULL)
    prior = Matte(found, _FULL).rows(pixels, 0, pixels.shape[:2])
    alpha = closed_form(pixels, probability, prior, radius)
    if pixels.shape[:2] == shape:
        return Matte(LinearAlpha(None, alpha))
    # The same linear model that closed-form matting rests on carries its alpha over to the photo's own size.
    return Matte(guided(pixels, alpha, 1))


def stretched(values: FloatMap, low: float, high: float) -> FloatMap:
    """Return values with `low` brought to 0 and `high` to 1, those beyond as well: float32 in 0..1."""
    return np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
