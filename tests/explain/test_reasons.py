"""Regions and what made them salient, by hand; outlines, filled again."""

from __future__ import annotations

import re

import cv2
import numpy as np

from salbox.explain.outlines import outline, outline_above
from salbox.explain.reasons import salient_regions


def test_two_regions_each_with_its_bases():
    products = np.zeros((3, 20, 30), np.float32)
    products[0, 3:7, 3:7] = 10.0
    products[1, 12:16, 20:26] = 7.0
    products[2, 12:16, 20:26] = 1.0
    products[2, :, :10] = -1.0  # takes away where the first region is
    first, second = salient_regions(products)
    assert first.mask.sum() == 16
    assert first.mask[3:7, 3:7].all()
    assert second.mask[12:16, 20:26].all()
    assert [reason.basis for reason in first.reasons] == [0]
    assert [reason.basis for reason in second.reasons] == [1, 2]
    # By hand: what each adds to the region, less its mean over the photo.
    excess = [7 - 7 * 24 / 600, 1 - (24 - 200) / 600]
    total = excess[0] + excess[1] - 10 * 16 / 600
    np.testing.assert_allclose([reason.share for reason in second.reasons], np.array(excess) / total, rtol=1e-6)


def test_the_rim_of_a_peak_is_no_second_region():
    y, x = np.mgrid[:40, :60]
    products = np.exp(-((x - 20.0) ** 2 + (y - 20) ** 2) / 80)[None]
    assert len(salient_regions(products)) == 1


def test_a_flat_map_has_no_region():
    assert salient_regions(np.ones((2, 5, 6))) == []


def test_an_outline_filled_again_is_the_mask():
    mask = np.zeros((60, 80), bool)
    mask[10:40, 0:30] = True
    mask[18:30, 8:20] = False  # a hole
    mask[45:, 50:] = True
    path = outline(mask)
    rings = [np.array(re.findall(r"(-?\d+) (-?\d+)", ring), int) for ring in path.split("Z")[:-1]]
    assert len(rings) == 3
    again = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(again, rings, 1)  # even-odd, as the page fills
    assert (again.astype(bool) != mask).mean() < 0.02
    assert outline(np.zeros((5, 5), bool)) == ""


def test_a_map_is_outlined_in_the_picture_s_pixels():
    values = np.zeros((6, 8), np.float32)
    values[2:4, 2:6] = 1
    numbers = [int(n) for n in re.findall(r"-?\d+", outline_above(values, 0.5, (60, 80)))]
    assert min(numbers[::2]) in range(18, 23)
    assert max(numbers[::2]) in range(57, 62)
    assert min(numbers[1::2]) in range(18, 23)
