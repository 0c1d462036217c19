"""Pictures: models side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import UsageError
from .image import Pixels
from .scaling import min_max
from .writing import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOR_MAP = "inferno"  # perceptually uniform, readable in grey and by the colour-blind
FIGURE_FORMATS = ("png", "pdf", "svg")

_WIDTH = 14.0  # inches, of the whole figure
_LABEL = 0.3  # inches above each picture
_GAP = 0.08  # inches between pictures
_DPI = 110

Row = tuple[Pixels, Mapping[str, npt.NDArray[np.float32]]]


def comparison(rows: Sequence[Row], path: str | Path | None = None, *, columns: int | None = None) -> Figure:
    """Return a figure of photos with their saliency maps, labelled, each map min-max scaled, and write it if asked.

    Parameters
    ----------
    rows : sequence of (image, maps)
        Photos, (H, W, 3) uint8, each with {label: (H, W) float32}. One photo is laid out as a grid; several as a
        table with a row each, and then all need the same labels.
    path : path, optional
        A .png, .pdf or .svg to write.
    columns : int, optional
        Pictures side by side in the grid of one photo; by default as square a figure as fits.

    Raises
    ------
    UsageError
        If there is nothing to show, labels differ, or the file's suffix is another.
    """
    from matplotlib.figure import Figure

    if path is not None and Path(path).suffix.lower().lstrip(".") not in FIGURE_FORMATS:
        raise UsageError(f"{path}: a figure is written as one of {', '.join('.' + f for f in FIGURE_FORMATS)}")
    if not rows or not all(maps for _, maps in rows):
        raise UsageError("nothing to compare: give at least one image and one model")
    labels = list(rows[0][1])
    if any(list(maps) != labels for _, maps in rows):
        raise UsageError("every image needs maps of the same models")

    panels: list[list[tuple[str, npt.NDArray[Any]]]] = [
        [("photo", image), *((label, maps[label]) for label in labels)] for image, maps in rows
    ]
    aspects = [image.shape[0] / image.shape[1] for image, _ in rows]
    if len(rows) == 1:
        columns = columns or _best_columns(len(panels[0]), aspects[0])
        panels = [panels[0][i : i + columns] for i in range(0, len(panels[0]), columns)]
        aspects = aspects * len(panels)
    columns = len(panels[0])

    cell = (_WIDTH - (columns + 1) * _GAP) / columns
    heights = [cell * aspect for aspect in aspects]
    labelled = [len(rows) == 1 or i == 0 for i in range(len(panels))]
    total = sum(heights) + sum(_LABEL for has in labelled if has) + (len(panels) + 1) * _GAP
    figure = Figure(figsize=(_WIDTH, total), dpi=_DPI)
    top = total - _GAP
    for row, height, has_label in zip(panels, heights, labelled, strict=True):
        top -= (_LABEL if has_label else 0) + height
        for i, (label, pixels) in enumerate(row):
            left = _GAP + i * (cell + _GAP)
            axes = figure.add_axes((left / _WIDTH, top / total, cell / _WIDTH, height / total))
            axes.set_axis_off()
            if pixels.ndim == 3:
                axes.imshow(pixels, aspect="auto")
            else:
                axes.imshow(min_max(pixels), cmap=COLOR_MAP, vmin=0, vmax=1, aspect="auto")
            if has_label:
                axes.set_title(label, fontsize=11, pad=4)
        top -= _GAP
    if path is not None:
        save_figure(figure, Path(path))
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as its suffix says, under a temporary name first."""
    with atomic(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lower().lstrip("."))


def _best_columns(panels: int, aspect: float) -> int:
    """Return the number of columns whose grid comes nearest to 4:3."""

    def mismatch(columns: int) -> float:
        rows = math.ceil(panels / columns)
        return abs(math.log((rows * aspect / columns) / 0.75)) + 0.3 * (rows * columns - panels) / panels

    return min(range(1, min(panels, 6) + 1), key=mismatch)
