"""Standard output: tables that fit a terminal and do not fold in a pipe, and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from ..models.cards import Paper

_PIPE_WIDTH = 1000


def standard_output(*, fold: bool = True) -> Console:
    """Return the console that tables are printed on.

    Parameters
    ----------
    fold : bool
        Whether cells fold where a table is wider than the terminal; a file or pipe has no width to fold into.
    """
    console = Console(highlight=False)
    return console if fold and console.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


def plain_table(header: Sequence[str] = ()) -> Table:
    """Return an empty table without lines around its cells, whose columns are still to be added if there is no header.

    Parameters
    ----------
    header : texts
        Of columns whose cells fold; the first, a name, does not.
    """
    table = Table(box=None, pad_edge=False, show_header=bool(header), header_style="bold")
    for place, head in enumerate(header):
        table.add_column(escape(head), overflow="fold", no_wrap=place == 0)
    return table


def facts_table(facts: Iterable[tuple[str, str]]) -> Table:
    """Return a table of labels with what is to be said of each."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in facts:
        table.add_row(label, escape(text))
    return table


def paper_facts(paper: Paper | None) -> list[tuple[str, str]]:
    """Return labels with what is to be said of a paper; nothing if there is none."""
    if paper is None:
        return []
    venue = f" {paper.venue}." if paper.venue else ""
    facts = [("paper", f"{paper.authors} ({paper.year}). {paper.title}.{venue}")]
    return [*facts, ("doi", f"https://doi.org/{paper.doi}")] if paper.doi else facts


def figures_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1) -> Table:
    """Return a table of figures.

    Parameters
    ----------
    header : texts
    rows : sequences of texts
        A cell may have several lines.
    names : int
        How many of the columns say what a row is of: they stand to the left and do not fold, figures to the right.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, head in enumerate(header):
        is_name = place < names
        table.add_column(escape(head), justify="left" if is_name else "right", no_wrap=is_name)
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def to_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV, without an end of line behind the last."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")
