"""The pieces ("chunks") that an HDF5 file keeps an array in: unpacked here, and never to more bytes than a piece has.

HDF5's own filters believe the file: a piece that is packed into fewer bytes than it should be is read beyond its end,
and one that unpacks to gigabytes is unpacked whole. Where the pieces are the file's index says; their bytes come as
they are stored, and what packed them is undone as "HDF5 File Format Specification" and the filters' own sources say.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

DEFLATE, SHUFFLE, FLETCHER, LZF = 1, 2, 3, 32000
SLACK = 4096  # bytes that a filter may add to what it cannot make smaller, beside a hundredth


class Place(NamedTuple):
    """A piece of an array: the place of its first number, the filters that were left out, its bytes in the file."""

    first: tuple[int, ...]
    left_out: int
    size: int


def read_rows(dataset: Any, start: int, stop: int) -> npt.NDArray[Any]:
    """Return the rows `start` to `stop` of an array of plain numbers that is kept in pieces.

    Parameters
    ----------
    dataset : h5py.Dataset
        Its filters are known ones.
    start, stop : int
        Within its first side.

    Raises
    ------
    ValueError
        If a piece is damaged, or is none of this array; OSError and others of h5py where the file is.
    """
    shape, sides, dtype = dataset.shape, dataset.chunks, dataset.dtype
    found = np.zeros((stop - start, *shape[1:]), dtype)
    if dataset.fillvalue:
        found[...] = dataset.fillvalue
    for place, content in unpacked(dataset, start, stop):
        if dtype.kind == "b":
            piece = np.frombuffer(content, np.uint8).reshape(sides) != 0
        else:
            piece = np.frombuffer(content, dtype).reshape(sides)
        below, above = max(start, place.first[0]), min(stop, place.first[0] + sides[0])
        rest = [slice(at, min(at + side, whole)) for at, side, whole in zip(place.first, sides, shape, strict=True)][1:]
        inner = (slice(below - place.first[0], above - place.first[0]), *(slice(0, s.stop - s.start) for s in rest))
        found[(slice(below - start, above - start), *rest)] = piece[inner]
    return found


def unpacked(dataset: Any, start: int, stop: int) -> Iterator[tuple[Place, bytes]]:
    """Yield the pieces of an array that hold any of the rows `start` to `stop`, and the bytes of each, unpacked.

    Raises
    ------
    ValueError
        See `read_rows`.
    """
    size = prod(dataset.chunks) * _bytes_each(dataset)
    filters = _filters(dataset)
    for place in _places(dataset):
        if place.first[0] >= stop or place.first[0] + dataset.chunks[0] <= start:
            continue
        if place.size > most_bytes(size) + 4 * len(filters):
            raise ValueError(f"a piece of {size} bytes is stored in {place.size}")
        _, content = dataset.id.read_direct_chunk(place.first)
        content = bytes(content)
        for number in reversed(range(len(filters))):
            if not place.left_out >> number & 1:
                content = filters[number](content, most_bytes(size))
        if len(content) != size:
            raise ValueError(f"a piece has {len(content)} bytes, not {size}")
        yield place, content


def _bytes_each(dataset: Any) -> int:
    """Return how many bytes a number of an array has in the file; of a text or list: its length, and where it is."""
    import h5py

    text = h5py.check_string_dtype(dataset.dtype)
    if h5py.check_vlen_dtype(dataset.dtype) is None and (text is None or text.length is not None):
        return int(dataset.id.get_type().get_size())
    return 4 + int(dataset.file.id.get_create_plist().get_sizes()[0]) + 4


def most_bytes(size: int) -> int:
    """Return how many bytes there may be at any step of unpacking a piece of so many."""
    return size + size // 100 + SLACK


def _places(dataset: Any) -> list[Place]:
    """Return where the pieces of an array are, checked against its shape."""
    sides = dataset.chunks
    grid = [ceil(whole / side) for whole, side in zip(dataset.shape, sides, strict=True)]
    found: dict[tuple[int, ...], Place] = {}
    for first, left_out, size in _index(dataset, prod(grid)):
        is_one = all(at % side == 0 and at // side < n for at, side, n in zip(first, sides, grid, strict=True))
        if not is_one or first in found:
            raise ValueError("its index lists a piece that is none of it, or one twice")
        found[first] = Place(first, left_out, size)
    return list(found.values())


def _index(dataset: Any, most: int) -> Iterator[tuple[tuple[int, ...], int, int]]:
    held: list[tuple[tuple[int, ...], int, int]] = []
    if dataset.id.get_num_chunks() > most:
        raise ValueError("its index lists more pieces than it has")

    def note(info: Any) -> None:
        held.append((tuple(info.chunk_offset), info.filter_mask, info.size))

    if hasattr(dataset.id, "chunk_iter"):
        dataset.id.chunk_iter(note)
    else:  # with an older HDF5
        for number in range(dataset.id.get_num_chunks()):
            note(dataset.id.get_chunk_info(number))
    return iter(held)


def _filters(dataset: Any) -> list[Callable[[bytes, int], bytes]]:
    """Return what undoes each filter of an array: it takes bytes and how many there may be then."""
    properties = dataset.id.get_create_plist()
    undo: list[Callable[[bytes, int], bytes]] = []
    for number in range(properties.get_nfilters()):
        code, _, values, _ = properties.get_filter(number)
        if code == SHUFFLE:
            width = int(values[0]) if values else dataset.id.get_type().get_size()
            undo.append(partial(_unshuffled, width=width))
        else:
            undo.append({DEFLATE: _inflated, FLETCHER: _checked, LZF: unpack_lzf}[code])
    return undo


def _inflated(content: bytes, most: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(content, most)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not stream.eof:
        raise ValueError("a piece unpacks to more bytes than it has, or is cut off")
    return found


def _unshuffled(content: bytes, _most: int, *, width: int) -> bytes:
    """Return numbers of so many bytes, of which all first bytes come before all second ones, one after the other."""
    count = len(content) // width if width > 0 else 0
    if width <= 1 or count <= 1:
        return content
    numbers = np.frombuffer(content, np.uint8, count * width).reshape(width, count)
    return numbers.T.tobytes() + content[count * width :]


def _checked(content: bytes, _most: int) -> bytes:
    """Return bytes without the four of their checksum behind them."""
    if len(content) < 4:
        raise ValueError("a piece is cut off")
    body, stored = content[:-4], int.from_bytes(content[-4:], "little")
    # Zero and 65535 are the same in arithmetic modulo 65535, and HDF5 writes either.
    if any(
        (of_body - of_file) % 65535 for of_body, of_file in zip(fletcher(body), divmod(stored, 1 << 16), strict=True)
    ):
        raise ValueError("a checksum is wrong")
    return body


def fletcher(content: bytes) -> tuple[int, int]:
    """Return the two sums of Fletcher's checksum of 32 bits, the second one first, modulo 65535."""
    words = np.frombuffer(content + b"\0" * (len(content) % 2), ">u2").astype(np.uint64)
    first = second = 0
    for start in range(0, len(words), 1 << 16):
        block = words[start : start + (1 << 16)]
        second += first * len(block) + int((block * np.arange(len(block), 0, -1, dtype=np.uint64)).sum())
        first += int(block.sum())
    return second % 65535, first % 65535


def unpack_lzf(content: bytes, most: int) -> bytes:
    """Return what Marc Lehmann's LZF packed: runs of bytes as they are, and references to bytes before.

    Raises
    ------
    ValueError
        If it is damaged, or more than `most` bytes.
    """
    found = bytearray()
    at = 0
    try:
        while at < len(content) and len(found) <= most:
            control = content[at]
            at += 1
            if control < 32:
                run = content[at : at + control + 1]
                if len(run) <= control:
                    raise ValueError("a piece is cut off")
                found += run
                at += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += content[at]
                at += 1
            back = ((control & 31) << 8 | content[at]) + 1
            at += 1
            if back > len(found):
                raise ValueError("a piece refers to bytes before its first")
            length += 2
            known = bytes(found[-back:][:length])  # shorter than `length` where it repeats what it makes itself
            found += (known * ceil(length / len(known)))[:length]
    except IndexError:
        raise ValueError("a piece is cut off") from None
    if len(found) > most:
        raise ValueError("a piece unpacks to more bytes than it has")
    return bytes(found)
