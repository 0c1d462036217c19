"""Rectangles that somebody drew on a picture, as they come from a browser."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import one_line
from ...types import Shape

MAX_REGIONS = 20
COLORS = ("#00e5ff", "#b2ff59", "#ffd740", "#ff80ab", "#b388ff", "#ffffff")  # of the edges, one region after the other
_NAME = 40  # characters


@dataclass(frozen=True)
class Region:
    """A rectangle with a name, in pixels of the picture on which it was drawn."""

    name: str
    x: int
    y: int
    width: int
    height: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    def scaled(self, old: Shape, new: Shape) -> Region:
        """Return the same place on a picture of shape `new`, (H, W), that was drawn on one of shape `old`."""
        across, down = new[1] / old[1], new[0] / old[0]
        left, top = round(self.x * across), round(self.y * down)
        right, bottom = round((self.x + self.width) * across), round((self.y + self.height) * down)
        return Region(self.name, left, top, max(1, right - left), max(1, bottom - top))


def regions_from(values: Any, shape: Shape) -> list[Region]:
    """Return the regions that a browser sent, those that are none left out, each within a picture of shape (H, W).

    Names are unique: one that is there already gets a number.
    """
    found: list[Region] = []
    for value in values[:MAX_REGIONS] if isinstance(values, list) else []:
        box = _box(value, shape)
        if box is None:
            continue
        name = one_line(value.get("name", ""), _NAME) or f"region {len(found) + 1}"
        taken, number, unique = {region.name for region in found}, 2, name
        while unique in taken:
            unique, number = f"{name} ({number})", number + 1
        found.append(Region(unique, *box))
    return found


def mask_of(regions: Iterable[Region], shape: Shape) -> npt.NDArray[np.bool_]:
    """Return which pixels lie in any of the regions: (H, W) bool."""
    mask = np.zeros(shape, bool)
    for region in regions:
        mask[region.y : region.y + region.height, region.x : region.x + region.width] = True
    return mask


def _box(value: Any, shape: Shape) -> tuple[int, int, int, int] | None:
    if not isinstance(value, dict):
        return None
    numbers = [value.get(name) for name in ("x", "y", "width", "height")]
    if not all(isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in numbers):
        return None
    x, y, width, height = (int(n) for n in numbers if n is not None)
    left, right = (min(max(place, 0), shape[1]) for place in (x, x + width))
    top, bottom = (min(max(place, 0), shape[0]) for place in (y, y + height))
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None
