"""How much attention each region of an image gets, and in which order the regions are looked at first."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..imaging.gray import HALF, read_mask
from ..imaging.image import MAX_PIXELS, ImageSource
from ..models.specs import AnyModel
from ..types import DoubleMap
from ._looks import first_looks
from .attention import Attention, attend
from .box import Box

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "salbox.regions/1"  # of what `to_dict` gives; regions.schema.json describes it

Area: TypeAlias = "Box | Sequence[int] | npt.NDArray[Any] | os.PathLike[str]"
"""A region: a box, (x, y, width, height), or a mask of the image's shape, (H, W) bool or grey uint8, or its file."""


@dataclass(frozen=True)
class Region:
    """What a region of an image gets.

    Attributes
    ----------
    name : str
    box : Box
        The region, or what lies around it.
    area : float
        Its share of the image's pixels.
    share : float
        The share of attention that falls on it.
    rank : int
        Its place by `share`, from 1.
    density : float
        `share / area`: how many times as much as if attention were spread evenly.
    peak : float
        The highest attention within it, as a share of the image's highest.
    peak_x, peak_y : float
        Where that is, in pixels.
    first_look : int
        Its place in the order in which regions are looked at first, from 1; see `salbox.apps._looks`.
    """

    name: str
    box: Box
    area: float
    share: float
    rank: int
    density: float
    peak: float
    peak_x: float
    peak_y: float
    first_look: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers and texts, ready for JSON."""
        x, y, width, height = self.box.as_tuple()
        figures = {name: round(getattr(self, name), 6) for name in ("area", "share", "density", "peak")}
        at = {"peak_x": round(self.peak_x, 1), "peak_y": round(self.peak_y, 1)}
        place = {"x": x, "y": y, "width": width, "height": height}
        return {"name": self.name, **place, **figures, **at, "rank": self.rank, "first_look": self.first_look}


@dataclass(frozen=True, eq=False)
class RegionReport:
    """What the regions of an image get.

    Attributes
    ----------
    regions : tuple of Region
        In the order given.
    clarity : float
        1 - exp(H) / N, of the density's entropy H = -sum p log p over N pixels: 0 where attention is spread evenly,
        near 1 where all of it falls on one spot. exp(H) / N is the share of the image on which attention of that
        entropy would lie if it were even there and nothing elsewhere.
    rest : float
        The share of attention that falls on none of the regions.
    attention : Attention
    areas : tuple
        What each region was given as.
    covers : tuple of (h, w) float64
        How much of each cell of the density's grid each covers.
    """

    regions: tuple[Region, ...]
    clarity: float
    rest: float
    attention: Attention
    areas: tuple[Area, ...]
    covers: tuple[DoubleMap, ...]

    @property
    def is_box(self) -> tuple[bool, ...]:
        """Whether each region is a box, not a mask."""
        return tuple(not isinstance(area, (np.ndarray, os.PathLike)) for area in self.areas)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers and texts, ready for JSON: an image of what regions.schema.json describes."""
        height, width = self.attention.shape
        figures = {"clarity": round(self.clarity, 6), "rest": round(self.rest, 6)}
        found = [region.to_dict() for region in self.regions]
        return {"width": width, "height": height, "model": self.attention.model, **figures, "regions": found}

    def to_pandas(self) -> pd.DataFrame:
        """Return a table with a row a region."""
        import pandas as pd

        return pd.DataFrame([region.to_dict() for region in self.regions])

    def __getitem__(self, name: str) -> Region:
        """Return the region of a name; raise a UsageError if there is none."""
        for region in self.regions:
            if region.name == name:
                return region
        raise UsageError(f"no region '{name}'; there are {', '.join(region.name for region in self.regions)}")


def regions(
    image: ImageSource,
    areas: Mapping[str, Area],
    *,
    model: AnyModel = "gaze",
    max_pixels: int = MAX_PIXELS,
) -> RegionReport:
    """Return how much attention each region of an image gets.

    Parameters
    ----------
    image : path, bytes, file object, PIL image or array
    areas : {name: box or mask}
        Boxes in the image's pixels, or masks of its shape; they may overlap.
    model : name, path, Model or function
        Of a log density the density counts; a score is min-max scaled and divided by its sum, a probability divided by
        its sum.
    max_pixels : int
        Larger images are refused before they are decoded.

    Raises
    ------
    UsageError
        If a region is empty or lies outside the image.
    ImageError
        If the image cannot be read.

    Examples
    --------
    >>> import salbox.apps, skimage.data
    >>> found = salbox.apps.regions(skimage.data.chelsea(), {"face": (110, 30, 180, 170), "corner": (0, 0, 80, 80)})
    >>> found["face"].rank, found["face"].share > 0.4, 0 < found.clarity < 1
    (1, True, True)
    """
    return region_report(attend(image, model, max_pixels=max_pixels), areas)


