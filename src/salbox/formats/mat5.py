"""MATLAB's files of versions 5 to 7.2, read without running anything and without trusting any number in them.

The layout is that of MathWorks' "MAT-File Format". A file is a row of elements: a tag of 8 bytes, kind and size, and
that many bytes. A variable is an element of kind `MATRIX`, or one of kind `COMPRESSED` that holds it. Cells and structs
hold further `MATRIX` elements; see `mat5_arrays`.

SciPy's reader is not used because damaged files can crash the interpreter in it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy.typing as npt

from ..errors import UsageError, one_line
from .mat5_arrays import COMPRESSED, MATRIX, TAG_BYTES, Source, read_array, read_head, read_tag, too_large
from .stored import StoredArray

HEADER_BYTES = 128
MAX_VARIABLES = 100_000
PEEKED = 4096  # bytes that hold a variable's name and size


class _Place(NamedTuple):
    """Where a variable of a file is: its element's payload."""

    name: str
    is_compressed: bool
    start: int
    size: int


def byte_order(file: IO[bytes]) -> str | None:
    """Return "<" or ">" of a file of these versions, and None of any other."""
    file.seek(0)
    head = file.read(HEADER_BYTES)
    order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
    return order if order is not None and struct.unpack(f"{order}H", head[124:126])[0] == 0x0100 else None


def read_variables(path: Path, file: IO[bytes], order: str, most: int) -> Iterator[tuple[str, StoredArray]]:
    """Yield the names of a file's variables, and these to be read while the file is open.

    Numbers come in the type that they are stored in; a text of several rows as an array of one string a row; a cell
    array as an array of `Element`, a struct array as one of `Struct`. Sparse matrices are filled up with zeros.
    A variable of more than `most` bytes is refused when it is read.

    Raises
    ------
    UsageError
        If the file is damaged; where a variable is read also if it holds what is not data, as an object.
    """
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
            peeked = file.read(min(size, PEEKED))
            source = Source(path, _unpacked_head(path, peeked) if kind == COMPRESSED else peeked, order)
            head = read_head(source, 0, len(source.data)) if source.data else None
            place = _Place(head.name if head else "", kind == COMPRESSED, at, size)
            yield place.name, StoredArray(head.shape if head else (), partial(_read, path, file, order, most, place))
        at += size
    raise UsageError(f"{path}: damaged MATLAB file (more than {MAX_VARIABLES} variables)")


def _read(path: Path, file: IO[bytes], order: str, most: int, place: _Place) -> npt.NDArray[Any]:
    file.seek(place.start)
    if place.size > most:
        raise UsageError(f"{path}: variable '{one_line(place.name, 80)}' is {too_large(place.size, most)}")
    data = file.read(place.size)
    if place.is_compressed:
        source = Source(path, _unpacked(path, place.name, data, order, most), order)
        kind, start, size, _ = read_tag(source, 0, len(source.data))
        if kind != MATRIX:
            source.damaged("a packed variable is no array")
        return read_array(source, start, start + size)
    return read_array(Source(path, data, order), 0, len(data))


def _unpacked_head(path: Path, data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, PEEKED)[TAG_BYTES:]
    except zlib.error as error:
        raise UsageError(f"{path}: damaged MATLAB file ({error})") from None


def _unpacked(path: Path, name: str, data: bytes, order: str, most: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        tag = stream.decompress(data, TAG_BYTES)
        size = struct.unpack(f"{order}II", tag)[1] if len(tag) == TAG_BYTES else 0
        if size > most:
            raise UsageError(f"{path}: variable '{one_line(name, 80)}' is {too_large(size, most)}")
        # One byte more than there should be, so that the stream's end and with it the checksum is reached.
        unpacked = tag + stream.decompress(stream.unconsumed_tail, size + 1)
    except zlib.error as error:
        raise UsageError(f"{path}: damaged MATLAB file (variable '{one_line(name, 80)}': {error})") from None
    if not stream.eof and len(unpacked) >= TAG_BYTES + size:
        raise UsageError(f"{path}: damaged MATLAB file (variable '{one_line(name, 80)}' ends without its checksum)")
    if len(tag) < TAG_BYTES or len(unpacked) < TAG_BYTES + size:
        raise UsageError(f"{path}: damaged MATLAB file (variable '{one_line(name, 80)}' ends too early)")
    return unpacked
