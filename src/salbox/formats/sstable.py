"""Sorted tables of keys and values, the format of LevelDB that TensorFlow's checkpoints use for their index.

Blocks of entries, each followed by its compression and a checksum; an index block that says where the blocks are; a
footer of 48 bytes that says where the index is. See "leveldb/doc/table_format.md" in LevelDB's repository.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .crc32c import masked_crc32c
from .protobuf import Refusal, read_varint

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5  # bytes behind a block: how it is compressed, and its checksum
MAX_BYTES = 16 << 20  # of a table; that of a network with a thousand arrays has a tenth of a megabyte


def is_table(content: bytes) -> bool:
    """Return whether a file is such a table, by the last eight bytes."""
    return len(content) >= FOOTER and struct.unpack("<Q", content[-8:])[0] == MAGIC


def read_table(content: bytes) -> dict[bytes, bytes]:
    """Return the entries of a table.

    Raises
    ------
    Refusal
        If it is damaged, compressed or too large.
    """
    if len(content) > MAX_BYTES:
        raise Refusal("the index is larger than that of any network")
    if not is_table(content):
        raise Refusal("the index does not end as one")
    position = len(content) - FOOTER
    for _ in range(2):  # where the metaindex is, which is empty, and its size
        _, position = read_varint(content, position, len(content))
    start, position = read_varint(content, position, len(content))
    size, _ = read_varint(content, position, len(content))
    entries: dict[bytes, bytes] = {}
    for _, handle in _entries(_block(content, start, size)):
        start, position = read_varint(handle, 0, len(handle))
        size, _ = read_varint(handle, position, len(handle))
        for key, value in _entries(_block(content, start, size)):
            if key in entries:
                raise Refusal("the index holds a name twice")
            entries[key] = value
    return entries


def _block(content: bytes, start: int, size: int) -> bytes:
    end = start + size
    if end + TRAILER > len(content) - FOOTER:
        raise Refusal("the index is cut off")
    (checksum,) = struct.unpack("<I", content[end + 1 : end + TRAILER])
    if masked_crc32c(content[start : end + 1]) != checksum:
        raise Refusal("the index is damaged (a checksum is wrong)")
    if content[end] != 0:
        raise Refusal("the index is compressed, as TensorFlow before 1.2 wrote it; save it anew with a later one")
    return content[start:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values; a key repeats the beginning of the one before."""
    if len(block) < 4:
        raise Refusal("the index is cut off")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise Refusal("the index is damaged")
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(block, position, end)
        added, position = read_varint(block, position, end)
        length, position = read_varint(block, position, end)
        if shared > len(key) or position + added + length > end:
            raise Refusal("the index is damaged")
        key = key[:shared] + block[position : position + added]
        position += added
        yield key, block[position : position + length]
        position += length
