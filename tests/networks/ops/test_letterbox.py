"""Images in frames and maps out of them, against OpenCV's resizing of the whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from salbox.networks.ops.letterbox import fit, unfit

SIZES = [(600, 800), (288, 384), (100, 37), (37, 100), (1, 1), (1, 50), (50, 1), (3, 4), (1000, 20), (31, 640)]


def by_opencv(saliency: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Enlarge until both sides are covered, cut the middle out."""
    (height, width), (high, wide) = saliency.shape, shape
    if high / height > wide / width:
        whole = cv2.resize(saliency, (width * high // height, high))
        start = (whole.shape[1] - wide) // 2
        return whole[:, start : start + wide]
    whole = cv2.resize(saliency, (wide, height * wide // width))
    start = (whole.shape[0] - high) // 2
    return whole[start : start + high]


@pytest.mark.parametrize("shape", SIZES)
def test_maps_come_back_as_opencv_would_bring_them(shape):
    saliency = np.random.default_rng(0).random((36, 48), np.float32)
    found = unfit(saliency, shape)
    assert found.shape == shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_opencv(saliency, shape), atol=2e-6)


@pytest.mark.parametrize("shape", SIZES)
def test_images_are_framed_in_the_middle(shape):
    image = np.random.default_rng(0).integers(100, 256, (*shape, 3), dtype=np.uint8)
    framed = fit(image, 36, 48, 7)
    assert framed.shape == (36, 48, 3)
    inside = (framed != 7).all(2)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    inner = framed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert inner.shape[0] == 36 or inner.shape[1] == 48
    assert abs(rows[0] - (35 - rows[-1])) <= 1
    assert abs(columns[0] - (47 - columns[-1])) <= 1
    np.testing.assert_array_equal(inner, cv2.resize(image, inner.shape[1::-1]))


def test_a_very_long_image_takes_little_memory():
    """Covering it would take a map of 2,250,000 by 3,000,000."""
    saliency = np.random.default_rng(0).random((288, 384), np.float32)
    assert unfit(saliency, (1, 3_000_000)).shape == (1, 3_000_000)
    assert unfit(saliency, (3_000_000, 1)).shape == (3_000_000, 1)
