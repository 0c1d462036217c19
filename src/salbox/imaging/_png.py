"""PNG: the checksums of what a picture is made of, which Pillow skips.

PNG (Third Edition), W3C 2025, section 5.3: each chunk is its length, its kind, its content, and the CRC-32 of kind and
content. A kind that begins with a capital is one that the picture cannot do without.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO

from ..errors import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_AT_ONCE = 1 << 20  # bytes


def check_sums(file: IO[bytes]) -> None:
    """Read a PNG's chunks, up to where it ends or is cut off, and leave the file where it was.

    Raises
    ------
    ImageError
        If the checksum of a chunk with pixels, colours or the picture's head does not fit.
    """
    before = file.tell()
    try:
        file.seek(0)
        if file.read(len(SIGNATURE)) == SIGNATURE:
            while _is_followed(file):
                continue
    finally:
        file.seek(before)


def _is_followed(file: IO[bytes]) -> bool:
    """Check the chunk that comes next; return whether there may be another behind it."""
    head = file.read(8)
    if len(head) < 8:
        return False
    length, kind = struct.unpack(">I4s", head)
    if not kind[:1].isupper():
        file.seek(length + 4, 1)
        return True
    found, left = zlib.crc32(kind), length
    while left and (piece := file.read(min(left, _AT_ONCE))):
        found, left = zlib.crc32(piece, found), left - len(piece)
    stored = file.read(4)
    if left or len(stored) < 4:  # cut off: whoever decodes it says so
        return False
    if found != int.from_bytes(stored, "big"):
        raise ImageError("broken image (a checksum does not fit)")
    return kind != b"IEND"
