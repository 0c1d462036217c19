"""The parts that IKN and GBVS share, against values by hand and brute force."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

from salbox.classical._features import attenuate_borders, feature_maps, local_variance, map_shape, master_map, mat2gray
from salbox.errors import UsageError

ANGLES = (0.0, 45.0, 90.0, 135.0)


def features(image, channels, levels=(2, 3)):
    with ThreadPoolExecutor(2) as pool:
        return feature_maps(image, channels, set(levels), ANGLES, 0.1, pool)


def test_maps_of_every_channel():
    image = np.random.default_rng(0).integers(0, 256, (120, 161, 3), dtype=np.uint8)
    found = features(image, "RODIC")
    counts = {"C": 2, "D": 3, "I": 1, "O": 4, "R": 1}
    assert {channel: at[2].shape for channel, at in found.items()} == {c: (n, 30, 40) for c, n in counts.items()}
    assert {at[3].shape[1:] for at in found.values()} == {(15, 20)}
    for channel in "CDIOR":  # alone a channel is what it is among others, whatever planes it needs
        np.testing.assert_array_equal(features(image, channel)[channel][2], found[channel][2])


def test_intensity_is_the_largest_colour():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:] = (10, 200, 30)
    np.testing.assert_array_equal(features(image, "I")["I"][2], np.float32(200 / 255))


@pytest.mark.parametrize("channels", ["", "DIX", "d", "FM"])
def test_unknown_channels(channels):
    with pytest.raises(UsageError, match="channels"):
        features(np.zeros((20, 20, 3), np.uint8), channels)


@pytest.mark.parametrize(
    ("shape", "longest", "expected"),
    [
        ((600, 800, 3), 32, (24, 32)),
        ((799, 1200, 3), 32, (21, 32)),
        ((346, 600, 3), 32, (18, 32)),
        ((980, 1024, 3), 32, (31, 32)),
        ((600, 800, 3), 100, (75, 100)),
        ((1, 900, 3), 32, (1, 32)),
        ((1, 1, 3), 32, (32, 32)),
    ],
)
def test_map_shape(shape, longest, expected):
    assert map_shape(shape, longest) == expected


def test_attenuation_by_hand():
    np.testing.assert_allclose(
        attenuate_borders(np.ones((9, 10)), 4)[4], [0.2, 0.4, 0.6, 0.8, 1, 1, 0.8, 0.6, 0.4, 0.2]
    )
    assert attenuate_borders(np.ones((9, 10)), 4)[1, 2] == pytest.approx(0.4 * 0.6)
    # A side of 5 has room for two pixels, and then the longer side has two as well.
    narrow = attenuate_borders(np.ones((5, 9)), 4)
    np.testing.assert_allclose(narrow[2], [1 / 3, 2 / 3, 1, 1, 1, 1, 1, 2 / 3, 1 / 3])
    np.testing.assert_allclose(narrow[:, 4], [1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])
    np.testing.assert_array_equal(attenuate_borders(np.ones((1, 9)), 4), 1)


def test_local_variance_by_brute_force():
    plane = np.random.default_rng(5).random((9, 14)).astype(np.float32)
    for width, radius in ((0, 0), (1, 0), (4, 2), (5, 2), (40, 20)):
        expected = np.zeros(plane.shape)
        for y, x in np.ndindex(plane.shape):
            square = plane[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            expected[y, x] = square.var(dtype=np.float64)
        np.testing.assert_allclose(local_variance(plane, width), expected, atol=1e-14)


def test_stretching():
    np.testing.assert_allclose(mat2gray(np.array([[2.0, 3.0, 6.0]])), [[0, 0.25, 1]])
    np.testing.assert_array_equal(mat2gray(np.full((2, 2), 0.3)), 0.3)
    np.testing.assert_array_equal(mat2gray(np.full((2, 2), -4.0)), 0)
    np.testing.assert_array_equal(mat2gray(np.array([[7.0, 7 + 1e-12]]), flat=1e-10), 1)
    np.testing.assert_allclose(mat2gray(np.array([[7.0, 7 + 1e-9]]), flat=1e-10), [[0, 1]])


def test_the_master_map_is_blurred_by_a_gaussian_cut_at_two_sigma():
    total = np.random.default_rng(6).random((24, 32))
    sharp = mat2gray(attenuate_borders(total, 4))
    np.testing.assert_array_equal(master_map(total, 0), sharp)
    # SciPy's filter with the same radius: 0.03 * 32 = 0.96, two pixels.
    expected = mat2gray(ndimage.gaussian_filter(sharp, 0.96, mode="nearest", radius=2))
    np.testing.assert_allclose(master_map(total, 0.03), expected, atol=1e-13)


def test_a_constant_total_is_no_picture_of_the_borders():
    np.testing.assert_array_equal(master_map(np.full((24, 32), 3.0), 0.02), 0)
