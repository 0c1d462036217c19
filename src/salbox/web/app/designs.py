"""Two designs on one scale: where attention goes in each, what regions get of it, and what stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from ...apps.attention import Attention
from ...apps.hot_spots import HotSpot, hot_spots
from ...apps.region_shares import RegionReport, clarity, region_report
from ...imaging.overlays import OPACITY, overlay
from ...types import Pixels
from .crops import attention_of, box_of
from .regions import COLORS, Region
from .uploads import Picture

if TYPE_CHECKING:
    import pandas as pd

# Of names on a design: the height in pixels at least, and its share of the width otherwise.
_SMALLEST_NAME = 12
_NAMES_A_LINE = 52


@dataclass(frozen=True, eq=False)
class Design:
    """A design and what a model sees in it.

    Attributes
    ----------
    letter : str
        "A" or "B".
    picture : Picture
    regions : tuple of Region
        In pixels of the picture's working copy.
    attention : Attention
    report : RegionReport or None
        Of the regions, where there are some.
    spots : tuple of HotSpot
    """

    letter: str
    picture: Picture
    regions: tuple[Region, ...]
    attention: Attention
    report: RegionReport | None
    spots: tuple[HotSpot, ...]

    @property
    def clarity(self) -> float:
        """How far attention is gathered, 0 to 1; see `salbox.apps.RegionReport`."""
        return clarity(self.attention.density)

    def region_at(self, spot: HotSpot) -> str:
        """Return the names of the regions that a spot lies in."""
        (rows, columns), (height, width) = self.picture.pixels.shape[:2], self.picture.shape
        x, y = spot.x * columns / width, spot.y * rows / height
        inside = [r.name for r in self.regions if r.x <= x < r.x + r.width and r.y <= y < r.y + r.height]
        return ", ".join(inside)


def examine(letter: str, picture: Picture, model: str, regions: Sequence[Region]) -> Design:
    """Return what a model sees in a design; regions are in pixels of the working copy."""
    attention = attention_of(picture, model)
    areas = {region.name: box_of(region, picture) for region in regions}
    report = region_report(attention, areas) if areas else None
    return Design(letter, picture, tuple(regions), attention, report, hot_spots(attention))


def carried_over(regions: Sequence[Region], one: Picture, other: Picture) -> list[Region]:
    """Return regions of one design's working copy at the same places of another's."""
    return [region.scaled(one.pixels.shape[:2], other.pixels.shape[:2]) for region in regions]


def draw_designs(designs: Sequence[Design], opacity: float = OPACITY) -> list[Pixels]:
    """Return each design under its heat, all on one scale, its regions and hot spots marked: (h, w, 3) uint8 each."""
    heats = [design.attention.density * design.attention.density.size for design in designs]
    hottest = max(float(heat.max()) for heat in heats)
    return [_drawn(design, heat / hottest, opacity) for design, heat in zip(designs, heats, strict=True)]


def share_table(designs: Sequence[Design]) -> pd.DataFrame:
    """Return the regions' shares of attention, in per cent, and the order of first looks, a column for each design.

    Of two designs also the change of the share, in points of per cent. Regions of one name are one row.
    """
    import pandas as pd

    reports = {design.letter: design.report for design in designs if design.report is not None}
    names = list(dict.fromkeys(region.name for report in reports.values() for region in report.regions))
    rows = []
    for name in names:
        found = {letter: {r.name: r for r in report.regions}.get(name) for letter, report in reports.items()}
        row: dict[str, object] = {"region": name}
        row |= {f"{letter}: share %": None if r is None else 100 * r.share for letter, r in found.items()}
        if len(found) == 2 and all(found.values()):
            first, second = (r.share for r in found.values() if r is not None)
            row["change"] = 100 * (second - first)
        row |= {f"{letter}: order": None if r is None else r.first_look for letter, r in found.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def spot_table(design: Design) -> pd.DataFrame:
    """Return a design's hot spots, the highest first."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "spot": spot.rank,
                "share %": 100 * spot.share,
                "x": round(spot.x),
                "y": round(spot.y),
                "region": design.region_at(spot),
            }
            for spot in design.spots
        ]
    )


def is_in_percent(column: str) -> bool:
    """Return whether a column of these tables is in per cent, or in points of it."""
    return column.endswith("%") or column == "change"


def _drawn(design: Design, heat: np.ndarray, opacity: float) -> Pixels:
    pixels = design.picture.pixels
    height, width = pixels.shape[:2]
    smooth = cv2.resize(heat.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    drawn = overlay(pixels, smooth, alpha=opacity, output="probability").copy()
    thick, size = max(1, round(width / 400)), max(0.4, width / 1000)
    for color, region in zip(cycle(COLORS), design.regions, strict=False):
        corners = (region.x, region.y), (region.x + region.width - 1, region.y + region.height - 1)
        # A colour within black: seen on light and on dark ground.
        cv2.rectangle(drawn, *corners, (0, 0, 0), thick + 2)
        cv2.rectangle(drawn, *corners, ImageColor.getrgb(color), thick)
    for spot in design.spots:
        x, y = round(spot.x * width / design.picture.shape[1]), round(spot.y * height / design.picture.shape[0])
        radius = round(12 * size)
        cv2.circle(drawn, (x, y), radius, (0, 0, 0), -1, cv2.LINE_AA)
        cv2.circle(drawn, (x, y), radius, (255, 255, 255), max(1, thick), cv2.LINE_AA)
        text = str(spot.rank)
        (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * size, max(1, thick))
        cv2.putText(
            drawn, text, (x - wide // 2, y + tall // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.8 * size, (255, 255, 255),
            max(1, thick), cv2.LINE_AA,
        )  # fmt: skip
    return _named(drawn, design.regions)


def _named(drawn: Pixels, regions: Sequence[Region]) -> Pixels:
    """Return a picture with each region's name above it, below it where there is no room."""
    sheet = Image.fromarray(drawn)
    draw, size = ImageDraw.Draw(sheet), max(_SMALLEST_NAME, round(sheet.width / _NAMES_A_LINE))
    font = ImageFont.load_default(size)
    for region in regions:
        has_room = region.y > 1.4 * size
        line = region.y - size // 4 if has_room else region.y + region.height + size // 4
        draw.text(
            (region.x + 2, line),
            region.name,
            "white",
            font,
            "ls" if has_room else "lt",
            stroke_width=2,
            stroke_fill="black",
        )
    return np.asarray(sheet).copy()
