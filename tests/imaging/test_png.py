"""PNG files whose checksums do not fit are refused: Pillow decodes some of them into other pixels."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import pairwise

import numpy as np
import pytest
from image_bytes import image_bytes
from PIL import Image

import salbox
from salbox.errors import ImageError
from salbox.imaging._png import SIGNATURE, check_sums

PIXELS = (np.indices((24, 24)).sum(0)[..., None] * np.array([2, 1, 3])).astype(np.uint8)


def png() -> bytes:
    return image_bytes(PIXELS)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_no_turned_bit_of_the_pixels_goes_unseen():
    content = png()
    start = content.index(b"IDAT") + 4
    end = content.index(b"IEND") - 8
    for place in range(start, end):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            with pytest.raises(ImageError, match="broken image"):
                salbox.read_image(bytes(damaged))


def test_nor_do_other_pixels_that_unpack_well():
    """The stream of another picture in the place of this one's, under this one's checksum."""
    content = png()
    start, end = content.index(b"IDAT") + 4, content.index(b"IEND") - 8
    other = zlib.compress(bytes((24 * 3 + 1) * 24), 0)
    packed = chunk(b"IDAT", other)[:-4] + content[end : end + 4]
    damaged = content[: start - 8] + packed + content[end + 4 :]
    with Image.open(io.BytesIO(damaged)) as image:
        assert not np.asarray(image).any()  # Pillow gives a black picture
    with pytest.raises(ImageError, match="a checksum does not fit"):
        salbox.read_image(damaged)


def test_sound_files_of_several_chunks_are_read(tmp_path):
    head, body = png()[: len(SIGNATURE) + 25], zlib.compress(bytes((24 * 3 + 1) * 24))
    pieces = [chunk(b"IDAT", body[a:b]) for a, b in pairwise((0, 1, 5, len(body)))]
    content = head + chunk(b"tEXt", b"a\0b") + b"".join(pieces) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(content)
    assert not salbox.read_image(tmp_path / "a.png").any()


def test_what_a_picture_can_do_without_may_be_damaged():
    content = png()
    place = content.index(b"IEND") - 4
    text = bytearray(chunk(b"tEXt", b"a\0b"))
    text[-1] ^= 1
    file = io.BytesIO(content[:place] + bytes(text) + content[place:])
    file.seek(7)
    check_sums(file)
    assert file.tell() == 7
