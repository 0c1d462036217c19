"""MATLAB's files of versions 5 to 7.2, read without running anything and without trusting any number in them.

The layout is that of MathWorks' "MAT-File Format". A file is a row of elements: a tag of 8 bytes, kind and size, and
that many bytes. A variable is an element of kind `MATRIX`, or one of kind `COMPRESSED` that holds it. Cells and structs
hold further `MATRIX` elements; see `_mat5_arrays`.

SciPy's reader is not used because damaged files can crash the interpreter in it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy.typing as npt

from ..errors import UsageError
from ._mat5_arrays import COMPRESSED, MATRIX, MAX_BYTES, TAG_BYTES, Source, read_array, read_head, read_tag, too_large

HEADER_BYTES = 128
MAX_VARIABLES = 100_000
PEEKED = 4096  # bytes that hold a variable's name


class Variable(NamedTuple):
    """Where a variable of a file is: its element's payload."""

    name: str
    is_compressed: bool
    start: int
    size: int


def variables(path: Path, file: IO[bytes]) -> Iterator[Variable]:
    """Yield the variables of a file, without their contents.

    Raises
    ------
    UsageError
        If the file is damaged.
    """
    order = _byte_order(path, file)
    end = file.seek(0, 2)
    at = HEADER_BYTES
    for _ in range(MAX_VARIABLES):
        if at >= end:
            return
        file.seek(at)
        tag = file.read(TAG_BYTES)
        if len(tag) < TAG_BYTES:
            raise UsageError(f"{path}: damaged MATLAB file (it ends within a variable's head)")
        kind, size = struct.unpack(f"{order}II", tag)
        at += TAG_BYTES
        if at + size > end:
            raise UsageError(f"{path}: damaged MATLAB file (it ends within a variable)")
        if kind in (MATRIX, COMPRESSED):
            head = file.read(min(size, PEEKED))
            source = Source(path, _unpacked_head(path, head) if kind == COMPRESSED else head, order)
            name = read_head(source, 0, len(source.data)).name if source.data else ""
            yield Variable(name, kind == COMPRESSED, at, size)
        at += size
    raise UsageError(f"{path}: damaged MATLAB file (more than {MAX_VARIABLES} variables)")


def read_variable(path: Path, file: IO[bytes], variable: Variable) -> npt.NDArray[Any]:
    """Return a variable's value.

    Numbers come in the type that they are stored in; a text of several rows as an array of one string a row; a cell
    array as an array of `Element`, a struct array as one of `Struct`. Sparse matrices are filled up with zeros.

    Raises
    ------
    UsageError
        If the file is damaged, or holds what is not data: an object or a function handle.
    """
    order = _byte_order(path, file)
    file.seek(variable.start)
    if variable.size > MAX_BYTES:
        raise UsageError(f"{path}: variable '{variable.name}' is {too_large(variable.size)}")
    data = file.read(variable.size)
    if variable.is_compressed:
        source = Source(path, _unpacked(path, variable.name, data, order), order)
        kind, start, size, _ = read_tag(source, 0, len(source.data))
        if kind != MATRIX:
            source.damaged("a packed variable is no array")
        return read_array(source, start, start + size)
    return read_array(Source(path, data, order), 0, len(data))


def _byte_order(path: Path, file: IO[bytes]) -> str:
    file.seek(0)
    head = file.read(HEADER_BYTES)
    order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
    if order is None or struct.unpack(f"{order}H", head[124:126])[0] != 0x0100:
        raise UsageError(
            f"{path}: not readable as a MATLAB file of version 5 to 7.3 (save it in MATLAB with save(..., '-v7'))"
        )
    return order


def _unpacked_head(path: Path, data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, PEEKED)[TAG_BYTES:]
    except zlib.error as error:
        raise UsageError(f"{path}: damaged MATLAB file ({error})") from None


def _unpacked(path: Path, name: str, data: bytes, order: str) -> bytes:
    stream = zlib.decompressobj()
    try:
        tag = stream.decompress(data, TAG_BYTES)
        size = struct.unpack(f"{order}II", tag)[1] if len(tag) == TAG_BYTES else 0
        if size > MAX_BYTES:
            raise UsageError(f"{path}: variable '{name}' is {too_large(size)}")
        # One byte more than there should be, so that the stream's end and with it the checksum is reached.
        unpacked = tag + stream.decompress(stream.unconsumed_tail, size + 1)
    except zlib.error as error:
        raise UsageError(f"{path}: damaged MATLAB file (variable '{name}': {error})") from None
    if len(tag) < TAG_BYTES or len(unpacked) < TAG_BYTES + size:
        raise UsageError(f"{path}: damaged MATLAB file (variable '{name}' ends too early)")
    return unpacked
