"""Rows of pictures and maps, one below the other, for reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .figures import new_figure, save_figure
from .plots import Panel

_COLUMN, _GAP, _TITLE = 3.6, 0.1, 0.3  # inches
_DPI = 110


@dataclass(frozen=True)
class PanelRow:
    """A picture and its maps, and what is written above them."""

    title: str
    panels: tuple[Panel, ...]


def save_rows(rows: Sequence[PanelRow], columns: Sequence[str], path: Path) -> None:
    """Write a PNG of rows, under the names of their columns; a row is as high as its first picture asks for."""
    shapes = [row.panels[0].pixels.shape for row in rows]
    heights = [_COLUMN * min(2.0, shape[0] / shape[1]) for shape in shapes]
    width = len(columns) * _COLUMN + (len(columns) + 1) * _GAP
    total = sum(heights) + (len(rows) + 1) * _GAP + (len(rows) + 1) * _TITLE
    figure = new_figure(figsize=(width, total), dpi=_DPI)
    top = total - _TITLE
    for j, name in enumerate(columns):
        left = _GAP + j * (_COLUMN + _GAP)
        figure.text((left + _COLUMN / 2) / width, (top + 0.08) / total, name, ha="center", fontsize=11)
    for row, height in zip(rows, heights, strict=True):
        top -= _TITLE
        figure.text(_GAP / width, (top + 0.08) / total, row.title, fontsize=9, parse_math=False)
        top -= height
        for j, panel in enumerate(row.panels):
            left = _GAP + j * (_COLUMN + _GAP)
            panel.draw(figure.add_axes((left / width, top / total, _COLUMN / width, height / total)))
        top -= _GAP
    save_figure(figure, path)
