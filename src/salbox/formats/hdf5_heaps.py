"""Texts and lists of varying length in an HDF5 file, and the heaps that hold them: looked at before HDF5 reads them.

A heap is a row of objects, each of which says how long it is. HDF5 goes on for ever where one says that it has no
length, and reads beyond the heap where one says too much.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .hdf5_chunks import unpacked

# What stands for a text or list, in a file with addresses of 8 bytes.
ELEMENT = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])
HEAD = 16  # bytes of a heap's head and of an object's: each ends in a length of 8 bytes
MARK = re.compile(rb"GCOL\x01\0\0\0(?=.{8})", re.DOTALL)


def largest_heap(path: Path) -> int:
    """Return the bytes of the largest heap of a file, 0 if it has none.

    Raises
    ------
    ValueError
        If one is damaged.
    """
    status = path.stat()
    return _largest_heap(path, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _largest_heap(path: Path, _inode: int, _changed: int, _size: int) -> int:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        starts = [mark.start() for mark in MARK.finditer(content)]  # a match would keep the file from being closed
        return max((_size_of(content, start) for start in starts), default=0)


def _size_of(content: mmap.mmap, start: int) -> int:
    (size,) = struct.unpack_from("<Q", content, start + 8)
    end = start + size
    if size < HEAD or end > len(content):
        raise ValueError("a heap of texts is cut off")
    at = start + HEAD
    while end - at >= HEAD:
        number, length = struct.unpack_from("<H6xQ", content, at)
        # What is not used is counted with its head, and everything else without.
        needed = length if number == 0 else HEAD + (length + 7) // 8 * 8
        if not HEAD <= needed <= end - at:
            raise ValueError("a heap of texts is damaged")
        at += needed
    return int(size)


def check_elements(found: Any, path: Path, largest: int) -> None:
    """Raise a ValueError if a text or list of an array, (N,), says that it is longer than the largest heap."""
    width = _bytes_of_one(found)
    for stored in _stored_elements(found, path):
        lengths = np.frombuffer(stored, ELEMENT)["length"] if found.dtype.kind == "O" else np.zeros(0, np.uint32)
        if lengths.size and int(lengths.max()) * width > largest:
            raise ValueError("one says that it is longer than what holds it")


def is_simple(held: Any) -> bool:
    """Return whether an attribute or array is said to hold numbers or texts; HDF5 does not check kinds of lists."""
    from h5py import h5t

    return held.get_type().get_class() in (h5t.INTEGER, h5t.FLOAT, h5t.STRING, h5t.ENUM)


def is_sequence(held: Any) -> bool:
    """Return whether an array is said to hold lists, of a kind that there is."""
    from h5py import h5t

    kind = held.get_type()
    # Behind two bytes of its own: class and version, and what kind of varying length it is.
    return kind.get_class() == h5t.VLEN and kind.encode()[3] & 15 == 0


def _stored_elements(found: Any, path: Path) -> Iterator[bytes]:
    """Yield the bytes that a list of texts or lists takes in the file: how long each is, and where."""
    if found.chunks is not None:
        yield from (content for _, content in unpacked(found, 0, found.shape[0]))
    elif (at := found.id.get_offset()) is not None:
        size = found.size * (ELEMENT.itemsize if found.dtype.kind == "O" else found.dtype.itemsize)
        with path.open("rb") as file:
            file.seek(at)
            stored = file.read(size)
        if len(stored) < size:
            raise ValueError("it is cut off")
        yield stored


def _bytes_of_one(found: Any) -> int:
    """Return the bytes of a number of a list, or of a text's letter."""
    import h5py

    held = h5py.check_vlen_dtype(found.dtype)
    return 1 if held is None or held in (str, bytes) else np.dtype(held).itemsize
