"""Reading: every kind of file and array becomes the same thing, and what cannot be read says why in one line."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import salbox
from salbox import read_image

COLORS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]], [[0, 0, 0], [10, 20, 30]]], np.uint8)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_files_come_back_as_they_were(kind, tmp_path):
    data = encoded(Image.fromarray(COLORS), kind)
    path = tmp_path / "photo"
    path.write_bytes(data)
    for source in (data, path, str(path), io.BytesIO(data), Image.open(path), COLORS):
        pixels = read_image(source)
        np.testing.assert_array_equal(pixels, COLORS)
        assert pixels.dtype == np.uint8
        assert pixels.flags.c_contiguous


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_lossy_files_come_back_nearly(kind):
    smooth = np.repeat(np.linspace(0, 255, 64, dtype=np.uint8)[:, None], 64, 1)
    pixels = read_image(encoded(Image.fromarray(smooth).convert("RGB"), kind))
    assert np.abs(pixels.astype(int) - smooth[:, :, None]).max() < 10


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rows are columns
    data = encoded(Image.fromarray(COLORS), "TIFF", exif=exif)
    np.testing.assert_array_equal(read_image(data), np.rot90(COLORS, -1))


def test_transparency_is_laid_over_white():
    rgba = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [0, 0, 0, 51]]], np.uint8)
    expected = [[[200, 100, 0], [255, 255, 255], [204, 204, 204]]]
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(rgba), "PNG")), expected)
    np.testing.assert_array_equal(read_image(rgba), expected)


def test_palette_with_a_transparent_entry():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    pixels = read_image(encoded(image, "PNG", transparency=1))
    np.testing.assert_array_equal(pixels, [[[10, 20, 30], [255, 255, 255]]])


def test_16_bits_are_rounded_to_8():
    values = np.array([[0, 128, 129, 65535, 257 * 77]], np.uint16)
    expected = np.array([[0, 0, 1, 255, 77]], np.uint8)
    np.testing.assert_array_equal(read_image(values)[:, :, 0], expected)
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(values), "PNG"))[:, :, 0], expected)


def test_cmyk_and_grey_become_rgb():
    cmyk = Image.new("CMYK", (3, 2), (0, 255, 255, 0))
    np.testing.assert_array_equal(np.unique(read_image(cmyk).reshape(-1, 3), axis=0), [[255, 0, 0]])
    np.testing.assert_array_equal(read_image(np.full((2, 3), 7, np.uint8)), np.full((2, 3, 3), 7))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP"])
def test_of_several_frames_the_first_is_taken_and_it_says_so(kind):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue", "green")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    with pytest.warns(salbox.ImageWarning, match="has 3 frames; the first is taken"):
        pixels = read_image(data)
    assert np.abs(pixels[0, 0].astype(int) - (255, 0, 0)).max() < 5


def test_a_16_bit_colour_file_is_within_a_level(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), values[:, :, ::-1])
    assert np.abs(read_image(tmp_path / "a.png") - values / 257).max() < 1


def test_postscript_is_not_handed_to_another_program():
    with pytest.raises(salbox.ImageError, match="not an image"):
        read_image(encoded(Image.fromarray(COLORS), "EPS"))


@pytest.mark.parametrize(
    ("array", "value"),
    [
        (np.ones((2, 2), bool), 255),
        (np.full((2, 2, 1), 0.5), 128),
        (np.full((2, 2, 3), 1.0, np.float32), 255),
        (np.full((2, 2, 4), 255, np.uint8), 255),
    ],
)
def test_arrays(array, value):
    np.testing.assert_array_equal(read_image(array), np.full((2, 2, 3), value))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "empty file"),
        (b"no picture", "not an image"),
        (encoded(Image.fromarray(COLORS), "PNG")[:40], "image"),
        (np.zeros((2, 2, 2), np.uint8), "expected"),
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros(3, np.uint8), "no pixels"),
        (np.full((2, 2), 2.0), r"expected 0\.\.1"),
        (np.full((2, 2), np.nan), r"expected 0\.\.1"),
        (np.zeros((2, 2), np.int64), "dtype int64"),
        ("nowhere.png", "no such file"),
        (".", "is a folder"),
        (3, "cannot read an image from int"),
    ],
)
def test_what_is_no_image_says_why_in_one_line(source, message):
    with pytest.raises(salbox.ImageError, match=message) as caught:
        read_image(source)
    assert "\n" not in str(caught.value)


def test_truncated_photo_is_broken():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG")
    with pytest.raises(salbox.ImageError, match="broken image"):
        read_image(data[: len(data) // 2])


def test_too_large_is_refused_before_it_is_decoded():
    data = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(salbox.ImageError, match="400 megapixels"):
        read_image(data)
    small = encoded(Image.fromarray(COLORS), "PNG")
    with pytest.raises(salbox.ImageError, match="limit"):
        read_image(small, max_pixels=5)
    assert read_image(small, max_pixels=6).shape == (3, 2, 3)


def test_pillow_s_own_limit_is_left_alone():
    before = Image.MAX_IMAGE_PIXELS
    read_image(encoded(Image.fromarray(COLORS), "PNG"))
    assert before == Image.MAX_IMAGE_PIXELS


class Odd(np.ndarray):
    """A kind of array of somebody's own."""


