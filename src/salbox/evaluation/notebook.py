"""The table as a notebook shows it."""

from __future__ import annotations

from html import escape

from .formats import Grid, grids, legend
from .table import FiguresTable


def to_html(evaluation: FiguresTable) -> str:
    """Return the table as a piece of HTML, the legend folded below it."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in legend(evaluation))
    tables = "".join(_table(grid) for grid in grids(evaluation))
    return f"{tables}<details><summary>What these figures depend on</summary><ul>{lines}</ul></details>"


def _table(grid: Grid) -> str:
    head = "".join(f'<th style="text-align:{_side(k)}">{escape(cell)}</th>' for k, cell in enumerate(grid.header))
    rows = "".join(f"<tr>{''.join(_cell(k, cell) for k, cell in enumerate(row))}</tr>" for row in grid.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(column: int, cell: str) -> str:
    first, *more = map(escape, cell.split("\n"))
    interval = f"<br><small>{' '.join(more)}</small>" if more else ""
    return f'<td style="text-align:{_side(column)}">{first}{interval}</td>'


def _side(column: int) -> str:
    return "right" if column else "left"
