"""TensorFlow's weights without TensorFlow: checkpoints (an .index and its .data) and frozen graphs (.pb).

A checkpoint's index is a table whose values are BundleEntryProto messages, one a variable, which say where its numbers
lie in the data; a frozen graph is a GraphDef message whose nodes of the kind Const hold them. Field numbers are those
of tensor_bundle.proto, graph.proto, tensor.proto and tensor_shape.proto in TensorFlow's repository.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError, one_line
from .crc32c import masked_crc32c
from .files import file_content, file_size, kind_of
from .protobuf import BYTES, FIXED32, VARINT, Damaged, Messages, Refusal
from .sstable import is_table, read_table
from .stored import MAX_ARRAYS, Shape, StoredArray

# TensorFlow's numbers for kinds of numbers; others (steps, names) are described and never read.
KINDS: Mapping[int, str] = {1: "<f4", 2: "<f8", 19: "<f2"}
MAX_RANK = 8

_DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")
# What a graph's constants are called once reading the variable, or computing something constant, was folded into them.
_FOLDED = re.compile(r"(/read)?(__cf__\d+)?$")


def read_tensorflow(path: Path) -> dict[str, StoredArray]:
    """Return the arrays of a checkpoint or of a frozen graph, by name.

    Parameters
    ----------
    path : Path
        A checkpoint's .index or .data, beside which the other one lies, or a .pb. Which it is the content says.
        Of a graph's constants the floating-point ones are returned.

    Raises
    ------
    WeightsError
        If it is neither, damaged, or the data of a checkpoint are missing.
    """
    if _DATA.search(path.name):
        index = path.with_name(_DATA.sub(".index", path.name))
        if not index.is_file():
            raise WeightsError(f"{path}: the data of a checkpoint, whose {index.name} is not beside it")
        path = index
    content = file_content(path)
    if is_table(content):
        return _Bundle(path, content).arrays()
    if kind := kind_of(content):
        raise WeightsError(f"{path}: not a TensorFlow checkpoint or frozen graph ({kind})")
    try:
        arrays = _graph_arrays(path, content)
    except Damaged as reason:
        raise WeightsError(f"{path}: not a TensorFlow checkpoint or frozen graph, or damaged ({reason})") from None
    except Refusal as refusal:
        raise WeightsError(f"{path}: not a TensorFlow checkpoint or frozen graph ({refusal})") from None
    if not arrays:
        raise WeightsError(f"{path}: not a TensorFlow checkpoint or frozen graph (it holds no constants)")
    return arrays


class _Bundle:
    """A checkpoint whose index was read."""

    def __init__(self, path: Path, content: bytes) -> None:
        self._path = path
        try:
            self._entries = read_table(content)
            self._shards = self._header(self._entries.pop(b"", b""))
        except Refusal as refusal:
            raise WeightsError(f"{path}: not a sound checkpoint of TensorFlow ({refusal})") from None

    def arrays(self) -> dict[str, StoredArray]:
        if len(self._entries) > MAX_ARRAYS:
            raise WeightsError(f"{self._path}: {len(self._entries)} arrays are more than a network has")
        found = {}
        for key, value in self._entries.items():
            name = key.decode("utf-8", "replace")
            try:
                found[name] = self._array(name, value)
            except Refusal as refusal:
                raise WeightsError(f"{self._path}: '{one_line(name, 80)}' is damaged ({refusal})") from None
        return found

    @staticmethod
    def _header(message: bytes) -> int:
        """Return in how many files the data are."""
        fields = Messages(message)
        shards, is_big_endian = 0, 0
        for number, wire, value, _ in fields.walk(0, len(message)):
            if wire == VARINT and number == 1:
                shards = value
            elif wire == VARINT and number == 2:
                is_big_endian = value
        if is_big_endian:
            raise Refusal("it comes from a machine of the other byte order")
        if not 1 <= shards <= MAX_ARRAYS:
            raise Refusal("the index has no header")
        return shards

    def _array(self, name: str, message: bytes) -> StoredArray:
        fields = Messages(message)
        kind = shard = offset = size = checksum = 0
        shape: Shape = ()
        for number, wire, start, end in fields.walk(0, len(message)):
            if number == 6 and wire == FIXED32:
                checksum = int.from_bytes(message[start:end], "little")
            elif number == 2 and wire == BYTES:
                shape = _shape(fields, start, end)
            elif number == 7:
                raise Refusal("it is stored in slices, which are not read")
            elif wire == VARINT and number in (1, 3, 4, 5):
                kind, shard, offset, size = (
                    start if number == n else old for n, old in ((1, kind), (3, shard), (4, offset), (5, size))
                )
        if not 0 <= shard < self._shards or offset < 0 or size < 0:
            raise Refusal("it lies nowhere")
        return StoredArray(shape, lambda: self._read(name, kind, shape, shard, offset, size, checksum))

    def _read(
        self, name: str, kind: int, shape: Shape, shard: int, offset: int, size: int, checksum: int
    ) -> npt.NDArray[np.floating]:
        if kind not in KINDS:
            raise WeightsError(f"{self._path}: '{one_line(name, 80)}' does not hold floating-point numbers")
        dtype = np.dtype(KINDS[kind])
        data = self._path.with_name(f"{self._path.name.removesuffix('.index')}.data-{shard:05d}-of-{self._shards:05d}")
        if not data.is_file():
            raise WeightsError(f"{self._path}: the index of a checkpoint, whose {data.name} is not beside it")
        if size != prod(shape) * dtype.itemsize or offset + size > file_size(data):
            raise WeightsError(
                f"{data}: cut off, or not the data of {self._path.name} ('{one_line(name, 80)}' is not whole)"
            )
        found = np.fromfile(data, dtype, prod(shape), offset=offset)
        if checksum and masked_crc32c(found.view(np.uint8).data) != checksum:
            raise WeightsError(f"{data}: '{one_line(name, 80)}' is damaged (its checksum does not fit)")
        return found


def _graph_arrays(path: Path, content: bytes) -> dict[str, StoredArray]:
    """Return the floating-point constants of a GraphDef."""
    fields = Messages(content)
    found: dict[str, StoredArray] = {}
    for number, wire, start, end in fields.walk(0, len(content)):
        if number != 1 or wire != BYTES:
            continue
        name, operator, tensor = "", "", None
        for inner, kind, first, last in fields.walk(start, end):
            if inner == 1 and kind == BYTES:
                name = fields.text(first, last)
            elif inner == 2 and kind == BYTES:
                operator = fields.text(first, last)
            elif inner == 5 and kind == BYTES:
                tensor = _value(fields, first, last) or tensor
        if operator != "Const" or tensor is None:
            continue
        array = _constant(fields, path, name, *tensor)
        if array is None:
            continue
        name = _FOLDED.sub("", name)
        if name in found:
            raise Refusal(f"it holds '{one_line(name, 80)}' twice")
        found[name] = array
        if len(found) > MAX_ARRAYS:
            raise Refusal("it has more constants than a network has")
    return found


def _value(fields: Messages, start: int, end: int) -> tuple[int, int] | None:
    """Return where the tensor of an attribute called "value" is."""
    name, tensor = "", None
    for number, wire, first, last in fields.walk(start, end):
        if number == 1 and wire == BYTES:
            name = fields.text(first, last)
        elif number == 2 and wire == BYTES:
            for inner, kind, begin, stop in fields.walk(first, last):
                if inner == 8 and kind == BYTES:
                    tensor = (begin, stop)
    return tensor if name == "value" else None


def _constant(fields: Messages, path: Path, name: str, start: int, end: int) -> StoredArray | None:
    """Return the array of a TensorProto, or None if it does not hold floating-point numbers."""
    kind = 0
    shape: Shape = ()
    content: tuple[int, int] | None = None
    single: list[tuple[int, int]] = []  # where numbers are that are fields of their own, as those of small arrays
    for number, wire, first, last in fields.walk(start, end):
        if number == 1 and wire == VARINT:
            kind = first
        elif number == 2 and wire == BYTES:
            shape = _shape(fields, first, last)
        elif number == 4 and wire == BYTES:
            content = (first, last)
        elif number == 5 and wire in (BYTES, FIXED32):
            single.append((first, last))
    if kind not in KINDS:
        return None
    return StoredArray(shape, _reader(fields, path, name, np.dtype(KINDS[kind]), shape, content, single))


def _reader(
    fields: Messages,
    path: Path,
    name: str,
    dtype: np.dtype[np.floating],
    shape: Shape,
    content: tuple[int, int] | None,
    single: list[tuple[int, int]],
) -> Callable[[], npt.NDArray[np.floating]]:
    def read() -> npt.NDArray[np.floating]:
        if content is not None:
            values = fields.numbers(*content, dtype)
        elif single and dtype == np.float32:
            values = np.concatenate([fields.numbers(*place, dtype) for place in single])
            if 0 < len(values) < prod(shape):  # the last number stands for those left out
                values = np.concatenate([values, np.full(prod(shape) - len(values), values[-1])])
        else:
            values = np.zeros(0, dtype)
        if len(values) != prod(shape):
            raise WeightsError(f"{path}: '{one_line(name, 80)}' holds {len(values)} numbers, not {prod(shape)}")
        return values

    return read


def _shape(fields: Messages, start: int, end: int) -> Shape:
    """Return the sides that a TensorShapeProto lists."""
    sides: list[int] = []
    for number, wire, first, last in fields.walk(start, end):
        if number == 3 and first:
            raise Refusal("a shape is unknown")
        if number != 2 or wire != BYTES:
            continue
        side = 0
        for inner, kind, value, _ in fields.walk(first, last):
            if inner == 1 and kind == VARINT:
                side = value
        if side < 0 or len(sides) >= MAX_RANK:
            raise Refusal("a shape makes no sense")
        sides.append(side)
    return tuple(sides)
