"""Images read only as large as they are needed: the same picture, at a fraction of the memory."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from skimage import data

import salbox
from salbox.errors import ImageError
from salbox.imaging.reduced import read_reduced
from salbox.imaging.scaling import smaller_copy

PHOTO = np.asarray(Image.fromarray(data.astronaut()[:360]).resize((1024, 720), Image.Resampling.BICUBIC))


def stored(kind: str, mode: str = "RGB", **options) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(PHOTO)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    elif mode == "RGBA":
        image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 1024).astype(np.uint8), (720, 1))))
    else:
        image = image.convert(mode)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return stored("JPEG", quality=95, exif=exif)


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (stored("JPEG", quality=95), (720, 1024)),
        (stored("JPEG", "CMYK", quality=95), (720, 1024)),
        (stored("JPEG", "L", quality=95), (720, 1024)),
        (turned(), (1024, 720)),
        (stored("PNG", compress_level=1), (720, 1024)),
        (stored("PNG", "RGBA", compress_level=1), (720, 1024)),
        (stored("PNG", "I;16", compress_level=1), (720, 1024)),
        (stored("PNG", "P", compress_level=1), (720, 1024)),
    ],
)
@pytest.mark.parametrize("side", [150, 3000])
def test_what_is_read_small_is_what_is_read_and_made_small(content, shape, side):
    pixels, whole = read_reduced(content, side)
    expected = smaller_copy(salbox.read_image(content), side)
    assert whole == shape
    assert pixels.shape == expected.shape
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - expected).mean() < 3
    if side == 3000:
        np.testing.assert_array_equal(pixels, expected)


def test_arrays_open_pictures_and_files(tmp_path):
    expected = smaller_copy(PHOTO, 100)
    (tmp_path / "a.jpg").write_bytes(stored("JPEG", quality=95))
    picture = Image.open(io.BytesIO(stored("JPEG", quality=95)))
    with (tmp_path / "a.jpg").open("rb") as file:
        for source in (PHOTO, picture, tmp_path / "a.jpg", str(tmp_path / "a.jpg"), file):
            pixels, shape = read_reduced(source, 100)
            assert shape == (720, 1024)
            assert np.abs(pixels.astype(int) - expected).mean() < 4
    assert picture.size == (1024, 720)  # somebody's own stays as it is


def test_a_large_jpeg_takes_no_memory_of_its_size():
    content = stored("JPEG", quality=80)
    tracemalloc.start()
    read_reduced(content, 100)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < PHOTO.nbytes / 4


@pytest.mark.parametrize(
    ("content", "limit", "message"),
    [
        (stored("JPEG")[:4000], 10**9, "broken image"),
        (b"text", 10**9, "not an image"),
        (b"", 10**9, "empty file"),
        (stored("JPEG"), 10**5, "more than the limit of 0.1"),
    ],
)
def test_what_cannot_be_read(content, limit, message):
    with pytest.raises(ImageError, match=message):
        read_reduced(content, 100, max_pixels=limit)
