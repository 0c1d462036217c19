"""Why a region of a photo is salient: the bases that add more to it than to the rest of the photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..types import FloatMap

REGIONS = 2  # of a photo, at most
BASES = 5  # that made a region so
# Of the height of a peak above the photo's mean: where its region ends, and what a second peak has to reach.
_HALF = 0.5


@dataclass(frozen=True)
class Reason:
    """A basis and its part in a region's saliency; the parts of all bases add up to 1, negative ones among them."""

    basis: int
    share: float


@dataclass(frozen=True)
class SalientRegion:
    """A region, (h, w) bool, and what made it salient, the most important first."""

    mask: npt.NDArray[np.bool_]
    reasons: tuple[Reason, ...]


def salient_regions(products: FloatMap, number: int = REGIONS, bases: int = BASES) -> list[SalientRegion]:
    """Return the most salient regions of a photo, each with the bases that made it so.

    A region is all around a peak of the map that is above half of the peak's height, counted from the map's mean; the
    part of a basis is what it adds to the region's mean beyond what it adds to the photo's.

    Parameters
    ----------
    products : (count, h, w)
        What each basis adds to the map, see `Subject.look_and_read`.
    number : int
        Of regions, at most.
    bases : int
        Of reasons, at most; those that take saliency away are none.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.explain.reasons import salient_regions
    >>> products = np.zeros((2, 1, 4))
    >>> products[0, 0, 3], products[1, 0, 3] = 3.0, 1.0
    >>> [(reason.basis, reason.share) for reason in salient_regions(products)[0].reasons]
    [(0, 0.75), (1, 0.25)]
    """
    height = products.sum(axis=0)
    height = height - height.mean()
    found: list[SalientRegion] = []
    taken = np.zeros(height.shape, np.bool_)
    for row, column in _peaks(height):
        if len(found) == number or height[row, column] < _HALF * height.max():
            break
        if taken[row, column]:
            continue
        mask = _around((height >= _HALF * height[row, column]) & ~taken, (row, column))
        found.append(SalientRegion(mask, _reasons(products, mask, bases)))
        taken |= mask
    return found


def _peaks(height: FloatMap) -> list[tuple[int, int]]:
    """Return the places above 0 that none of their eight neighbours is above, the highest first."""
    rows, columns = np.nonzero((height > 0) & (height >= cv2.dilate(height, np.ones((3, 3), np.uint8))))
    order = np.argsort(-height[rows, columns], kind="stable")
    return [(int(rows[i]), int(columns[i])) for i in order]


def _around(mask: npt.NDArray[np.bool_], place: tuple[int, int]) -> npt.NDArray[np.bool_]:
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    around: npt.NDArray[np.bool_] = labels == labels[place]
    return around


def _reasons(products: FloatMap, mask: npt.NDArray[np.bool_], bases: int) -> tuple[Reason, ...]:
    excess = products[:, mask].mean(axis=1, dtype=np.float64) - products.mean(axis=(1, 2), dtype=np.float64)
    order = np.argsort(-excess, kind="stable")[:bases]
    total = float(excess.sum())
    return tuple(Reason(int(i), float(excess[i]) / total) for i in order if excess[i] > 0)