def region_report(attention: Attention, areas: Mapping[str, Area]) -> RegionReport:
    """Return what the regions of an image get whose attention is known; see `regions`."""
    if not areas:
        raise UsageError("no regions: give at least one")
    covers = {name: cover(area, attention, name) for name, area in areas.items()}
    cells = {name: each.cells for name, each in covers.items()}
    density = attention.density
    shares = {name: float(np.clip((density * each).sum(), 0, 1)) for name, each in cells.items()}
    looks = first_looks(density, cells)
    ranks = {name: place for place, name in enumerate(sorted(shares, key=lambda n: -shares[n]), start=1)}
    (height, width), (rows, columns) = attention.shape, density.shape
    found = []
    for name, each in cells.items():
        inside = np.where(each > min(0.5, each.max() / 2), density, -1.0)
        row, column = np.unravel_index(int(inside.argmax()), inside.shape)
        area = float(each.mean())
        found.append(
            Region(
                name=name,
                box=covers[name].box,
                area=area,
                share=shares[name],
                rank=ranks[name],
                density=shares[name] / area,
                peak=float(inside[row, column] / density.max()),
                peak_x=(float(column) + 0.5) * width / columns,
                peak_y=(float(row) + 0.5) * height / rows,
                first_look=looks[name],
            )
        )
    covered = np.maximum.reduce(list(cells.values()))
    rest = float(np.clip(1 - (density * covered).sum(), 0, 1))
    return RegionReport(tuple(found), clarity(density), rest, attention, tuple(areas.values()), tuple(cells.values()))


def clarity(density: DoubleMap) -> float:
    """Return how far attention is gathered, 0 to 1, of a density that sums to 1; see `RegionReport`."""
    shares = density[density > 0]
    entropy = -float((shares * np.log(shares)).sum())
    return float(np.clip(1 - math.exp(entropy) / density.size, 0, 1))


@dataclass(frozen=True, eq=False)
class Cover:
    """How much of each cell of a density's grid a region covers, (h, w), 0 to 1, and the box around the region."""

    cells: DoubleMap
    box: Box


def cover(area: Area, attention: Attention, name: str) -> Cover:
    """Return what a region covers.

    Raises
    ------
    UsageError
        If it is empty, or does not lie in the image.
    ImageError
        If the file of a mask cannot be read.
    """
    (height, width), (rows, columns) = attention.shape, attention.density.shape
    if isinstance(area, os.PathLike):
        area = read_mask(Path(area))
    if isinstance(area, np.ndarray) and area.ndim == 2:
        if area.shape != attention.shape:
            raise UsageError(
                f"region '{name}': a mask of {area.shape[1]}x{area.shape[0]}, the image is {width}x{height}"
            )
        is_in = area if area.dtype == bool else area > HALF
        down, across = (np.flatnonzero(is_in.any(axis=axis)) for axis in (1, 0))
        if not down.size:
            raise UsageError(f"region '{name}': its mask is empty")
        cells = cv2.resize(is_in.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        x, y = int(across[0]), int(down[0])
        return Cover(cells.astype(np.float64), Box(x, y, int(across[-1]) + 1 - x, int(down[-1]) + 1 - y))
    box = area if isinstance(area, Box) else _as_box(area, name)
    box.check_inside(attention.shape, f"region '{name}'")
    by_rows, by_columns = _overlaps(rows, height, box.y, box.bottom), _overlaps(columns, width, box.x, box.right)
    return Cover(by_rows[:, None] * by_columns, box)


def _overlaps(cells: int, side: int, begin: int, end: int) -> npt.NDArray[np.float64]:
    """Return how much of each cell along an axis lies between two positions in pixels, 0 to 1."""
    edges = np.arange(cells + 1) * (side / cells)
    return np.asarray(np.diff(edges.clip(begin, end)) * (cells / side), np.float64)


def _as_box(area: Any, name: str) -> Box:
    try:
        return Box(*(operator.index(side) for side in area))
    except TypeError:
        raise UsageError(f"region '{name}': expected a box x, y, width, height or a mask (H, W)") from None
