"""Rectangles as a browser sends them, which may be anything."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.web.app.regions import MAX_REGIONS, Region, mask_of, regions_from

SHAPE = (100, 200)


def drawn(**values):
    return {"name": "logo", "x": 10, "y": 20, "width": 30, "height": 40, **values}


def test_regions_are_brought_into_the_picture():
    found = regions_from([drawn(), drawn(name="edge", x=190, y=-5, width=50, height=10)], SHAPE)
    assert found == [Region("logo", 10, 20, 30, 40), Region("edge", 190, 0, 10, 5)]


@pytest.mark.parametrize(
    "value",
    [
        None, 7, "logo", [], drawn(x="10"), drawn(x=float("nan")), drawn(width=float("inf")), drawn(width=0),
        drawn(x=500), drawn(y=True), {"name": "logo"},
    ],
)  # fmt: skip
def test_what_is_no_region_is_left_out(value):
    assert regions_from([value, drawn(name="good")], SHAPE) == [Region("good", 10, 20, 30, 40)]
    assert regions_from(value, SHAPE) == []


def test_names_are_short_printable_and_unique():
    names = [
        region.name for region in regions_from([drawn(), drawn(), drawn(name="\x1b[1m\n"), drawn(name="x" * 99)], SHAPE)
    ]
    assert names == ["logo", "logo (2)", "region 3", "x" * 40]


def test_there_are_only_so_many():
    assert len(regions_from([drawn()] * 99, SHAPE)) == MAX_REGIONS


def test_a_mask_holds_every_region():
    mask = mask_of([Region("a", 0, 0, 2, 1), Region("b", 1, 0, 2, 2)], (3, 4))
    assert np.array_equal(mask, [[1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]])


def test_a_region_is_carried_over_to_another_size():
    assert Region("a", 10, 20, 30, 40).scaled((100, 200), (50, 400)) == Region("a", 20, 10, 60, 20)
    assert Region("a", 199, 99, 1, 1).scaled((100, 200), (10, 20)).width == 1
