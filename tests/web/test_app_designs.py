"""Two designs: one scale, shares of regions, hot spots, and a page that needs no other file."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from image_bytes import image_bytes
from PIL import Image

from salbox.apps import Attention, regions
from salbox.apps.hot_spots import RADIUS, hot_spots
from salbox.errors import UsageError
from salbox.web.app.crops import attention_of, crop_file, cropped, preview
from salbox.web.app.design_report import report_html
from salbox.web.app.designs import carried_over, draw_designs, examine, share_table, spot_table
from salbox.web.app.regions import Region
from salbox.web.app.uploads import read_upload


def design(place: int, name: str, side: int = 1600):
    """A white page with one red button."""
    pixels = np.full((side // 2, side, 3), 255, np.uint8)
    pixels[side // 4 : side // 4 + side // 20, place : place + side // 10] = (220, 20, 20)
    return read_upload(name, image_bytes(pixels))


@pytest.fixture(scope="module")
def designs():
    first, second = design(200, "first <b>.png"), design(1200, "second.png")
    drawn = [Region("left & high", 90, 200, 150, 120)]
    return [
        examine("A", first, "gbvs.student", drawn),
        examine("B", second, "gbvs.student", carried_over(drawn, first, second)),
    ]


def test_shares_are_those_of_the_function(designs):
    table = share_table(designs)
    assert table["region"].tolist() == ["left & high"]
    # The region on the working copy of 960 pixels, in those of the design itself.
    box = {"left & high": (150, 333, 250, 200)}
    expected = regions(designs[0].picture.full(), box, model="gbvs.student")["left & high"].share
    assert table.loc[0, "A: share %"] == pytest.approx(100 * expected, abs=0.5)
    assert table.loc[0, "change"] == pytest.approx(table.loc[0, "B: share %"] - table.loc[0, "A: share %"])
    assert table.loc[0, "A: share %"] > 2 * table.loc[0, "B: share %"]


def test_the_button_is_the_first_hot_spot(designs):
    first = spot_table(designs[0]).iloc[0]
    assert 150 <= first["x"] <= 420
    assert first["region"] == "left & high"
    assert spot_table(designs[1]).iloc[0]["x"] >= 1100


def test_hot_spots_by_hand():
    density = np.zeros((40, 40))
    density[10, 10], density[10, 11], density[30, 30], density[0, 39] = 0.4, 0.3, 0.2, 0.1
    found = hot_spots(Attention(density, (80, 80)), 3)
    assert [(spot.rank, spot.x, spot.y) for spot in found] == [(1, 21, 21), (2, 61, 61), (3, 79, 1)]
    assert [spot.share for spot in found] == pytest.approx([0.7, 0.2, 0.1])
    assert 1 < RADIUS * 40 < 20
    assert len(hot_spots(Attention(density, (80, 80)), 9)) == 3
    with pytest.raises(UsageError, match="at least 1"):
        hot_spots(Attention(density, (80, 80)), 0)


def test_both_are_drawn_on_one_scale():
    sharp, flat = design(200, "a.png", 400), design(200, "b.png", 400)
    one = examine("A", sharp, "gbvs.student", [])
    spread = Attention(np.full(one.attention.density.shape, 1 / one.attention.density.size), one.attention.shape)
    other = type(one)("B", flat, (), spread, None, ())
    alone, together = draw_designs([other])[0], draw_designs([one, other])[1]
    # By itself an even design is as hot as can be everywhere, beside a sharp one it is cold.
    white = 5, 5
    assert int(alone[white].min()) < int(together[white].min())


@pytest.mark.parametrize(("top", "first", "last"), [(100, 80, 100), (0, 60, 80)])
def test_a_name_stands_above_its_region_or_below_where_there_is_no_room(top, first, last):
    page = design(200, "a.png", 400)
    named, blank = (
        draw_designs([examine("A", page, "gbvs.student", [Region(name, 20, top, 150, 60)])])[0]
        for name in ("headline", " ")
    )
    rows, columns = np.nonzero((named != blank).any(axis=2))
    assert first <= rows.min() < rows.max() < last
    assert 20 <= columns.min() < columns.max() < 170


def test_the_page_needs_no_other_file_and_names_are_texts(designs):
    page = report_html(designs)
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    assert "first &lt;b&gt;.png" in page
    assert "first <b>" not in page
    assert "left &amp; high" in page
    assert page.count("<img") == 2
    shares = share_table(designs)
    assert f"{shares.loc[0, 'A: share %']:.1f}" in page


def test_one_design_alone_without_regions():
    page = report_html([examine("A", design(200, "a.png"), "gbvs.student", [])])
    assert "What regions get" not in page
    assert "Hot spots" in page


def test_a_crop_keeps_what_was_marked_and_is_cut_from_the_picture_itself():
    picture = design(1200, "wide.png")
    attention = attention_of(picture, "gbvs.student")
    free = cropped(picture, attention, "1:1", zoom=1, by_thirds=False, keep=[])
    assert free.box.x + free.box.width > 1200
    kept = cropped(picture, attention, "1:1", zoom=1, by_thirds=False, keep=[Region("edge", 0, 0, 10, 10)])
    assert (kept.box.x, kept.box.y) == (0, 0)
    pixels = np.asarray(Image.open(io.BytesIO(crop_file(picture, free))))
    box = free.box
    assert np.array_equal(pixels, picture.full()[box.y : box.bottom, box.x : box.right])
    banner = cropped(picture, attention, "120x90", zoom=1, by_thirds=False, keep=[])
    box = banner.box
    window = Image.fromarray(picture.full()).crop((box.x, box.y, box.right, box.bottom))
    expected = window.resize((120, 90), Image.Resampling.LANCZOS)  # as `salbox crop` writes it
    assert np.array_equal(Image.open(io.BytesIO(crop_file(picture, banner))), expected)
    shown, middle = preview(picture, free), round((box.x + box.width / 2) * 960 / 1600)
    assert (int(shown[5, 5].max()), int(shown[5, middle].max())) == (89, 255)
