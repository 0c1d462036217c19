"""Colour spaces against scikit-image, the published table and values by hand."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color, data

from salbox.classical._color import BACKGROUND_LMS, COLOR_SPACES, LMS_OF_GUNS, dkl, gamma_table, opponent


def convert(name, image):
    space = COLOR_SPACES[name]
    return space.pixelwise(image) @ space.matrix.T + space.offset


@pytest.fixture(scope="module")
def image():
    """Return a photo with the corners of the colour cube and all greys in it."""
    photo = data.astronaut()[::4, ::4].copy()
    photo[0, :8] = np.array(np.meshgrid([0, 255], [0, 255], [0, 255])).reshape(3, -1).T
    photo[1:3] = np.arange(256).reshape(2, 128, 1)
    return photo


def test_lab(image):
    np.testing.assert_allclose(convert("LAB", image), color.rgb2lab(image), atol=1e-3)
    # scikit-image rounds the tangent below the cube root to 7.787 and 16/116; where it does not matter, to the last bit
    light = image.min(axis=2) > 30
    np.testing.assert_allclose(convert("LAB", image)[light], color.rgb2lab(image)[light], atol=1e-12)


def test_ycbcr_and_hsv_and_gray(image):
    np.testing.assert_allclose(convert("YCbCr", image) * 255, color.rgb2ycbcr(image), atol=1e-11)
    np.testing.assert_allclose(convert("HSV", image), color.rgb2hsv(image), atol=1e-12)
    np.testing.assert_allclose(convert("gray", image), color.rgb2yuv(image)[..., :1], atol=1e-3)
    np.testing.assert_array_equal(convert("RGB", image), image / 255)


def test_the_table_is_the_published_one(shared):
    published = np.loadtxt(shared / "weights" / "gbvs" / "dkl_gamma.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(gamma_table(), published.T)
    assert gamma_table().shape == (3, 256)


@pytest.mark.parametrize(
    ("value", "entry"), [(0.0, 1), (1e-9, 1), (0.99 / 255, 1), (1 / 255, 2), (0.5, 128), (1.0, 255)]
)
def test_entries_of_the_table(value, entry):
    plane = np.full((2, 3), value, np.float32)
    lms = LMS_OF_GUNS @ gamma_table()[:, entry - 1] - BACKGROUND_LMS
    expected = [
        0.5774 * (lms[0] + lms[1]),
        2.7525 * (lms[0] - lms[1] * 34.9185389578 / 19.3147966765),
        0.4526 * (-lms[0] - lms[1] + lms[2] * (34.9185389578 + 19.3147966765) / 0.5856108185),
    ]
    axes = dkl(plane, plane, plane)
    assert axes.shape == (3, 2, 3)
    np.testing.assert_allclose(axes[:, 0, 0], expected, atol=1e-12)


def test_the_entry_is_found_in_double_precision():
    """float32(k / 255) lies above k / 255 but for k = 0 and 255: a product in single precision hides that."""
    levels = np.arange(256)
    plane = (levels / 255.0).astype(np.float32)[None]
    np.testing.assert_array_equal(np.ceil(plane[0] * np.float32(255)), levels)
    entries = np.concatenate([[1], levels[1:-1] + 1, [255]])
    blank = np.zeros_like(plane)
    luminance = dkl(plane, blank, blank)[0, 0]
    light = gamma_table()[0, entries - 1]
    np.testing.assert_allclose(luminance - luminance[0], 0.5774 * 22.42079 * (light - light[0]), atol=1e-11)


def test_opponent_colours_by_hand():
    red, green, blue, intensity = np.array([[[0.5, 0.0]], [[0.25, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]], np.float32)
    np.testing.assert_array_equal(opponent(red, green, blue, intensity), [[[0.75, 0]], [[0.25, 0]]])
