"""WebP files as the chunks that they are made of (RFC 9649, section 2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEAD = 12  # RIFF, the length of what follows, WEBP


def with_frame(file: bytes, frame: bytes, shape: tuple[int, int]) -> bytes:
    """Return a WebP file with another picture in it, and all else that it holds.

    Parameters
    ----------
    file : bytes
        Of a picture without transparency, lossy.
    frame : bytes
        Of VP8.
    shape : (int, int)
        The height and width of the frame.
    """
    parts = [b"WEBP"]
    for name, data in _chunks(file):
        if name == b"VP8 ":
            data = frame
        elif name == b"VP8X":  # flags, then width and height less one in three bytes each
            height, width = shape
            data = data[:4] + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        parts += [name, struct.pack("<I", len(data)), data, b"\0" * (len(data) % 2)]
    body = b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = _HEAD
    while place + 8 <= len(file):
        name, size = struct.unpack_from("<4sI", file, place)
        yield name, file[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
