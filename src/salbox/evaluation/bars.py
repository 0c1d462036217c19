"""The table as a picture: a panel a metric, a bar a row, the bootstrap intervals as whiskers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from ..imaging.figures import check_figure, new_figure, save_figure
from .bootstrap import interval_text
from .table import FiguresTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = 3.0  # inches, width
_BAR = 0.28  # inches, height of a bar with its gap
_AROUND = 0.9  # inches for a panel's title and axis
_COLUMNS = 4
_COLOR, _EDGE = "#4c72b0", "#222222"


def bars(evaluation: FiguresTable, path: Path | None = None) -> Figure:
    """Return a figure of an evaluation, and write it if asked.

    Parameters
    ----------
    evaluation : Evaluation
    path : Path, optional
        A .png, .pdf or .svg.

    Raises
    ------
    UsageError
        If the file's suffix is another.
    """
    if path is not None:
        check_figure(path)
    count = len(evaluation.metrics)
    columns = min(_COLUMNS, count)
    rows = math.ceil(count / columns)
    height = len(evaluation.rows) * _BAR + _AROUND
    figure = new_figure(figsize=(columns * _PANEL + 1.5, rows * height + 0.5), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for axes, metric in zip(panels, evaluation.metrics, strict=False):
        better = "higher" if metric.direction == "higher" else "lower"
        axes.set_title(f"{metric.title} ({better} is better)", fontsize=9)
        _draw(axes, evaluation, metric.name)
    for axes in panels[count:]:
        axes.set_axis_off()
    figure.suptitle(f"{evaluation.dataset}, split {evaluation.split}, {len(evaluation.images)} images", fontsize=10)
    figure.supxlabel(f"whiskers: {interval_text()}", fontsize=7)
    if path is not None:
        save_figure(figure, path)
    return figure


def _draw(axes: Axes, evaluation: FiguresTable, metric: str) -> None:
    names = list(evaluation.rows)
    for place, row in enumerate(names):
        found = evaluation.estimate(row, metric)
        if found is not None:
            axes.barh(place, found.value, color=_COLOR, height=0.7)
            axes.plot([found.low, found.high], [place, place], color=_EDGE, linewidth=1.5)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="x", labelsize=7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
