"""Containers of videos: which kind a file is, and whether its end is missing, told by a few bytes of it.

FFmpeg opens lists of other files and addresses as readily as videos, and ends without a word where a file was cut off.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Of files that are taken for videos; reading itself goes by content.
SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"})

HEAD = 64 * 1024  # bytes that are looked at to tell the kind

_BOXES = (b"ftyp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"sidx", b"uuid")
_MOST_PARTS = 200_000  # of a file: a day in fragments of a second
_TRANSPORT_PACKETS = ((188, 0), (192, 4))  # length of a packet, where in it the sync byte stands
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def container(head: bytes) -> str | None:
    """Return which container a file's first bytes are of, as FFmpeg calls it, or None if of none that holds a video."""
    if head[4:8] in _BOXES:
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] in (b"AVI ", b"AVIX"):
        return "avi"
    if head.startswith(_ASF_HEADER):
        return "asf"
    if head.startswith((b"\0\0\1\xba", b"\0\0\1\xb3")):
        return "mpeg"
    if head.startswith(b"OggS"):
        return "ogg"
    if head.startswith(b"FLV\1"):
        return "flv"
    if any(_has_sync_bytes(head, length, first) for length, first in _TRANSPORT_PACKETS):
        return "mpegts"
    return None


def read_head(path: Path) -> bytes:
    """Return the bytes of a file that tell its kind."""
    with path.open("rb") as file:
        return file.read(HEAD)


def whole_size(path: Path) -> int | None:
    """Return how many bytes a file has to have by what its container says, or None if it has them or nothing is said.

    MP4, QuickTime, Matroska, WebM, AVI and ASF say it; transport streams and what was recorded without an end do not.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        size = file.seek(0, 2)
        said = {"mov": _end_of_boxes, "matroska": _end_of_segment, "avi": _end_of_riff, "asf": _end_of_asf}
        kind = container(head)
        needed = said[kind](file, size) if kind in said else 0
    return needed if needed > size else None


def is_fragmented(path: Path) -> bool:
    """Return whether an MP4 or QuickTime file says of its frames piece by piece, so that its head cannot count them."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        return any(kind == b"moof" for kind, _ in _boxes(file, size))


def _has_sync_bytes(head: bytes, length: int, first: int) -> bool:
    marks = head[first : first + 5 * length : length]
    return len(marks) >= 3 and set(marks) == {0x47}


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Yield the kind of each box at the top, and where it ends."""
    place = 0
    for _ in range(_MOST_PARTS):
        if place > size - 8:
            return
        file.seek(place)
        head = file.read(16)
        length, kind = struct.unpack(">I4s", head[:8])
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack(">Q", head[8:])
        if length < 8:  # 0: to the end of the file, whatever that is
            yield kind, size
            return
        place += length
        yield kind, place


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    # Other boxes than these may be junk behind the end.
    return max((end for kind, end in _boxes(file, size) if kind in (b"mdat", b"moov", b"moof")), default=0)


def _end_of_segment(file: BinaryIO, size: int) -> int:
    place = 0
    for _ in range(_MOST_PARTS):
        file.seek(place)
        element = _element(file.read(16))
        if element is None:
            return 0
        name, content, length = element
        if name == _SEGMENT and length is None:  # recorded without an end: its parts may have one
            place += content
        elif length is None or (place == 0 and name != _EBML):
            return 0
        elif name == _SEGMENT or place + content + length > size:
            return place + content + length
        else:
            place += content + length
    return 0


def _element(head: bytes) -> tuple[int, int, int | None] | None:
    """Return the name of the element that begins here, how long its head is and its content, None if it is unknown."""
    width = 9 - head[0].bit_length() if head else 9
    if width > 4 or len(head) <= width:
        return None
    name = int.from_bytes(head[:width], "big")
    rest = head[width:]
    length_width = 9 - rest[0].bit_length()
    if length_width > 8 or len(rest) < length_width:
        return None
    bits = 7 * length_width
    length = int.from_bytes(rest[:length_width], "big") & ((1 << bits) - 1)
    return name, width + length_width, None if length == (1 << bits) - 1 else length


def _end_of_riff(file: BinaryIO, size: int) -> int:
    place = 0
    for _ in range(_MOST_PARTS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8 or not head.startswith(b"RIFF"):
            return place
        (length,) = struct.unpack("<I", head[4:])
        if length == 0:  # never closed
            return 0
        place += 8 + length + length % 2
        if place > size:
            return place - length % 2
    return 0


def _end_of_asf(file: BinaryIO, size: int) -> int:
    file.seek(0)
    head = file.read(HEAD)
    place = head.find(_ASF_PROPERTIES)
    if place < 0 or len(head) < place + 92:
        return 0
    (flags,) = struct.unpack_from("<I", head, place + 88)
    (length,) = struct.unpack_from("<Q", head, place + 40)
    return 0 if flags & 1 else int(length)  # a broadcast does not know
