"""The table as text: cells, and Markdown and CSV made of them; Markdown of any table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..metrics import Metric
from .bootstrap import Estimate, interval_text
from .table import FiguresTable

UNDEFINED = "–"
_ARROWS = {"higher": "↑", "lower": "↓"}


@dataclass(frozen=True)
class Grid:
    """A table of texts; a cell may have a second line."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def grids(evaluation: FiguresTable, *, per_image: bool = False, against: str | None = None) -> list[Grid]:
    """Return the table, and the one of the differences to a row if it is named."""
    if per_image:
        return [_image_grid(evaluation)]
    found = [_grid(evaluation)]
    return found if against is None else [*found, _difference_grid(evaluation, against)]


def legend(evaluation: FiguresTable) -> list[str]:
    """Return all that one needs to repeat the figures, a line each."""
    images = f"{evaluation.dataset}, split {evaluation.split}, {len(evaluation.images)} images"
    lines = [f"{images}; in brackets {interval_text()}"]
    lines += [f"{_head(m)} = {m.name}: {m.formula} ({m.source})" for m in evaluation.metrics]
    lines += [f"{name}: {fact}" for name, fact in evaluation.facts.items()]
    return lines + [f"note: {note}" for note in evaluation.notes]


def to_markdown(evaluation: FiguresTable, *, per_image: bool = False, against: str | None = None) -> str:
    """Return the tables in Markdown, with the legend as a list below."""
    found = grids(evaluation, per_image=per_image, against=against)
    parts = [markdown_table(grid.header, grid.rows, figures=len(grid.header) - 1) for grid in found]
    parts.append("\n".join(f"- {line}" for line in legend(evaluation)))
    return "\n\n".join(parts)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, figures: int = 0) -> str:
    """Return a table in Markdown.

    Parameters
    ----------
    header : texts
    rows : sequences of texts
        What would end a cell or a line in them is escaped.
    figures : int
        How many columns, the last ones, stand to the right.
    """
    rule = "|" + "---|" * (len(header) - figures) + "---:|" * figures
    return "\n".join([_markdown_row(header), rule, *(_markdown_row(row) for row in rows)])


def to_csv(evaluation: FiguresTable, *, per_image: bool = False, against: str | None = None) -> str:
    """Return the figures unrounded: a line for each row and metric, or for each image and row."""
    text: str = evaluation.to_pandas(per_image=per_image, against=against).to_csv(index=False)
    return text.rstrip("\n")


def _grid(evaluation: FiguresTable) -> Grid:
    rows = [
        (row, *("\n".join(cell_lines(evaluation.estimate(row, m.name))) for m in evaluation.metrics))
        for row in evaluation.rows
    ]
    return Grid(("model", *map(_head, evaluation.metrics)), tuple(rows))


def _difference_grid(evaluation: FiguresTable, against: str) -> Grid:
    evaluation.check_row(against)
    rows = [
        (f"{row} − {against}", *_differences(evaluation, row, against)) for row in evaluation.rows if row != against
    ]
    return Grid(("difference", *map(_head, evaluation.metrics)), tuple(rows))


def _differences(evaluation: FiguresTable, row: str, against: str) -> Iterator[str]:
    for metric in evaluation.metrics:
        found = evaluation.difference(row, metric.name, against)
        if found is None:
            yield UNDEFINED
        else:
            yield f"{found.value:+.3f}, p {found.p:.2g}\n[{found.low:+.3f}, {found.high:+.3f}]"


def _image_grid(evaluation: FiguresTable) -> Grid:
    names = [m.name for m in evaluation.metrics]
    table = evaluation.to_pandas(per_image=True)
    rows = [
        (str(record["image"]), str(record["model"]), *(_number(record.get(name)) for name in names))
        for record in table.to_dict("records")
    ]
    return Grid(("image", "model", *map(_head, evaluation.metrics)), tuple(rows))


def _head(metric: Metric) -> str:
    return f"{metric.title} {_ARROWS[metric.direction]}"


def cell_lines(found: Estimate | None) -> tuple[str, ...]:
    """Return the lines of a figure's cell: the figure, and its interval."""
    return (UNDEFINED,) if found is None else (f"{found.value:.3f}", f"[{found.low:.3f}, {found.high:.3f}]")


def _number(value: float | None) -> str:
    return UNDEFINED if value is None or value != value else f"{value:.3f}"


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"
