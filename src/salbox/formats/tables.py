"""Tables as text, as spreadsheets, pandas, R, NumPy and trackers' programs write them: cells, and names of columns.

Cells stand between tabs, semicolons, commas or spaces, the first of these that the first line has outside of quotes.
Lines that begin with # or % are remarks; one above the first row may name the columns, as `numpy.savetxt` writes it.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError, one_line
from .files import file_content

MAX_BYTES = 64 * 1024**2
DELIMITERS = ("\t", ";", ",")  # else spaces
REMARKS = ("#", "%")
MISSING = frozenset({"", ".", "na", "n/a", "nan", "none", "null"})  # how a cell says that there is no value

_BYTE_ORDER_MARKS = (  # those of UTF-32 begin as those of UTF-16 do
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_QUOTED = re.compile(r'"[^"]*"')
_DECIMAL_COMMAS = re.compile(r"[-+]?\d+,\d+|[-+.\d]+\s+[-+.\d]+")  # in quotes; between spaces, parted at the commas
_LINE_END = re.compile(r"\r\n|\r|\n")
_UNIT = re.compile(r"(?<=[a-z])_?[(\[]?(?:px|pix|pixels?)[)\]]?$")


class Table(NamedTuple):
    """A text's cells.

    Attributes
    ----------
    header : tuple of texts, optional
        The names of the columns as `column_name` returns them; None where the first row holds numbers.
    rows : list of lists of texts
        All as wide as the header, or as the first row.
    """

    header: tuple[str, ...] | None
    rows: list[list[str]]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.header) if self.header is not None else len(self.rows[0]) if self.rows else 0

    def column(self, place: int) -> list[str]:
        """Return the cells of a column."""
        return [row[place] for row in self.rows]


def read_table(path: Path, known: Collection[str]) -> Table:
    """Return the cells of a text in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.

    Parameters
    ----------
    path : Path
    known : names of columns
        A remark above the first row names the columns if two of these are in it.

    Raises
    ------
    UsageError
        If there is no such file, it is too large, no text, or its rows differ in length.
    """
    lines = [line for line in _LINE_END.split(_text(path)) if line.strip()]
    remarks = [line.strip() for line in lines if line.lstrip().startswith(REMARKS)]
    lines = [line for line in lines if not line.lstrip().startswith(REMARKS)]
    rows = _cells(path, lines)
    for cell in rows[0] if rows else []:
        if _DECIMAL_COMMAS.fullmatch(cell):  # and no name of a column
            raise UsageError(f"{path}: {_no_decimal_commas(cell)}")
    if rows and not all(is_number(cell) for cell in rows[0]):
        header: tuple[str, ...] | None = tuple(map(column_name, rows.pop(0)))
    else:
        header = _header_of_remarks(path, remarks, known)
    width = len(header) if header is not None else len(rows[0]) if rows else 0
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise UsageError(f"{path}: row {number} has {len(row)} cells, expected {width} as in the first line")
    return Table(header, rows)


def column_name(text: str) -> str:
    """Return a column's name as names are compared: small letters, words joined by _, without the unit of pixels.

    Examples
    --------
    >>> from salbox.formats.tables import column_name
    >>> column_name("Fix X [px]"), column_name("subject-ID")
    ('fix_x', 'subject_id')
    """
    return _UNIT.sub("", re.sub(r"[\s\-.]+", "_", text.strip().lower()))


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number, or says that it has none."""
    try:
        number(cell)
    except ValueError:
        return False
    return True


def number(cell: str) -> float:
    """Return a cell's number, not a number where it has none; raises ValueError for anything else."""
    if cell.lower() in MISSING:
        return math.nan
    if _DECIMAL_COMMAS.fullmatch(cell):
        raise ValueError(_no_decimal_commas(cell))
    try:
        return float(cell.replace("_", "?"))  # which Python takes for a mark of thousands
    except ValueError:
        raise ValueError(f"'{one_line(cell, 40)}' is no number") from None


def _no_decimal_commas(cell: str) -> str:
    return f"'{one_line(cell, 40)}': numbers with decimal commas are not read; write 10.5"


def _text(path: Path) -> str:
    content = file_content(path, MAX_BYTES, UsageError)
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8-sig")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not a text in UTF-8, nor in UTF-16 with a byte order mark") from None
    if "\0" in text:
        raise UsageError(f"{path}: not a text, it holds null characters")
    return text


def _cells(path: Path, lines: Sequence[str]) -> list[list[str]]:
    if not lines:
        return []
    bare = _QUOTED.sub("", lines[0])
    delimiter = next((mark for mark in DELIMITERS if mark in bare), " ")
    if delimiter == " ":
        lines = [" ".join(line.split()) for line in lines]
    try:
        found = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        rows = [[cell.strip() for cell in row] for row in found]
    except csv.Error as error:
        raise UsageError(f"{path}: not readable as a table ({one_line(error)})") from None
    if all(len(row) > 1 and not row[-1] for row in rows):  # a delimiter at the end of each line
        rows = [row[:-1] for row in rows]
    return rows


def _header_of_remarks(path: Path, remarks: Sequence[str], known: Collection[str]) -> tuple[str, ...] | None:
    for remark in remarks:
        (cells,) = _cells(path, [remark.lstrip("".join(REMARKS)).strip() or "-"])
        names = tuple(map(column_name, cells))
        if len(set(names) & set(known)) >= 2:
            return names
    return None
