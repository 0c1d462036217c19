"""Caffe's weights (.caffemodel) without Caffe: the arrays of each layer, from the protocol buffer.

Field numbers are those of caffe.proto in Caffe's repository: a NetParameter with layers as written since 2014, or with
those of the form before ("V1"), each with its BlobProto messages.
"""

from __future__ import annotations

from functools import partial
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError, one_line
from .files import file_content, kind_of
from .protobuf import BYTES, FIXED32, FIXED64, VARINT, Damaged, Messages, Refusal
from .stored import MAX_ARRAYS, Shape, StoredArray

# Field of NetParameter -> fields of the layer's name and of its arrays.
LAYERS = {100: (1, 7), 2: (4, 6)}
MAX_RANK = 8

Place = tuple[int, int, np.dtype[np.floating]]


def read_caffe(path: Path) -> dict[str, StoredArray]:
    """Return the arrays of a .caffemodel: "<layer>/0" a layer's weights, "<layer>/1" its bias.

    Raises
    ------
    WeightsError
        If it is no such file, or damaged.
    """
    content = file_content(path)
    if kind := kind_of(content):
        raise WeightsError(f"{path}: not a .caffemodel ({kind})")
    try:
        found = _arrays(path, content)
    except Damaged as reason:
        raise WeightsError(f"{path}: not a .caffemodel, or a damaged one ({reason})") from None
    except Refusal as refusal:
        raise WeightsError(f"{path}: not a .caffemodel ({refusal})") from None
    if not found:
        raise WeightsError(f"{path}: not a .caffemodel (it holds no layer with weights)")
    return found


def _arrays(path: Path, content: bytes) -> dict[str, StoredArray]:
    fields = Messages(content)
    found: dict[str, StoredArray] = {}
    for number, wire, start, end in fields.walk(0, len(content)):
        if wire != BYTES or number not in LAYERS:
            continue
        name_field, array_field = LAYERS[number]
        name, arrays = "", []
        for inner, kind, first, last in fields.walk(start, end):
            if kind == BYTES and inner == name_field:
                name = fields.text(first, last)
            elif kind == BYTES and inner == array_field:
                arrays.append((first, last))
        for index, (first, last) in enumerate(arrays):
            key = f"{name}/{index}"
            if key in found or len(found) >= MAX_ARRAYS:
                raise Refusal(f"it holds layer '{one_line(name, 80)}' twice, or more layers than a network has")
            found[key] = _array(fields, path, key, first, last)
    return found


def _array(fields: Messages, path: Path, key: str, start: int, end: int) -> StoredArray:
    """Return the array of a BlobProto."""
    shape: Shape | None = None
    old = {1: 1, 2: 1, 3: 1, 4: 1}  # num, channels, height and width, of files before 2014
    is_old = False
    places: list[Place] = []
    for number, wire, first, last in fields.walk(start, end):
        if number in old and wire == VARINT:
            old[number], is_old = first, True
        elif number == 7 and wire == BYTES:
            shape = _shape(fields, first, last)
        elif number == 5 and wire in (BYTES, FIXED32):
            places.append((first, last, np.dtype("<f4")))
        elif number == 8 and wire in (BYTES, FIXED64):
            places.append((first, last, np.dtype("<f8")))
    if shape is None:
        shape = _without_ones(tuple(old.values())) if is_old else (0,)
    if any(side < 0 for side in shape):
        raise Refusal("a shape makes no sense")
    return StoredArray(shape, partial(_read, fields, path, key, shape, places))


def _read(fields: Messages, path: Path, key: str, shape: Shape, places: list[Place]) -> npt.NDArray[np.floating]:
    parts = [fields.numbers(*place) for place in places]
    held = sum(len(part) for part in parts)
    if held != prod(shape):
        raise WeightsError(f"{path}: '{one_line(key, 80)}' holds {held} numbers, not {prod(shape)}")
    return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, np.float32), *parts])


def _shape(fields: Messages, start: int, end: int) -> Shape:
    """Return the sides that a BlobShape lists, together or one by one."""
    sides: list[int] = []
    for number, wire, first, last in fields.walk(start, end):
        if number == 1 and wire == VARINT:
            sides.append(first)
        elif number == 1 and wire == BYTES:
            sides.extend(fields.varints(first, last, MAX_RANK + 1))
        if len(sides) > MAX_RANK:
            raise Refusal("a shape makes no sense")
    return tuple(sides)


def _without_ones(sides: Shape) -> Shape:
    """Return the four sides of old files as a bias has them now: (1, 1, 1, n) is (n,)."""
    return sides[3:] if sides[:3] == (1, 1, 1) else sides
