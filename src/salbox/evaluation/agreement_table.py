"""The agreement of models as text and as a picture: a row and a column a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..imaging.figures import check_figure, new_figure, save_figure
from .agreement import PairwiseCC
from .formats import Grid, markdown_table
from .latex import PACKAGES, latex_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL = 0.7  # inches
_AROUND = 2.0  # inches for the names
_DARK = 0.6  # a correlation from which on the figure in its cell is black on light


def agreement_grid(found: PairwiseCC, *, per_image: bool = False) -> Grid:
    """Return the table of the means, or with `per_image` the rows of each image."""
    if not per_image:
        rows = tuple(
            (name, *(f"{value:.3f}" for value in row)) for name, row in zip(found.rows, found.mean, strict=True)
        )
        return Grid(("", *found.rows), rows)
    rows = tuple(
        (image, name, *(f"{value:.3f}" for value in row))
        for image, matrix in zip(found.images, found.matrices, strict=True)
        for name, row in zip(found.rows, matrix, strict=True)
    )
    return Grid(("image", "model", *found.rows), rows)


def agreement_legend(found: PairwiseCC) -> str:
    """Return what the figures are."""
    return f"CC of both maps at 320x240 by area, mean over {len(found.images)} images"


def agreement_to_markdown(found: PairwiseCC, *, per_image: bool = False) -> str:
    """Return the table in Markdown, what it holds below."""
    grid = agreement_grid(found, per_image=per_image)
    return f"{markdown_table(grid.header, grid.rows, figures=len(found.rows))}\n\n- {agreement_legend(found)}"


def agreement_to_latex(found: PairwiseCC, *, per_image: bool = False) -> str:
    """Return the table in LaTeX (booktabs), the package and what it holds as comments."""
    grid = agreement_grid(found, per_image=per_image)
    return f"{PACKAGES}\n% {agreement_legend(found)}\n{latex_table(grid, figures=len(found.rows))}"


def agreement_to_dict(found: PairwiseCC, *, per_image: bool = False) -> dict[str, Any]:
    """Return the figures unrounded, ready for JSON; with `per_image` also those of each image by its name."""
    facts = {"models": list(found.rows), "cc": found.mean.tolist(), "images": len(found.images)}
    if found.failures:
        facts["failures"] = list(found.failures)
    if per_image:
        facts["per_image"] = dict(zip(found.images, found.matrices.tolist(), strict=True))
    return facts


def agreement_records(found: PairwiseCC, *, per_image: bool = False) -> tuple[list[str], list[list[Any]]]:
    """Return the header and the rows of the table, unrounded."""
    if not per_image:
        return ["", *found.rows], [[n, *row] for n, row in zip(found.rows, found.mean.tolist(), strict=True)]
    rows = [
        [image, name, *row]
        for image, matrix in zip(found.images, found.matrices.tolist(), strict=True)
        for name, row in zip(found.rows, matrix, strict=True)
    ]
    return ["image", "model", *found.rows], rows


def heat_map(found: PairwiseCC, path: Path | None = None) -> Figure:
    """Return a figure of the means, a colour and a figure a pair, and write it if asked.

    Parameters
    ----------
    found : PairwiseCC
    path : Path, optional
        A .png, .pdf or .svg.

    Raises
    ------
    UsageError
        If the file's suffix is another.
    """
    if path is not None:
        check_figure(path)
    side = len(found.rows) * _CELL + _AROUND
    figure = new_figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(found.mean, vmin=0, vmax=1, cmap="viridis")
    for (row, column), value in np.ndenumerate(found.mean):
        color = "black" if value > _DARK else "white"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=color)
    places = range(len(found.rows))
    axes.set_xticks(places, found.rows, fontsize=8, rotation=45, ha="right")
    axes.set_yticks(places, found.rows, fontsize=8)
    figure.supxlabel(agreement_legend(found), fontsize=7)
    if path is not None:
        save_figure(figure, path)
    return figure
