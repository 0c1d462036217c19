"""An annotated picture: regions drawn over the heat of attention, each with what it gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..errors import one_line
from ..imaging.figures import new_figure
from ..imaging.plots import COLOR_MAP
from ..types import Pixels
from .region_shares import RegionReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 9.0  # inches, of each picture
_TALLEST = 12.0
_DPI = 110
_HEAD = 0.5  # inches above each picture
_EDGES = ("#ffffff", "#00e5ff", "#b2ff59", "#ffd740", "#ff80ab", "#b388ff", "#80d8ff", "#f4ff81")


def draw(panels: Sequence[tuple[str, Pixels, RegionReport]]) -> Figure:
    """Return a figure of images with their regions, side by side, the heat of all on one scale.

    Parameters
    ----------
    panels : sequence of (title, pixels, report)
        The pixels may be a smaller copy of the image.
    """
    hottest = max(float(report.attention.density.max() * report.attention.density.size) for _, _, report in panels)
    height, width = panels[0][2].attention.shape
    tall = min(_WIDTH * height / width, _TALLEST)
    wide = max(tall * width / height, 3.0)
    figure = new_figure(figsize=(wide * len(panels), tall + _HEAD), dpi=_DPI)
    for number, (title, pixels, report) in enumerate(panels):
        left, top = number / len(panels), tall / (tall + _HEAD)
        axes = figure.add_axes((left, 0, 1 / len(panels) - (0.004 if len(panels) > 1 else 0), top))
        _draw_one(axes, pixels, report, hottest)
        text = f"{one_line(title, 60)}: {report.attention.model}, clarity {report.clarity:.2f}"
        axes.set_title(_plain(text), fontsize=10, loc="left", x=0.01)
    return figure


def _draw_one(axes: Axes, pixels: Pixels, report: RegionReport, hottest: float) -> None:
    """Draw an image with its heat and regions into axes, in the image's own pixels."""
    height, width = report.attention.shape
    extent = (0.0, float(width), float(height), 0.0)
    axes.imshow(pixels, extent=extent, aspect="auto")
    density = report.attention.density
    heat = np.sqrt(density * density.size / hottest)  # what is a fourth as hot is still seen
    axes.imshow(
        heat,
        cmap=COLOR_MAP,
        vmin=0,
        vmax=1,
        alpha=0.2 + 0.55 * heat,
        interpolation="bilinear",
        extent=extent,
        aspect="auto",
    )
    for number, (region, cells) in enumerate(zip(report.regions, report.covers, strict=True)):
        color = _EDGES[number % len(_EDGES)]
        rows, columns = cells.shape
        outlines, _ = cv2.findContours(
            np.pad((cells >= min(0.5, float(cells.max()) / 2)).astype(np.uint8), 1),
            cv2.RETR_LIST,
            cv2.CHAIN_APPROX_NONE,
        )
        box = region.box
        if report.is_box[number]:
            x, y = [box.x, box.right, box.right, box.x, box.x], [box.y, box.y, box.bottom, box.bottom, box.y]
            _line(axes, x, y, color)
        else:
            for outline in outlines:
                points = (outline[:, 0] - 0.5) * (width / columns, height / rows)
                closed = np.vstack([points, points[:1]])
                _line(axes, closed[:, 0].tolist(), closed[:, 1].tolist(), color)
        axes.text(
            box.x + 0.006 * width,
            box.y + 0.006 * height,
            _plain(f"{one_line(region.name, 30)}  {region.share:.1%}  look {region.first_look}"),
            fontsize=9,
            color="black",
            va="top",
            clip_on=True,
            bbox={"facecolor": color, "edgecolor": "none", "pad": 1.5, "alpha": 0.85},
        )
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()


def _line(axes: Axes, x: Sequence[float], y: Sequence[float], color: str) -> None:
    """Draw a line that is seen on light and on dark ground."""
    axes.plot(x, y, color="black", linewidth=3.2)
    axes.plot(x, y, color=color, linewidth=1.8)


def _plain(text: str) -> str:
    """Return a text in which Matplotlib finds no mathematics."""
    return text.replace("$", r"\$")
