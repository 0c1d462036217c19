"""MATLAB's files of version 4: matrices of numbers and texts, one after the other.

The layout is that of MathWorks' "MAT-File Format", level 4: five integers (what the matrix is, its rows and columns,
whether it is complex, the length of its name), the name, the numbers column by column.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, one_line
from .mat5_arrays import too_large
from .stored import StoredArray

HEAD_BYTES = 20
MAX_NAME = 4096
MAX_VARIABLES = 100_000
NUMBERS = ("f8", "f4", "i4", "i2", "u2", "u1")  # the tens of what a matrix is
FULL, TEXT, SPARSE = range(3)  # its ones


def byte_order(file: IO[bytes]) -> str | None:
    """Return "<" or ">" of a file of this version, and None of any other."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if len(head) == HEAD_BYTES:
        for order, machine in (("<", 0), (">", 1000)):
            kind, rows, columns, _, length = struct.unpack(f"{order}5i", head)
            tens, ones = divmod(kind - machine, 10)
            if 0 <= tens < len(NUMBERS) and ones in (FULL, TEXT, SPARSE) and min(rows, columns) >= 0 < length:
                return order
    return None


def read_variables(path: Path, file: IO[bytes], order: str, most: int) -> Iterator[tuple[str, StoredArray]]:
    """Yield the names of a file's variables, and these to be read while the file is open.

    Numbers come in the type that they are stored in, a text as an array of one string a row. A variable of more than
    `most` bytes is refused when it is read.

    Raises
    ------
    UsageError
        If the file is damaged; where a variable is read also if it is complex or sparse.
    """
    end = file.seek(0, 2)
    at = 0
    for _ in range(MAX_VARIABLES):
        if at >= end:
            return
        file.seek(at)
        head = file.read(HEAD_BYTES)
        if len(head) < HEAD_BYTES:
            _damaged(path, "it ends within a variable's head")
        kind, rows, columns, is_complex, length = struct.unpack(f"{order}5i", head)
        tens, ones = divmod(kind % 1000, 10)
        is_known = tens < len(NUMBERS) and ones in (FULL, TEXT, SPARSE) and is_complex in (0, 1)
        if not is_known or min(rows, columns) < 0 or not 0 < length <= MAX_NAME:
            _damaged(path, "a variable's head makes no sense")
        name = file.read(length).split(b"\0")[0].decode("latin-1")
        start = at + HEAD_BYTES + length
        dtype = np.dtype(order + NUMBERS[tens])
        size = rows * columns * dtype.itemsize
        at = start + size * (1 + is_complex)
        if at > end:
            _damaged(path, "it ends within a variable")
        what = "complex numbers" if is_complex else "a sparse array" if ones == SPARSE else ""
        read = partial(_read, path, file, start, dtype, (rows, columns), ones == TEXT, what, most)
        yield name, StoredArray((rows, columns), read)
    _damaged(path, f"more than {MAX_VARIABLES} variables")


def _read(
    path: Path,
    file: IO[bytes],
    start: int,
    dtype: np.dtype[Any],
    shape: tuple[int, int],
    is_text: bool,
    refused: str,
    most: int,
) -> npt.NDArray[Any]:
    size = shape[0] * shape[1] * dtype.itemsize
    if refused:
        raise UsageError(f"{path}: holds {refused}, which are not read from files of version 4; expected real numbers")
    if size > most:
        raise UsageError(f"{path}: a variable is {too_large(size, most)}")
    file.seek(start)
    values = np.frombuffer(file.read(size), dtype).reshape(shape, order="F").astype(dtype.newbyteorder("="))
    return _texts(path, values) if is_text else values


def _texts(path: Path, codes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if not ((codes >= 0) & (codes < 256)).all():
        _damaged(path, "a text that is none")
    return np.array(["".join(map(chr, row)) for row in codes.astype(np.uint8).tolist()])


def _damaged(path: Path, what: str) -> NoReturn:
    raise UsageError(f"{path}: damaged MATLAB file of version 4 ({one_line(what)})")
