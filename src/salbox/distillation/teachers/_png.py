"""What a PNG file that `salbox.imaging.writing` wrote says of itself, and whether all of it is there."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

from ...errors import ImageError
from ...formats.files import file_content

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_BYTES = 100_000_000


def checked_notes(path: Path) -> dict[str, Any]:
    """Return the notes of a PNG file, empty if salbox did not write it; the file is whole.

    Every chunk's checksum is computed, which finds a truncated or altered file at a tenth of the time of decoding it.

    Raises
    ------
    ImageError
        If it is not a PNG file, truncated or altered.
    """
    content = file_content(path, _MAX_BYTES, ImageError)
    if not content.startswith(_SIGNATURE):
        raise ImageError(f"{path}: not a PNG file")
    notes: dict[str, Any] = {}
    position, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        head = content[position : position + 8]
        if len(head) < 8:
            raise ImageError(f"{path}: truncated")
        length, kind = struct.unpack(">I4s", head)
        end = position + 8 + length
        stored = content[end : end + 4]
        if len(stored) < 4:
            raise ImageError(f"{path}: truncated")
        if zlib.crc32(memoryview(content)[position + 4 : end]) != int.from_bytes(stored, "big"):
            raise ImageError(f"{path}: damaged (a checksum does not fit)")
        if kind == b"tEXt" and content[position + 8 : end].startswith(b"salbox\0"):
            notes = _parse(content[position + 8 + len(b"salbox\0") : end])
        position = end + 4
    return notes


def _parse(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
