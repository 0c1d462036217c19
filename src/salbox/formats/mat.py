"""MATLAB files, which nobody vouches for: variables are read by name, and everything in them is checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, name_some, one_line
from . import mat4, mat5
from .files import os_reason
from .hdf5 import is_hdf5
from .mat5 import PEEKED
from .mat5_arrays import MAX_BYTES as MAX_UNPACKED
from .mat5_arrays import Element, Struct, check_count
from .stored import StoredArray

__all__ = [
    "Struct",
    "array_field",
    "as_table",
    "has_variable",
    "load_variable",
    "members",
    "numbers_field",
    "records",
    "table_field",
    "text_field",
]

MAX_BYTES = 2 * 1024**3


def load_variable(path: Path, names: Sequence[str], *, most: int | None = None) -> npt.NDArray[Any]:
    """Return the first of these variables that a MATLAB file holds.

    Numbers come in the type that they are stored in, a text as an array of one string a row. The members of cell and
    struct arrays are read by `records` and the functions that return a field.

    Parameters
    ----------
    path : Path
        A file of any version from 4 to 7.3.
    names : texts
    most : int, optional
        A variable of more numbers is refused before it is unpacked.

    Raises
    ------
    UsageError
        If the file is missing, broken, too large, or holds none of them.
    MissingExtraError
        For a file of version 7.3 where h5py is not installed.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected a MATLAB file with the variable '{names[0]}'")
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path}: {path.stat().st_size / 1e9:.1f} GB, more than a MATLAB file of fixations takes")
    try:
        if is_hdf5(path):
            from .mat73 import load_hdf5_variable

            return load_hdf5_variable(path, names, most)
        with path.open("rb") as file:
            held = dict(_variables(path, file, MAX_UNPACKED if most is None else 8 * most + PEEKED))
            chosen = next((name for name in names if name in held), None)
            if chosen is None:
                there = name_some(sorted(one_line(name, 80) for name in held if name), 9) or "none"
                raise UsageError(f"{path}: expected the variable {' or '.join(names)}, the file holds {there}")
            check_count(path, chosen, held[chosen].shape, most)
            return held[chosen].read()
    except MemoryError:
        raise UsageError(f"{path}: not enough memory to read it") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({os_reason(error)})") from None


def has_variable(path: Path, name: str) -> bool:
    """Return whether a MATLAB file holds a variable; those of version 7.3 are not looked into.

    Raises
    ------
    UsageError
        If the file is broken.
    """
    if is_hdf5(path):
        return False
    with path.open("rb") as file:
        return any(held == name for held, _ in _variables(path, file, MAX_UNPACKED))


def _variables(path: Path, file: IO[bytes], most: int) -> Iterator[tuple[str, StoredArray]]:
    for version in (mat5, mat4):
        order = version.byte_order(file)
        if order is not None:
            return version.read_variables(path, file, order, most)
    raise UsageError(
        f"{path}: not readable as a MATLAB file of version 4 to 7.3 (save it in MATLAB with save(..., '-v7'))"
    )


def records(array: Any, where: str) -> Iterator[Struct]:
    """Yield the structs of a cell array, or of a struct array.

    Raises
    ------
    UsageError
        If something else is among them.
    """
    for number, value in enumerate(members(array, where)):
        struct = value.flat[0] if isinstance(value, np.ndarray) and value.size == 1 else value
        if not isinstance(struct, Struct):
            raise UsageError(f"{where}: element {number + 1} is not a struct")
        yield struct


def members(array: Any, where: str) -> Iterator[Any]:
    """Yield the arrays of a cell array, the structs of a struct array, or the numbers of one of numbers.

    Raises
    ------
    UsageError
        If it is no array.
    """
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{where}: expected a cell or struct array")
    for element in array.flat:
        yield element.read() if isinstance(element, Element) else element


def text_field(struct: Struct, name: str, where: str) -> str:
    """Return a field that holds a text; raises UsageError if it does not."""
    value = array_field(struct, name, where)
    if value.dtype.kind == "U" and value.size == 1:
        return str(value.flat[0])
    raise UsageError(f"{where}: field '{name}' is not a text")


def numbers_field(struct: Struct, name: str, where: str) -> npt.NDArray[np.float64]:
    """Return a field that holds a vector of numbers, perhaps empty: (N,); raises UsageError if it does not."""
    value = array_field(struct, name, where)
    if not value.size:
        return np.zeros(0)
    if value.dtype.kind in "fiu" and value.size == max(value.shape):
        return value.astype(np.float64).reshape(-1)
    raise UsageError(f"{where}: field '{name}' is not a vector of numbers")


def table_field(struct: Struct, name: str, where: str, columns: int) -> npt.NDArray[np.float64]:
    """Return a field that holds rows of numbers, perhaps none: (N, columns), further columns left out.

    Raises
    ------
    UsageError
        If it does not.
    """
    return as_table(array_field(struct, name, where), columns, f"{where}: field '{name}'")


def as_table(value: Any, columns: int, where: str) -> npt.NDArray[np.float64]:
    """Return rows of numbers, perhaps none: (N, columns), further columns left out.

    Raises
    ------
    UsageError
        If it is something else.
    """
    if isinstance(value, np.ndarray) and not value.size:
        return np.zeros((0, columns))
    is_table = isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "fiu"
    if not is_table or value.shape[1] < columns:
        raise UsageError(f"{where} is not a table of {columns} columns of numbers")
    return np.asarray(value[:, :columns], np.float64)


def array_field(struct: Struct, name: str, where: str) -> npt.NDArray[Any]:
    """Return a field that holds an array of any kind; raises UsageError if there is none."""
    if name not in struct.names:
        raise UsageError(f"{where}: no field '{name}' (there are {name_some(map(one_line, struct.names), 20)})")
    return struct[name]