BRIGHT = np.array([[0.0, 1.0], [0.2, 0.6]])


@pytest.mark.parametrize(
    "array",
    [
        BRIGHT.view(np.matrix),
        np.ma.masked_array(BRIGHT),
        BRIGHT.view(Odd),
        BRIGHT.astype(">f8"),
        BRIGHT.astype(np.longdouble),
        np.rint(BRIGHT * 65535).astype(">u2"),
        np.rint(BRIGHT * 255).astype(np.uint8)[::-1][::-1],
        BRIGHT[::-1, ::-1].copy()[::-1, ::-1],
        np.broadcast_to(BRIGHT[:, :, None], (2, 2, 3)),
    ],
    ids=["matrix", "nothing masked", "subclass", "byte order", "long", "uint16", "u8", "negative strides", "read-only"],
)
def test_every_kind_of_array_is_read_alike(array):
    pixels = read_image(array)
    assert type(pixels) is np.ndarray
    np.testing.assert_array_equal(pixels, np.repeat(np.rint(BRIGHT * 255)[:, :, None], 3, axis=2))


def test_a_memory_map(tmp_path):
    array = np.memmap(tmp_path / "a", np.uint8, "w+", shape=COLORS.shape)
    array[:] = COLORS
    np.testing.assert_array_equal(read_image(array), COLORS)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ma.masked_less(BRIGHT, 0.5), "masked elements"),
        (BRIGHT.astype(object), "dtype object"),
        (np.zeros((2, 2), [("r", np.uint8)]), "dtype"),
        (np.rec.array(np.zeros((2, 2), [("r", np.uint8)])), "dtype"),
        (BRIGHT * 1j, "dtype complex128"),
        (BRIGHT.astype("M8[s]"), "dtype"),
        (np.array([["a"]]), "dtype"),
        (np.array(3), "no pixels"),
        (np.zeros((2, 2, 0)), "expected"),
        (np.zeros((1, 2, 2, 3)), "expected"),
        ([[0.0, 1.0]], "cannot read an image from list"),
    ],
)
def test_arrays_that_are_no_images(array, message):
    with pytest.raises(salbox.ImageError, match=message) as caught:
        read_image(array)
    assert "\n" not in str(caught.value)


def test_every_mode_of_pillow_is_read():
    for mode in (
        "1",
        "L",
        "P",
        "RGBA",
        "CMYK",
        "YCbCr",
        "LAB",
        "HSV",
        "I",
        "F",
        "LA",
        "PA",
        "RGBX",
        "RGBa",
        "La",
        "I;16",
    ):
        assert read_image(Image.new(mode, (4, 3))).shape == (3, 4, 3)


def test_a_transparent_grey_value_of_16_bits():
    values = np.array([[0, 300, 65535]], np.uint16)
    data = encoded(Image.fromarray(values), "PNG", transparency=300)
    assert read_image(data)[0, :, 0].tolist() == [0, 255, 255]


@given(
    hnp.arrays(
        st.sampled_from([np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(bool)]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9).flatmap(
            lambda s: st.sampled_from([s, (*s, 1), (*s, 3), (*s, 4)])
        ),
    )
)
def test_every_array_becomes_an_image_of_its_size(array):
    pixels = read_image(array)
    assert pixels.shape == (*array.shape[:2], 3)
    assert pixels.dtype == np.uint8
