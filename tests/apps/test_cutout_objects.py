"""Which of several objects is cut out."""

from __future__ import annotations

import numpy as np
import pytest
from red_objects import drawn, two_discs

from salbox.apps.cutout_objects import only_object
from salbox.errors import UsageError

SHAPE = (300, 400)  # of a photo four times as large as the map
MAP = drawn(75, 100, two_discs)


@pytest.mark.parametrize(
    ("wanted", "left", "right"),
    [("all", True, True), ("largest", True, False), ("120,150", True, False), ("312,150", False, True)],
)
def test_one_is_kept_and_the_others_go(wanted, left, right):
    found = only_object(MAP, wanted, SHAPE)
    halves = found[:, :58], found[:, 58:]
    for kept, half, whole in zip((left, right), halves, (MAP[:, :58], MAP[:, 58:]), strict=True):
        assert (half == whole).all() if kept else not half.any()


def test_the_soft_edge_goes_with_its_object():
    soft = np.zeros((20, 40), np.float32)
    soft[8:12, 4:10], soft[8:12, 25:36] = 0.9, 0.8
    soft[8:12, 10:13], soft[8:12, 22:25] = 0.3, 0.4
    found = only_object(soft, "largest", (20, 40))
    assert not found[:, :17].any()
    assert (found[:, 22:] == soft[:, 22:]).all()


@pytest.mark.parametrize(
    ("inside", "width", "stays"), [(0.7, 4, False), (0.9, 4, True), (0.7, 12, True)], ids=["speck", "sure", "large"]
)
def test_of_all_those_that_are_small_and_unsure_are_left_out(inside, width, stays):
    found = np.full((20, 60), 0.1, np.float32)
    found[4:16, 5:30] = 0.6  # the largest stays, however unsure
    found[6:14, 40 : 40 + width], found[6:14, 39] = inside, 0.4
    kept = only_object(found, "all", (20, 60))
    assert (kept[:, :34] == found[:, :34]).all()
    assert (kept[:, 37:] == found[:, 37:]).all() if stays else not kept[:, 37:].any()
    assert only_object(found, "41,10", (20, 60))[10, 41] == found[10, 41]  # whoever points at it means it


def test_close_beside_is_near_enough():
    edge = int((0.3 * 100 - 0.25 * 75) * 4)  # left end of the left disc, in the photo
    assert (only_object(MAP, f"{edge - 4},150", SHAPE) == only_object(MAP, "largest", SHAPE)).all()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("5,5", "the model finds none there; the nearest is at "),
        ("400,10", "outside the image, which is 400x300"),
        ("first", "expected all, largest, or a pixel of it as X,Y"),
        ("-1,3", "expected all"),
        ("1,2,3", "expected all"),
    ],
)
def test_what_points_at_nothing_is_a_line(wanted, said):
    with pytest.raises(UsageError, match=said):
        only_object(MAP, wanted, SHAPE)


def test_nothing_found_stays_nothing():
    empty = np.full((6, 8), 0.2, np.float32)
    assert (only_object(empty, "largest", (6, 8)) == empty).all()
    with pytest.raises(UsageError, match="finds no object"):
        only_object(empty, "1,1", (6, 8))
