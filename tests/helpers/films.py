"""Small videos whose frames can be told apart."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from skimage import data

from salbox.imaging.video_writing import VideoWriter

RATE = 12.5
PHOTO = np.ascontiguousarray(data.astronaut()[:200, :240])


def pan(count: int) -> list[np.ndarray]:
    """Return frames, (200, 160, 3) uint8, of a photo that moves."""
    return [np.ascontiguousarray(np.roll(PHOTO, 6 * i, axis=1)[:, :160]) for i in range(count)]


def film(path: Path, frames: int | Iterable[np.ndarray], rate: float = RATE) -> Path:
    """Write a video of these frames, or of so many; return its path."""
    with VideoWriter(path, rate) as writer:
        for frame in pan(frames) if isinstance(frames, int) else frames:
            writer.write(frame)
    return path


def retimed(path: Path, steps: Sequence[int]) -> Path:
    """Give the frames of an .mp4 that `film` wrote other durations, in frames of its rate."""
    content = path.read_bytes().replace(b"edts", b"free")
    (delta,) = struct.unpack_from(">I", content, content.index(b"stts") + 16)
    entries = b"".join(struct.pack(">II", 1, step * delta) for step in steps)
    path.write_bytes(with_box(content, b"stts", struct.pack(">II", 0, len(steps)) + entries))
    return path


def cut_by_edit_list(path: Path, first: int) -> Path:
    """Leave the first frames of an .mp4 that `film` wrote out, by its edit list."""
    content = path.read_bytes()
    (delta,) = struct.unpack_from(">I", content, content.index(b"stts") + 16)
    edit = struct.pack(">IIIiI", 0, 1, 1_000_000, first * delta, 0x10000)
    path.write_bytes(with_box(content, b"elst", edit))
    return path


def with_box(content: bytes, kind: bytes, payload: bytes) -> bytes:
    """Return an MP4 file with the payload of one kind of box replaced; its head stands behind its frames."""
    place, made = 0, b""
    while place < len(content):
        size, name = struct.unpack_from(">I4s", content, place)
        body = content[place + 8 : place + size]
        if name == kind:
            body = payload
        elif name in (b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl"):
            body = with_box(body, kind, payload)
        made += struct.pack(">I4s", len(body) + 8, name) + body
        place += size
    return made
