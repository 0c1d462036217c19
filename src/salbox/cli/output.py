"""What goes to standard output and standard error: tables that fit a terminal and do not fold in a pipe, lines, CSV.

Nothing that stands in a file or is its name reaches a terminal as a command: what the command line says passes through
`say` or a `SafeConsole`, its errors through `main`.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import markup
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

from ..errors import printable

if TYPE_CHECKING:
    from ..models.cards import Paper

_PIPE_WIDTH = 1000


class SafeConsole(Console):
    """A console on which the texts that are printed cannot command the terminal; its own styles can."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Return segments, the texts in them printable."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def say(text: str, *, to_error: bool = False) -> None:
    """Print a text and an end of line on standard output or standard error."""
    stream = sys.stderr if to_error else sys.stdout
    if stream is not None:  # as it is where it is closed
        print(printable(text), file=stream)


def escape(text: str) -> str:
    """Return a text that stands for itself in the markup of rich, and whose width is that of what is shown."""
    return markup.escape(printable(text))


def standard_output(*, fold: bool = True) -> Console:
    """Return the console that tables are printed on.

    Parameters
    ----------
    fold : bool
        Whether cells fold where a table is wider than the terminal; a file or pipe has no width to fold into.
    """
    console = SafeConsole(highlight=False)
    return console if fold and console.is_terminal else SafeConsole(highlight=False, width=_PIPE_WIDTH)


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
        table.add_row(escape(label), escape(text))
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
