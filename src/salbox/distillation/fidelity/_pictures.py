"""Pictures of a fidelity report: photo, teacher and student side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ...imaging.figures import new_figure, save_figure
from ...imaging.plots import Panel
from ...types import Pixels

_COLUMN, _GAP, _TITLE = 3.6, 0.1, 0.3  # inches
_DPI = 110


@dataclass(frozen=True)
class Example:
    """One row: a picture, (H, W, 3) uint8, its two maps, (h, w) of any size, and what is written above it."""

    title: str
    picture: Pixels
    teacher: npt.NDArray[Any]
    student: npt.NDArray[Any]


def draw_examples(examples: Sequence[Example], path: Path) -> None:
    """Write a PNG with a row for each example: the picture, the teacher's map, the student's, each min-max scaled."""
    heights = [_COLUMN * min(2.0, example.picture.shape[0] / example.picture.shape[1]) for example in examples]
    width = 3 * _COLUMN + 4 * _GAP
    total = sum(heights) + (len(examples) + 1) * _GAP + (len(examples) + 1) * _TITLE
    figure = new_figure(figsize=(width, total), dpi=_DPI)
    top = total - _TITLE
    for j, name in enumerate(("picture", "teacher", "student")):
        left = _GAP + j * (_COLUMN + _GAP)
        figure.text((left + _COLUMN / 2) / width, (top + 0.08) / total, name, ha="center", fontsize=11)
    for example, height in zip(examples, heights, strict=True):
        top -= _TITLE
        figure.text(_GAP / width, (top + 0.08) / total, example.title, fontsize=9, parse_math=False)
        top -= height
        panels = (
            Panel("picture", example.picture, "photo"),
            Panel("teacher", example.teacher),
            Panel("student", example.student),
        )
        for j, panel in enumerate(panels):
            left = _GAP + j * (_COLUMN + _GAP)
            panel.draw(figure.add_axes((left / width, top / total, _COLUMN / width, height / total)))
        top -= _GAP
    save_figure(figure, path)
