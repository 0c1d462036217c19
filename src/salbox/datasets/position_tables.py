"""Tables of where people looked: which columns are positions and observers, and what cannot be either."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, name_some, one_line
from ..formats.tables import Table, number, read_table

_WORDS = ("pos", "position", "coord", "coordinate", "fix", "fixation", "gaze", "current_fix", "fixation_point")


def _axis(letter: str, *others: str) -> tuple[str, ...]:
    """Return what the column of an axis may be called; the first is preferred where several are there."""
    around = [name for word in _WORDS for name in (f"{word}_{letter}", f"{letter}_{word}", f"{word}{letter}")]
    return (letter, *others, *around, f"{letter}pos")


# By the names that pandas, PyGaze, EyeLink, Tobii, Pupil and people give them, as `column_name` returns these.
COLUMNS = {
    "x": _axis("x", "col", "column"),
    "y": _axis("y", "row"),
    "observer": (
        *("subject", "observer", "participant", "person", "user", "viewer", "subj", "sub"),
        *(f"{who}_{word}" for who in ("subject", "observer", "participant", "person", "user") for word in ("id", "nr")),
    ),
    "image": ("image", "img", "stimulus", "picture", "photo", "image_name", "stimulus_name", "filename", "file_name"),
}
KNOWN = frozenset(name for names in COLUMNS.values() for name in names)

MAX_OBSERVER = 2**53  # whole numbers beyond are not exact as float64

# Of a third column without a name: as many different numbers among so many rows, far apart from each other, are
# durations in milliseconds or positions, not observers, and a first column with far fewer different numbers holds
# these. salbox's own limits; who means observers names the column.
ROWS_TO_TELL, SHARE_DIFFERENT = 5, 0.8
SPREAD = 3  # so many times as wide a range as there are different numbers
FEWER = 3  # so many times fewer in the first column
ROWS_TO_COUNT = 3  # where the first of three columns counts 0, 1, 2, or 1, 2, 3; of two, `ROWS_TO_TELL`

# What trackers' programs call rows that are no fixations.
NO_FIXATIONS = frozenset({"saccade", "blink"})
NAME_THEM = "name the columns in a first line, as x,y,duration or x,y,subject"


def read_positions(path: Path) -> npt.NDArray[np.float64]:
    """Return the positions of a text, x, y and perhaps observers: (N, 2) or (N, 3) float64.

    Raises
    ------
    UsageError
        If it is something else, or its columns are not x, y and perhaps the observer.
    """
    table = read_table(path, KNOWN)
    if table.header is None:
        if table.rows and table.width not in (2, 3):
            raise UsageError(
                f"{path}: {_columns(table.width)} of numbers without names; expected x, y and perhaps the observer, or "
                "a first line that names the columns"
            )
        return checked_positions(_numbers(table, range(table.width or 2), path), path)
    places = {what: _place(table.header, what, path) for what in COLUMNS}
    if places["x"] is None or places["y"] is None:
        there = name_some((name or "no name" for name in table.header), 8, quoted=True)
        raise UsageError(f"{path}: the columns are {there}; expected x and y, and perhaps subject")
    if places["image"] is not None and len(images := dict.fromkeys(table.column(places["image"]))) > 1:
        raise UsageError(
            f"{path}: fixations of {len(images)} images ({name_some(images, 2, quoted=True)}); expected a file for each"
        )
    if others := NO_FIXATIONS & {cell.lower() for row in table.rows for cell in row}:
        raise UsageError(f"{path}: some rows are a {' or a '.join(sorted(others))}; expected fixations only")
    chosen = [place for what in ("x", "y", "observer") if (place := places[what]) is not None]
    return checked_positions(_numbers(table, chosen, path), path, is_named=True)


def checked_positions(table: npt.NDArray[np.float64], path: Path, *, is_named: bool = False) -> npt.NDArray[np.float64]:
    """Return a table of x, y and perhaps observers, (N, 2) or (N, 3), as it is.

    Raises
    ------
    UsageError
        If a position is missing, all lie between 0 and 1, or the third column does not hold observers.
    """
    finite = np.isfinite(table[:, :2]).all(axis=1)
    if not finite.all():
        raise UsageError(
            f"{path}: {np.count_nonzero(~finite)} of {len(table)} rows have no position (NaN or infinite, as trackers "
            "write lost samples); leave them out"
        )
    enough = ROWS_TO_COUNT if table.shape[1] == 3 else ROWS_TO_TELL
    if not is_named and len(table) >= enough and (np.diff(table[:, 0]) == 1).all() and table[0, 0] in (0, 1):
        raise UsageError(f"{path}: the first column counts the rows and is no position; {NAME_THEM}")
    positions = table[:, :2]
    if len(table) > 1 and (positions >= 0).all() and (positions <= 1).all() and (positions % 1 != 0).any():
        raise UsageError(f"{path}: all positions lie between 0 and 1; expected pixels, not shares of the sides")
    if table.shape[1] == 3 and len(table):
        _check_observers(table[:, 2], path, is_named)
        if not is_named and len(table) >= ROWS_TO_TELL:
            first, third = (len(np.unique(table[:, k])) for k in (0, 2))
            if first * FEWER <= third:
                raise UsageError(
                    f"{path}: {first} different numbers in the first column and {third} in the third: observers come "
                    f"last, after x and y; {NAME_THEM}"
                )
    return table


def _check_observers(observers: npt.NDArray[np.float64], path: Path, is_named: bool) -> None:
    hint = (
        "" if is_named else "; if the third column is something else name the columns in a first line, as x,y,duration"
    )
    is_whole = (np.abs(observers) < MAX_OBSERVER) & (np.rint(observers) == observers)
    if not is_whole.all():
        row = int(np.argmin(is_whole))
        raise UsageError(f"{path}: row {row + 1}: the observer {observers[row]:g} is no whole number{hint}")
    different, low, high = len(np.unique(observers)), observers.min(), observers.max()
    are_many = different > SHARE_DIFFERENT * len(observers)
    if not is_named and len(observers) >= ROWS_TO_TELL and are_many and high - low > SPREAD * different:
        raise UsageError(
            f"{path}: the third column, {low:g} to {high:g} and nearly never twice the same, looks like durations or "
            f"positions, not observers; {NAME_THEM}"
        )


def _place(header: tuple[str, ...], what: str, path: Path) -> int | None:
    """Return which column holds something, by the names in the first line; None where none does."""
    for names in (COLUMNS[what][:1], COLUMNS[what]):
        found = [place for place, name in enumerate(header) if name in names]
        if len(found) > 1 and what != "image":
            there = " and ".join(f"'{one_line(header[place], 40)}'" for place in found)
            raise UsageError(f"{path}: which of the columns {there} is the {what}? Keep one")
        if found:
            return found[0]
    return None


def _numbers(table: Table, places: range | list[int], path: Path) -> npt.NDArray[np.float64]:
    """Return the numbers in these columns, (N, columns); what is missing is NaN."""
    values = np.empty((len(table.rows), len(places)))
    for row, cells in enumerate(table.rows):
        for k, place in enumerate(places):
            try:
                values[row, k] = number(cells[place])
            except ValueError as error:
                raise UsageError(f"{path}: not readable as positions x, y (row {row + 1}: {error})") from None
    return values


def _columns(count: int) -> str:
    return f"{count} column" if count == 1 else f"{count} columns"
