"""AVIF files of large pictures as a grid of tiles, each coded by itself: the encoder's memory is that of one tile.

A file's boxes are those of ISO/IEC 14496-12; its items, and the grid of them, those of ISO/IEC 23008-12 (HEIF), section
6.6.2.3; what AVIF asks of both is in "AV1 Image File Format" 1.1, section 4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from ..types import Shape

MOST_AT_ONCE = 16_000_000  # pixels of a picture that is coded as a whole, which takes 26 bytes of memory for each
_SIDE = 64  # pixels of a superblock; tiles are whole ones, so that what steers the encoder fits them
_LONGEST = 640  # pixels of a tile's side; of 1216 the sums that `two_regions` tells of go wrong in noise
_HIDDEN = 1  # flag of an item that is not to be shown by itself
_INDEX = 0x7F  # of the byte that says that an item has a property; the other bit says whether it is essential

Boxes = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Grid:
    """How a picture is cut: rows and columns of tiles of one size, the last of which may reach beyond it."""

    rows: int
    columns: int
    tile: Shape

    def places(self) -> Iterator[tuple[slice, slice]]:
        """Yield the rows and columns of each tile, in reading order."""
        height, width = self.tile
        for row in range(self.rows):
            for column in range(self.columns):
                yield slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)


def grid_of(shape: Shape) -> Grid:
    """Return how a picture is cut: into tiles of whole superblocks, about equally large."""
    height, width = (_SIDE * ceil(side / ceil(side / _LONGEST) / _SIDE) for side in shape)
    return Grid(ceil(shape[0] / height), ceil(shape[1] / width), (height, width))


def joined(files: Sequence[bytes], grid: Grid, shape: Shape) -> bytes:
    """Return the file of a picture whose tiles' files these are; what else it holds is the first one's.

    Parameters
    ----------
    files : sequence of bytes
        Of tiles, in reading order, made by one encoder with the same options.
    grid : Grid
    shape : (int, int)
        The height and width of the picture.
    """
    first, *others = (_read(file) for file in files)
    properties = [*first.properties, (b"ispe", struct.pack(">III", 0, shape[1], shape[0]))]
    entries, content, uses, references = dict(first.entries), dict(first.content), dict(first.uses), first.references
    for item in [item for item, entry in first.entries.items() if entry[8:12] == b"av01"]:  # colours, transparency
        tiles = range(max(entries) + 1, max(entries) + 1 + len(files))
        entries |= {tile: _entry(tile, b"av01", _HIDDEN) for tile in tiles}
        content |= {tile: file.content[item] for tile, file in zip(tiles, [first, *others], strict=True)}
        uses |= dict.fromkeys(tiles, first.uses[item])
        references += _box(b"dimg", struct.pack(f">HH{len(tiles)}H", item, len(tiles), *tiles))
        # The item itself becomes the grid. What it is decoded by is its tiles' concern, and its size is its own.
        entries[item] = _entry(item, b"grid", 0)
        content[item] = struct.pack(">BBBBII", 0, 1, grid.rows - 1, grid.columns - 1, shape[1], shape[0])
        uses[item] = bytes(
            len(properties) if name == b"ispe" else use
            for use in first.uses[item]
            if (name := properties[(use & _INDEX) - 1][0]) != b"av1C"
        )
    return _written(
        replace(first, entries=entries, content=content, uses=uses, references=references, properties=properties)
    )


@dataclass(frozen=True)
class _Items:
    """What a file holds: by item what it is (the box `infe`), its data, and which properties it has."""

    entries: dict[int, bytes]
    content: dict[int, bytes]
    uses: dict[int, bytes]
    references: bytes
    properties: Boxes
    kind: bytes
    head: bytes


def _read(file: bytes) -> _Items:
    """Return the items of a file; of the layouts that the standards allow, the one that libavif writes."""
    outer = dict(_boxes(file))
    meta = dict(_boxes(outer[b"meta"][4:]))
    inner = dict(_boxes(meta[b"iprp"]))
    entries = {int.from_bytes(entry[4:6]): entry for _, entry in _boxes(meta[b"iinf"][6:])}
    places = meta[b"iloc"]
    if places[:6] != b"\0\0\0\0\x44\0":
        raise ValueError("AVIF: the encoder writes places of items in another way")
    content = {}
    for at in range(8, len(places), 14):
        item, _, count, start, length = struct.unpack_from(">HHHII", places, at)
        if count != 1:
            raise ValueError("AVIF: the encoder writes items in pieces")
        content[item] = file[start : start + length]
    uses, at, table = {}, 8, inner[b"ipma"]
    while at < len(table):
        item, count = struct.unpack_from(">HB", table, at)
        uses[item] = table[at + 3 : at + 3 + count]
        at += 3 + count
    references = meta.get(b"iref", bytes(4))[4:]
    head = b"".join(_box(name, meta[name]) for name in (b"hdlr", b"pitm"))
    return _Items(entries, content, uses, references, list(_boxes(inner[b"ipco"])), outer[b"ftyp"], head)


def _written(items: _Items) -> bytes:
    """Return the file of items."""
    order = sorted(items.entries)
    entries = b"".join(_box(b"infe", items.entries[item]) for item in order)
    table = b"".join(struct.pack(">HB", item, len(uses)) + uses for item, uses in sorted(items.uses.items()) if uses)
    count = sum(1 for uses in items.uses.values() if uses)
    properties = b"".join(_box(name, data) for name, data in items.properties)
    rest = [
        _box(b"iinf", struct.pack(">IH", 0, len(order)) + entries),
        _box(b"iref", bytes(4) + items.references),
        _box(b"iprp", _box(b"ipco", properties) + _box(b"ipma", struct.pack(">II", 0, count) + table)),
    ]
    kind = _box(b"ftyp", items.kind)

    def meta(start: int) -> bytes:
        places = struct.pack(">IBBH", 0, 0x44, 0, len(order))
        for item in order:
            length = len(items.content[item])
            places += struct.pack(">HHHII", item, 0, 1, start, length)
            start += length
        return _box(b"meta", bytes(4) + items.head + _box(b"iloc", places) + b"".join(rest))

    start = len(kind) + len(meta(0)) + 8
    return kind + meta(start) + _box(b"mdat", b"".join(items.content[item] for item in order))


def _entry(item: int, kind: bytes, flags: int) -> bytes:
    return struct.pack(">IHH4sx", 2 << 24 | flags, item, 0, kind)


def _box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(data), name) + data


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + length]
        at += length
