"""The arrays of MATLAB's files of versions 5 to 7.2: numbers, texts, cells, structs.

Members of cells and structs are decoded when they are asked for, so that a file of two million small arrays opens at
once, and no nesting is followed deeper than its reader expects. Every size is checked against the bytes there are.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, one_line

TAG_BYTES = 8
WORDS = {order: struct.Struct(f"{order}II") for order in "<>"}
MAX_BYTES = 1024**3  # of one variable, unpacked
MAX_MEMBERS = 5_000_000  # of one cell or struct array
MAX_DIMENSIONS, MAX_FIELDS = 32, 4096
MAX_SIDE_PRODUCT = 2**40  # of an empty array's other sides: beyond it NumPy cannot shape one

# Kinds of elements, and what NumPy or the codecs call those that hold numbers or text.
INT32, UINT32, MATRIX, COMPRESSED = 5, 6, 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}

# Classes of arrays.
CELL, STRUCT, CHAR, SPARSE, OPAQUE = 1, 2, 4, 5, 17
NUMERIC = range(6, 16)
REFUSED = {3: "an object", 16: "a function handle", OPAQUE: "an object"}
COMPLEX = 0x0800  # a flag


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of one variable, and which file they are of; `order` is "<" or ">"."""

    path: Path
    data: bytes
    order: str

    def damaged(self, what: str) -> NoReturn:
        """Raise the error that says so."""
        raise UsageError(f"{self.path}: damaged MATLAB file ({what})")


