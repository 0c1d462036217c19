"""Pictures of a fidelity report: photo, teacher and student side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ...imaging.plots import Panel
from ...imaging.rows import PanelRow, save_rows
from ...types import Pixels

_COLUMNS = ("picture", "teacher", "student")


@dataclass(frozen=True)
class Example:
    """One row: a picture, (H, W, 3) uint8, its two maps, (h, w) of any size, and what is written above it."""

    title: str
    picture: Pixels
    teacher: npt.NDArray[Any]
    student: npt.NDArray[Any]

    @property
    def row(self) -> PanelRow:
        """What is drawn."""
        panels = (
            Panel("picture", self.picture, "photo"),
            Panel("teacher", self.teacher),
            Panel("student", self.student),
        )
        return PanelRow(self.title, panels)


def draw_examples(examples: Sequence[Example], path: Path) -> None:
    """Write a PNG with a row for each example: the picture, the teacher's map, the student's, each min-max scaled."""
    save_rows([example.row for example in examples], _COLUMNS, path)
