"""BMS against the authors' program, and its steps against SciPy and values by hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from oracle import demo_map, demo_photo, oracle_maps
from scipy import ndimage
from skimage import data

from salbox.classical.bms import bms, color_features, mean_attention, surrounded

FIXTURE = Path(__file__).parent / "fixtures" / "bms.npz"


@pytest.mark.slow
def test_equals_the_original(shared):
    for o in oracle_maps(shared, "bms"):
        attention = mean_attention(o.image)[::2, ::2]
        assert np.abs(attention - o.extra["raw"]).max() <= 1e-5 * o.extra["raw"].max(), o.name
        difference = np.abs(bms(o.image)[::4, ::4] - o.every_4th)
        assert difference.max() <= 1, o.name
        assert (difference > 0).mean() <= 1e-3, o.name


def test_agrees_with_the_published_demo_map(shared):
    saliency = bms(demo_photo(shared))
    assert np.corrcoef(saliency.ravel(), demo_map(shared, "bms").ravel())[0, 1] > 0.998


def test_output_has_not_changed():
    np.testing.assert_allclose(mean_attention(data.astronaut())[::16, ::16], np.load(FIXTURE)["attention"], rtol=1e-5)


def test_surrounded_regions_agree_with_labelling():
    """Independent: label the regions of each value with SciPy and drop those with a pixel on the border."""
    rng = np.random.default_rng(3)
    eight = np.ones((3, 3), int)
    for size in (5, 20, 61):
        blobs = ndimage.gaussian_filter(rng.normal(size=(size, size + 3)), 1) > 0
        expected = np.zeros(blobs.shape, bool)
        for value in (blobs, ~blobs):
            labels, _ = ndimage.label(value, eight)
            border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
            expected |= value & ~np.isin(labels, border)
        np.testing.assert_array_equal(surrounded(blobs.astype(np.uint8) * 255) > 0, expected)


def test_a_ring_surrounds_its_hole_and_a_diagonal_is_a_connection():
    ring = np.zeros((7, 7), np.uint8)
    ring[2:5, 2:5] = 255
    ring[3, 3] = 0
    inside = surrounded(ring) > 0
    assert inside[2:5, 2:5].all()
    assert inside.sum() == 9
    ring[1, 1] = ring[0, 0] = 255  # a diagonal chain from the ring to the corner
    assert not surrounded(ring)[2, 2]
    assert surrounded(ring)[3, 3]


def test_whitened_features_are_decorrelated():
    image = data.astronaut()
    before = cv2.cvtColor(np.ascontiguousarray(image[:, :, ::-1]), cv2.COLOR_RGB2Lab).reshape(-1, 3)
    after = np.stack([f.ravel() for f in color_features(image)], axis=1)

    def largest(values):
        return np.abs(np.corrcoef(values.T) - np.eye(3)).max()

    assert largest(after) < 0.1 < largest(before)


def test_attention_of_one_square_by_hand():
    """A grey square on black: every threshold gives the same map, a square dilated and divided by its norm."""
    image = np.zeros((400, 400, 3), np.uint8)
    image[100:200, 100:200] = 200
    attention = mean_attention(image, color_space="RGB", whitening=False, dilation_width_1=7)
    # Three equal features, 32 thresholds 0, 8, ..., 248; the square grows by 3 pixels a side: norm 1 / 106.
    expected = np.zeros((400, 400))
    expected[97:203, 97:203] = 3 * 32 / 106
    # The median filter cuts the four corners, so leave their surroundings out.
    np.testing.assert_allclose(attention[110:190], expected[110:190], rtol=1e-3)


def test_parameters_matter():
    image = data.astronaut()
    default = bms(image)
    for changed in (
        {"sample_step": 32},
        {"dilation_width_1": 1},
        {"dilation_width_2": 31},
        {"blur_std": 0},
        {"color_space": "RGB"},
        {"whitening": False},
        {"max_dim": 100},
    ):
        other = bms(image, **changed)
        assert other.shape == default.shape
        assert not np.array_equal(other, default), changed


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (900, 2)])
def test_constant_images_give_zero(shape):
    assert not bms(np.full((*shape, 3), 90, np.uint8)).any()
