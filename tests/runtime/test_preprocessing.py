"""The size at which networks look at photos."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salbox.errors import UsageError
from salbox.runtime.preprocessing import Preprocessing, resize

BOX = Preprocessing("area", 192, 256)


@pytest.mark.parametrize(
    ("photo", "expected"),
    [((480, 640), (192, 256)), ((640, 480), (256, 192)), ((512, 512), (224, 224)), ((1, 4000), (32, 1664))],
)
def test_area_by_hand(photo, expected):
    assert BOX.working_size(*photo) == expected


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_area_is_the_nearest_shape_of_about_as_many_pixels(height, width):
    h, w = BOX.working_size(height, width)
    area = 192 * 256
    assert h % 32 == 0
    assert w % 32 == 0
    assert 0.8 * area <= h * w <= 1.1 * area

    def distance(a, b):
        return abs(math.log(a / b) - math.log(height / width))

    sides = range(32, 2048, 32)
    others = [(a, b) for a in sides for b in sides if 0.8 * area <= a * b <= 1.1 * area]
    best = min(distance(*other) for other in others)
    assert distance(h, w) == pytest.approx(best, abs=1e-8)
    assert h * w == max(a * b for a, b in others if distance(a, b) < best + 1e-8)


def test_fixed_and_native():
    assert Preprocessing("fixed", 48, 64).working_size(1000, 10) == (48, 64)
    assert Preprocessing("native", 1, 1).working_size(123, 45) == (123, 45)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((600, 800), (600, 800)),
        ((3000, 4000), (1732, 2309)),
        ((1, 1), (64, 64)),
        ((1, 30_000), (64, 30_000)),
        ((1, 300_000), (64, 62_500)),
        ((100_000_000, 1), (62_500, 64)),
    ],
)
def test_sizes_are_bounded(size, expected):
    assert Preprocessing("bounded", 2000, 2000, multiple=64).working_size(*size) == expected


def test_prepare_shrinks_by_area_and_enlarges_by_cubic():
    random = np.random.default_rng(0)
    large, small = (random.integers(0, 256, (*s, 3), np.uint8) for s in ((96, 128), (12, 16)))
    fixed = Preprocessing("fixed", 48, 64)
    halves = large.reshape(48, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(fixed.prepare(large) - halves).max() <= 0.5
    np.testing.assert_array_equal(fixed.prepare(small), cv2.resize(small, (64, 48), interpolation=cv2.INTER_CUBIC))
    assert resize(large, 96, 128) is large


def test_a_way_through_a_dictionary():
    assert Preprocessing.from_dict(BOX.to_dict()) == BOX


@pytest.mark.parametrize(
    "values",
    [
        {},
        [],
        {"rule": "area"},
        {"rule": "other", "height": 1, "width": 1},
        {"rule": "fixed", "height": 0, "width": 1},
        {"rule": "fixed", "height": 1.5, "width": 1},
        {"rule": "fixed", "height": True, "width": 1},
        {"rule": "fixed", "height": 10**9, "width": 1},
        {"rule": "area", "height": 8192, "width": 8192, "multiple": 1},
        {"rule": "area", "height": 8, "width": 8, "multiple": 32},
        {"rule": "fixed", "height": 8, "width": 8, "other": 1},
    ],
)
def test_what_does_not_fit_costs_one_line(values):
    with pytest.raises(UsageError, match="preprocessing") as caught:
        Preprocessing.from_dict(values)
    assert "\n" not in str(caught.value)