class Element:
    """A member of a cell array, or a field of a struct, not decoded yet."""

    __slots__ = ("_end", "_source", "_start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self._source, self._start, self._end = source, start, end

    def read(self) -> npt.NDArray[Any]:
        """Return its value; raises as `read_array`."""
        return read_array(self._source, self._start, self._end)


class Struct:
    """One struct: its fields by name, decoded when they are asked for."""

    __slots__ = ("_fields", "names")

    def __init__(self, names: tuple[str, ...], fields: tuple[Element, ...]) -> None:
        self.names, self._fields = names, fields

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self._fields[self.names.index(name)].read()


class Head(NamedTuple):
    """What an array says of itself before its contents."""

    kind: int
    is_complex: bool
    shape: tuple[int, ...]
    name: str
    body: int  # where the contents start


def read_tag(source: Source, at: int, end: int) -> tuple[int, int, int, int]:
    """Return an element's kind, where its bytes start, how many they are, and where the next element starts."""
    if at + TAG_BYTES > end:
        source.damaged("it ends within an array")
    kind, size = WORDS[source.order].unpack_from(source.data, at)
    if kind >> 16:  # a small element: size and kind share a word, up to 4 bytes follow
        if kind >> 16 > 4:
            source.damaged("a part of an array is longer than it may be")
        return kind & 0xFFFF, at + 4, kind >> 16, at + TAG_BYTES
    start = at + TAG_BYTES
    if start + size > end:
        source.damaged("it ends within an array")
    following = start + size if kind == MATRIX else start + (size + 7) // 8 * 8
    return kind, start, size, min(following, end)


def read_head(source: Source, start: int, end: int) -> Head:
    """Return what the array whose `MATRIX` element has its payload there says of itself."""
    kind, first, size, at = read_tag(source, start, end)
    if kind != UINT32 or size != 8:
        source.damaged("an array does not say of what class it is")
    flags = struct.unpack_from(f"{source.order}I", source.data, first)[0]
    shape: tuple[int, ...] = ()
    if flags & 0xFF != OPAQUE:
        kind, first, size, at = read_tag(source, at, end)
        if kind != INT32 or not 8 <= size <= 4 * MAX_DIMENSIONS:
            source.damaged("an array does not say how large it is")
        shape = struct.unpack_from(f"{source.order}{size // 4}i", source.data, first)
        if min(shape) < 0 or math.prod(side for side in shape if side) > MAX_SIDE_PRODUCT:
            source.damaged(f"an array of the size {shape}")
    kind, first, size, at = read_tag(source, at, end)
    name = source.data[first : first + size].decode("utf-8", "replace")
    return Head(flags & 0xFF, bool(flags & COMPLEX), shape, name, at)


def read_array(source: Source, start: int, end: int) -> npt.NDArray[Any]:
    """Return the array whose `MATRIX` element has its payload there.

    Numbers come in the type that they are stored in; a text of several rows as an array of one string a row; a cell
    array as an array of `Element`, a struct array as one of `Struct`. Sparse matrices are filled up with zeros.

    Raises
    ------
    UsageError
        If the bytes are damaged, or hold what is not data: an object or a function handle.
    """
    if start == end:
        return np.zeros(0)
    head = read_head(source, start, end)
    if head.kind in REFUSED:
        raise UsageError(f"{source.path}: holds {REFUSED[head.kind]}, which is not read; expected data")
    if head.is_complex:
        raise UsageError(f"{source.path}: holds complex numbers; expected real ones")
    if head.kind == CELL:
        return _shaped(_children(source, math.prod(head.shape), head.body, end), head.shape)
    if head.kind == STRUCT:
        return _structs(source, head, end)
    if head.kind == CHAR:
        return _text(source, head, end)
    if head.kind == SPARSE:
        return _sparse(source, head, end)
    if head.kind not in NUMERIC:
        source.damaged(f"an array of the unknown class {head.kind}")
    values, _ = _numbers(source, head.body, end)
    if len(values) != math.prod(head.shape):
        source.damaged(f"{len(values)} numbers for an array of the size {head.shape}")
    return values.reshape(head.shape, order="F")


def _numbers(source: Source, at: int, end: int) -> tuple[npt.NDArray[Any], int]:
    """Return an element's numbers, and where the next element starts."""
    kind, first, size, following = read_tag(source, at, end)
    if kind not in NUMBERS:
        source.damaged(f"numbers of the unknown kind {kind}")
    stored = np.dtype(source.order + NUMBERS[kind])
    if size % stored.itemsize:
        source.damaged("numbers that are cut off")
    values = np.frombuffer(source.data, stored, size // stored.itemsize, first)
    return values.astype(stored.newbyteorder("=")), following


def _children(source: Source, count: int, at: int, end: int) -> list[Element]:
    if count > MAX_MEMBERS:
        raise UsageError(f"{source.path}: an array of {count} members, more than the {MAX_MEMBERS} that are read")
    elements = []
    for _ in range(count):
        kind, start, size, at = read_tag(source, at, end)
        if kind != MATRIX:
            source.damaged("a member is no array")
        elements.append(Element(source, start, start + size))
    return elements


def _shaped(members: list[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    held = np.empty(len(members), object)
    for number, member in enumerate(members):  # at once, NumPy would look whether members are sequences
        held[number] = member
    return held.reshape(shape, order="F")


def _structs(source: Source, head: Head, end: int) -> npt.NDArray[Any]:
    lengths, at = _numbers(source, head.body, end)
    _, first, size, at = read_tag(source, at, end)
    width = int(lengths[0]) if len(lengths) == 1 and lengths.dtype.kind in "iu" else 0
    if width <= 0 or size % width or size // width > MAX_FIELDS:
        source.damaged("the names of a struct's fields")
    names = tuple(
        source.data[k : k + width].split(b"\0")[0].decode("utf-8", "replace") for k in range(first, first + size, width)
    )
    count = math.prod(head.shape)
    if count > MAX_MEMBERS:
        raise UsageError(f"{source.path}: an array of {count} structs, more than the {MAX_MEMBERS} that are read")
    elements = _children(source, count * len(names), at, end)
    step = len(names)
    structs = [Struct(names, tuple(elements[k * step : (k + 1) * step])) for k in range(count)]
    return _shaped(structs, head.shape)


def _text(source: Source, head: Head, end: int) -> npt.NDArray[Any]:
    count = math.prod(head.shape)
    if not count:
        return np.zeros(0, "U1")
    kind, first, size, _ = read_tag(source, head.body, end)
    if kind not in TEXTS:
        source.damaged(f"a text of the unknown kind {kind}")
    codec = TEXTS[kind]
    if codec in ("utf-16", "utf-32"):
        codec += "-le" if source.order == "<" else "-be"
    text = source.data[first : first + size].decode(codec, "replace")
    rows = head.shape[0]
    if rows == 1 and len(head.shape) == 2:
        return np.array([text])  # also where a character takes two code units, so that it is shorter than stated
    if len(text) != count or len(head.shape) != 2:
        source.damaged(f"a text of {len(text)} characters for the size {head.shape}")
    return np.array([text[row::rows] for row in range(rows)])


def _sparse(source: Source, head: Head, end: int) -> npt.NDArray[Any]:
    if len(head.shape) != 2:
        source.damaged(f"a sparse array of the size {head.shape}")
    height, width = head.shape
    if height * width * 8 > MAX_BYTES:
        raise UsageError(f"{source.path}: a sparse array of the size {head.shape} is {too_large(height * width * 8)}")
    rows, at = _numbers(source, head.body, end)
    starts, at = _numbers(source, at, end)
    values, _ = _numbers(source, at, end)
    is_index = rows.dtype.kind in "iu" and starts.dtype.kind in "iu" and len(starts) == width + 1
    if not is_index or starts[0] != 0 or (np.diff(starts.astype(np.int64)) < 0).any():
        source.damaged("the columns of a sparse array")
    count = int(starts[-1])
    if count > min(len(rows), len(values)) or ((rows[:count] < 0) | (rows[:count] >= height)).any():
        source.damaged("the rows of a sparse array")
    full = np.zeros((height, width), values.dtype)
    columns = np.repeat(np.arange(width), np.diff(starts.astype(np.int64)))
    full[rows[:count].astype(np.intp), columns] = values[:count]
    return full


def too_large(size: int, most: int = MAX_BYTES) -> str:
    """Return the text that says so."""
    return f"{size / 1e9:.1f} GB unpacked, more than the {most / 1e9:.1f} GB that are read"


def check_count(path: Path, name: str, shape: tuple[int, ...], most: int | None) -> None:
    """Raise a UsageError if a variable has more numbers than `most`."""
    if most is not None and (count := math.prod(shape)) > most:
        raise UsageError(f"{path}: variable '{one_line(name, 80)}' has {count} numbers, more than the limit of {most}")
