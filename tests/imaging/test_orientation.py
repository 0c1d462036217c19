"""Whichever way a picture lies in its file, it is read upright, and its shape is told as it is read."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from salbox import read_image
from salbox.imaging.gray import read_gray
from salbox.imaging.image import image_shape, read_unturned

SHAPE = (24, 40)
ROWS, COLUMNS = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
STORED = np.dstack([COLUMNS * 6, ROWS * 10, 255 - COLUMNS * 6]).astype(np.uint8)
KINDS = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "MPO": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "TIFF, packed": {"compression": "tiff_lzw"},
    "AVIF": {"quality": 100},
    "HEIF": {"quality": 100},
}
# The first row and column of what is stored lie so when it is seen (TIFF 6.0, "Orientation").
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def written(path, kind, orientation, pixels=STORED):
    name, options = kind.partition(",")[0], KINDS[kind]
    if name == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    elif name == "AVIF" and "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow has no AVIF")
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, name, exif=exif.tobytes(), **options)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_every_kind(kind, orientation, tmp_path):
    Image.init()
    path = written(tmp_path / "a", kind, orientation)
    expected = UPRIGHT[orientation](STORED)
    pixels = read_image(path)
    assert pixels.shape[:2] == image_shape(path) == expected.shape[:2]
    assert np.abs(pixels.astype(int) - expected).max() < 30
    as_stored = read_unturned(path)
    assert as_stored.shape[:2] == image_shape(path, is_turned=False)
    if kind != "HEIF":  # whose own way of turning is no remark beside the picture
        assert np.abs(as_stored.astype(int) - STORED).max() < 30
    with Image.open(path) as opened:
        np.testing.assert_array_equal(read_image(opened), pixels)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_maps_and_masks_are_turned_as_images_are(kind, tmp_path):
    path = written(tmp_path / "a", kind, 6, STORED[:, :, 0])
    assert np.abs(read_gray(path).astype(int) - np.rot90(STORED[:, :, 0], -1)).max() < 4


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("is_behind", [False, True])
@pytest.mark.parametrize("notes", ["EXIF", "XMP"])
def test_notes_of_a_png_before_and_behind_its_pixels(notes, is_behind):
    file = io.BytesIO()
    Image.fromarray(STORED).save(file, "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>')
    extra = chunk(b"eXIf", exif.tobytes()[6:]) if notes == "EXIF" else xmp
    at = len(file.getvalue()) - 12 if is_behind else 33
    data = file.getvalue()[:at] + extra + file.getvalue()[at:]
    np.testing.assert_array_equal(read_image(data), np.rot90(STORED, -1))


def test_the_shape_of_a_png_is_told_without_decoding_it(tmp_path):
    file = io.BytesIO()
    Image.fromarray(STORED).save(file, "PNG")
    data = bytearray(file.getvalue())
    data[60] ^= 255  # within the pixels
    (tmp_path / "a.png").write_bytes(data)
    assert image_shape(tmp_path / "a.png") == SHAPE
