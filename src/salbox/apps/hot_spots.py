"""The spots of an image that stand out most, one after another, and how much attention each gets.

Winner take all with inhibition of return (Itti, Koch & Niebur 1998, section 2.4), on a density: the highest place, then
the highest of what lies outside a disc around it, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UsageError
from .attention import Attention

MOST = 5
RADIUS = 1 / 12  # of the disc, as a share of the longer side


@dataclass(frozen=True)
class HotSpot:
    """A spot of an image.

    Attributes
    ----------
    rank : int
        Its place, from 1, by the density at its middle, with the discs of those before it left out.
    x, y : float
        Its middle, in the image's pixels.
    share : float
        The share of attention in the disc around it, but for what lies in the disc of one before.
    """

    rank: int
    x: float
    y: float
    share: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers, ready for JSON."""
        return {"rank": self.rank, "x": round(self.x, 1), "y": round(self.y, 1), "share": round(self.share, 6)}


def hot_spots(attention: Attention, most: int = MOST) -> tuple[HotSpot, ...]:
    """Return the spots that stand out most, in order, at most so many; fewer where attention lies on fewer.

    Raises
    ------
    UsageError
        If `most` is not at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.apps import Attention
    >>> from salbox.apps.hot_spots import hot_spots
    >>> density = np.zeros((24, 48))
    >>> density[6, 10], density[12, 40] = 0.75, 0.25
    >>> [(spot.x, spot.y, spot.share) for spot in hot_spots(Attention(density, (240, 480)))]
    [(105.0, 65.0, 0.75), (405.0, 125.0, 0.25)]
    """
    if most < 1:
        raise UsageError(f"{most} hot spots: expected at least 1")
    density = attention.density
    (height, width), (rows, columns) = attention.shape, density.shape
    down, across = np.ogrid[:rows, :columns]
    left = density.copy()
    found: list[HotSpot] = []
    while len(found) < most and left.max() > 0:
        row, column = divmod(int(left.argmax()), columns)
        disc = (down - row) ** 2 + (across - column) ** 2 <= (RADIUS * max(rows, columns)) ** 2
        share = float(left[disc].sum())
        left[disc] = 0
        x, y = (column + 0.5) * width / columns, (row + 0.5) * height / rows
        found.append(HotSpot(len(found) + 1, x, y, share))
    return tuple(found)
