"""The table in LaTeX, as a paper takes it: names as papers write them, the best figure of each metric in bold."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from .ceiling import HumanCeiling, MixtureCeiling
from .formats import UNDEFINED, Grid, cell_lines, grids, legend
from .paper_names import paper_name
from .table import FiguresTable

CEILINGS = (HumanCeiling.name, MixtureCeiling.name)  # rows that no model is compared with for the best figure

PACKAGES = r"% in the preamble: \usepackage{booktabs}"
_BOLD = "% bold: the best figure of a metric as printed, ceilings left out"
_BEYOND_PDFLATEX = "% some names hold letters that pdflatex lacks: compile with XeLaTeX or LuaLaTeX"
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "`": r"\textasciigrave{}", "\t": " ",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "–": "--", "—": "---", "−": "$-$", "β": r"$\beta$", "σ": r"$\sigma$",
    "±": r"$\pm$", "×": r"$\times$", "²": r"\textsuperscript{2}", "…": r"\dots{}",
}  # fmt: skip
_MINUS = re.compile(r"(?<![\w$-])-(?=\d)")  # before a number
_LAST_OF_PDFLATEX = 0x17F  # Latin letters with their accents, which `inputenc` knows of itself


def to_latex(evaluation: FiguresTable, *, per_image: bool = False, against: str | None = None) -> str:
    """Return the tables in LaTeX (booktabs), with the package and the legend as comments.

    Parameters
    ----------
    evaluation : Evaluation
    per_image : bool
        A line for each image and row.
    against : str, optional
        A row; a second table has the differences to it.
    """
    found = grids(evaluation, per_image=per_image, against=against)
    tables = []
    for number, grid in enumerate(found):
        names = len(grid.header) - len(evaluation.metrics)
        is_main = number == 0 and not per_image
        bold = _best(evaluation) if is_main else frozenset()
        tables.append(latex_table(_renamed(grid, evaluation, against), figures=len(grid.header) - names, bold=bold))
    comments = [PACKAGES, *([] if per_image else [_BOLD]), *(f"% {_one_line(line)}" for line in legend(evaluation))]
    if any(ord(letter) > _LAST_OF_PDFLATEX for letter in "".join(tables)):
        comments.insert(1, _BEYOND_PDFLATEX)
    return "\n".join([*comments, "\n\n".join(tables)])


def latex_table(grid: Grid, *, figures: int, bold: Collection[tuple[int, int]] = ()) -> str:
    """Return a table in LaTeX (booktabs).

    Parameters
    ----------
    grid : Grid
    figures : int
        How many columns, the last ones, stand to the right.
    bold : pairs of numbers
        Row and column, each from 0, of the cells whose first line is bold.
    """
    columns = "l" * (len(grid.header) - figures) + "r" * figures
    rows = [
        _row([_cell(cell, is_bold=(place, column) in bold) for column, cell in enumerate(row)])
        for place, row in enumerate(grid.rows)
    ]
    begin = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", _row(list(map(_cell, grid.header))), r"\midrule"]
    return "\n".join([*begin, *rows, r"\bottomrule", r"\end{tabular}"])


def escaped(text: str) -> str:
    """Return a text that LaTeX prints as it is, also at the beginning of a row."""
    found = "".join(_LATEX.get(character, character) for character in _one_line(text))
    # Behind \\ or \midrule a "[" begins an argument and a "*" belongs to the command.
    return f"{{{found[0]}}}{found[1:]}" if found[:1] in ("[", "*") else found


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _renamed(grid: Grid, evaluation: FiguresTable, against: str | None) -> Grid:
    """Return a table with the rows' names as papers write them."""
    names = {row: paper_name(row) for row in evaluation.rows}
    if len(set(names.values())) < len(names):
        return grid
    known = {**names, **{f"{row} − {against}": f"{name} − {names.get(against or '')}" for row, name in names.items()}}
    place = len(grid.header) - len(evaluation.metrics) - 1
    rows = ((*row[:place], known.get(row[place], row[place]), *row[place + 1 :]) for row in grid.rows)
    return Grid(grid.header, tuple(rows))


def _best(evaluation: FiguresTable) -> set[tuple[int, int]]:
    """Return row and column of the best figures; of those that are printed alike all."""
    found = set()
    for column, metric in enumerate(evaluation.metrics, start=1):
        printed: dict[int, float] = {}
        for place, row in enumerate(evaluation.rows):
            text = cell_lines(evaluation.estimate(row, metric.name))[0]
            if row not in CEILINGS and text not in (UNDEFINED, "nan"):
                printed[place] = float(text)
        if len(printed) > 1:
            best = (max if metric.direction == "higher" else min)(printed.values())
            found |= {(place, column) for place, value in printed.items() if value == best}
    return found


def _row(found: Sequence[str]) -> str:
    return " & ".join(found) + r" \\"


def _cell(cell: str, *, is_bold: bool = False) -> str:
    first, *more = [_MINUS.sub("$-$", escaped(line)) for line in cell.split("\n")]
    first = rf"\textbf{{{first}}}" if is_bold else first
    if not more:
        return first
    # As `makecell` sets cells of two lines, without that package.
    return rf"\begin{{tabular}}{{@{{}}r@{{}}}}{first}\\{{\scriptsize {' '.join(more)}}}\end{{tabular}}"
