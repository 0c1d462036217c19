"""Windows that keep the most attention: exact, whole, and as asked for."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

import salbox
import salbox.apps
from salbox.apps._windows import STRIP, Field, candidates, largest
from salbox.apps.attention import CELLS, Attention, as_density, attend, on_grid
from salbox.apps.box import Box, hull, parse_box
from salbox.apps.crops import CLEARLY, THIRDS_COST, ZOOMED_KEEPS, CropOptions, best_crop
from salbox.apps.sizes import parse_size
from salbox.errors import UsageError


def random_attention(shape: tuple[int, int], cells: tuple[int, int], seed: int = 0) -> Attention:
    density = np.random.default_rng(seed).random(cells) ** 6
    return Attention(density / density.sum(), shape, "drawn")


def spot(shape: tuple[int, int], x: int, y: int, size: int = 6) -> Attention:
    """Return attention of which nearly all lies on a few pixels."""
    density = np.full(shape, 1e-6)
    density[y : y + size, x : x + size] = 1
    return Attention(density / density.sum(), shape, "drawn")


def pixel_density(attention: Attention) -> np.ndarray:
    """Return the share of each pixel, each pixel cut into pieces so small that none lies in two cells."""
    (height, width), (rows, columns) = attention.shape, attention.density.shape
    fine = np.kron(attention.density, np.ones((height, width))) / (height * width)
    return fine.reshape(height, rows, width, columns).sum(axis=(1, 3))


def best_by_brute_force(attention: Attention, width: int, height: int) -> tuple[float, float]:
    """Return what the best and the worst window of all keep."""
    pixels = pixel_density(attention)
    rows, columns = pixels.shape
    kept = [
        pixels[y : y + height, x : x + width].sum()
        for y in range(rows - height + 1)
        for x in range(columns - width + 1)
    ]
    return max(kept), min(kept)


@pytest.mark.parametrize(
    ("shape", "cells", "window"),
    [
        ((20, 31), (20, 31), (9, 9)),  # a cell a pixel
        ((23, 37), (7, 11), (10, 8)),  # cells that end within pixels
        ((23, 37), (7, 11), (37, 8)),  # a banner
        ((12, 12), (5, 5), (12, 12)),
    ],
)
def test_the_best_of_all_places_is_among_those_looked_at(shape, cells, window):
    for seed in range(3):
        attention = random_attention(shape, cells, seed)
        size = parse_size(f"{window[0]}:{window[1]}")
        search = best_crop(attention, size, CropOptions(cut_weight=0))
        best, worst = best_by_brute_force(attention, search.box.width, search.box.height)
        assert search.kept == pytest.approx(best, abs=1e-12)
        assert worst - 1e-12 <= search.centered <= best + 1e-12
        assert search.kept == pytest.approx(attention.share(*search.box.as_tuple()), abs=1e-12)


def test_cuts_count_exactly_as_well():
    attention, width, height = random_attention((23, 37), (7, 11), 5), 14, 9
    field = Field(attention)
    everywhere = np.arange(37 - width + 1), np.arange(23 - height + 1)
    few = candidates(11, 37, width, 0, 37 - width), candidates(7, 23, height, 0, 23 - height)
    assert len(few[0]) < len(everywhere[0]) or len(few[1]) < len(everywhere[1])
    found = [scores.kept - 2 * scores.cut for scores in (field.scores(width, height, *xy) for xy in (everywhere, few))]
    assert found[1].max() == pytest.approx(found[0].max(), abs=1e-12)


def test_what_a_line_cuts_by_hand():
    density = np.array([[1.0, 5, 6, 1, 1, 4]]) / 18  # 0, 2, 3, 0, 0, 1 of 18 above the mean
    assert round(STRIP * 6) == 0  # so that the strip beside an edge is one cell wide
    scores = Field(Attention(density, (1, 6))).scores(2, 1, np.arange(5), np.array([0]))
    np.testing.assert_allclose(scores.kept, np.array([[6, 11, 7, 2, 5]]) / 18)
    # Two have an edge between 2 | 3, which cuts twice the lesser; no other edge has anything on both sides.
    np.testing.assert_allclose(scores.cut, np.array([[4, 0, 4, 0, 0]]) / 18, atol=1e-15)


def test_an_edge_goes_beside_what_stands_out_rather_than_through_it():
    density = np.zeros((60, 120))
    density[:, 10:30], density[:, 62:82] = 0.5, 1.0
    attention = Attention(density / density.sum(), (60, 120))
    careless, careful = (best_crop(attention, parse_size("1:1"), CropOptions(cut_weight=w)) for w in (0, 8))
    assert careless.box.x == 22
    assert 30 <= careful.box.x <= 62
    assert careful.kept == pytest.approx(2 / 3)


def test_the_window_goes_where_attention_is_to_the_pixel():
    found = best_crop(spot((100, 300), 250, 40), parse_size("1:1"))
    assert (found.box.width, found.box.height, found.box.y) == (100, 100, 0)
    assert found.box.x == 200  # of all that keep it the one with it nearest to the middle
    assert found.kept > 0.99
    assert found.centered < 0.01


@pytest.mark.parametrize(
    ("shape", "text", "window"),
    [
        ((600, 800), "1:1", (600, 600)),
        ((600, 800), "16:9", (800, 450)),
        ((600, 800), "9:16", (338, 600)),
        ((600, 800), "1200x630", (800, 420)),
        ((1, 1), "16:9", (1, 1)),
        ((3, 4000), "1:1", (3, 3)),
        ((4000, 3), "100:1", (3, 1)),
    ],
)
def test_the_largest_window_of_an_aspect(shape, text, window):
    assert largest(shape, parse_size(text).ratio) == window


def test_evenly_spread_attention_leaves_the_window_in_the_middle_and_unsure():
    found = best_crop(Attention(np.full((30, 40), 1 / 1200), (300, 400)), parse_size("1:1"))
    assert found.box == Box(50, 0, 300, 300)
    assert found.certainty == 0
    assert found.kept == pytest.approx(0.75)


def test_how_sure_it_is_by_hand():
    attention = spot((100, 300), 250, 0, 1)
    found = best_crop(attention, parse_size("1:1"))
    # Windows that begin at 151 to 200 hold it: of the 64 places that are compared those below are clearly worse.
    places = np.linspace(0, 200, 64).astype(int)
    assert found.certainty == np.mean(places < 151)
    assert found.kept - found.centered > CLEARLY
    assert best_crop(attention, parse_size("300x100")).certainty == 1  # there is one place only


def test_zoom_takes_the_smallest_window_that_keeps_nine_tenths():
    attention = spot((400, 600), 450, 100, 40)
    plain, closer = (best_crop(attention, parse_size("3:2"), CropOptions(zoom=zoom)) for zoom in (1, 4))
    assert (plain.box.width, plain.box.height) == (600, 400)
    assert (closer.box.width, closer.box.height) == (150, 100)
    assert closer.kept >= ZOOMED_KEEPS * plain.kept
    spread = random_attention((400, 600), (40, 60))
    some = best_crop(spread, parse_size("3:2"), CropOptions(zoom=4))
    assert some.kept >= ZOOMED_KEEPS
    assert 450 < some.box.width < 600


def test_the_rule_of_thirds_brings_the_peak_to_a_line():
    attention = spot((300, 900), 450, 150, 2)
    plain, thirds = (best_crop(attention, parse_size("1:1"), CropOptions(rule_of_thirds=on)) for on in (False, True))
    assert min(abs(451 - thirds.box.x - 300 * k / 3) for k in (1, 2)) <= 1
    assert abs(451 - plain.box.x - 100) > 10
    assert thirds.kept > plain.kept - THIRDS_COST


def test_what_must_be_kept_is_in_the_window():
    attention = spot((100, 300), 250, 40)
    found = best_crop(attention, parse_size("1:1"), CropOptions(keep=(Box(0, 0, 20, 20), Box(60, 50, 10, 10))))
    assert found.box.x == 0
    assert found.kept < 0.01
    zoomed = best_crop(attention, parse_size("1:1"), CropOptions(zoom=3, keep=(Box(200, 0, 80, 80),)))
    assert zoomed.box.x <= 200
    assert zoomed.box.right >= 280
    assert zoomed.box.width >= 80
    with pytest.raises(UsageError, match="keep 0,0,150,50 does not fit into 1:1 of the image, which is at most 100x10"):
        best_crop(attention, parse_size("1:1"), CropOptions(keep=(Box(0, 0, 150, 50),)))
    with pytest.raises(UsageError, match="reaches beyond the image, which is 300x100"):
        best_crop(attention, parse_size("1:1"), CropOptions(keep=(Box(290, 0, 20, 20),)))


def test_what_a_map_stands_for():
    scores = np.array([[2.0, 4.0], [3.0, 2.0]], np.float32)
    np.testing.assert_allclose(as_density(scores, "score"), [[0, 2 / 3], [1 / 3, 0]], atol=1e-7)
    np.testing.assert_allclose(as_density(scores / 4, "probability"), scores / scores.sum(), rtol=1e-6)
    np.testing.assert_allclose(as_density(np.log(scores / 11), "log_density"), scores / 11, rtol=1e-6)
    for output in ("score", "log_density"):
        np.testing.assert_allclose(as_density(np.full((2, 2), 7, np.float32), output), 0.25)
    np.testing.assert_allclose(as_density(np.zeros((2, 2), np.float32), "probability"), 0.25)


def test_the_grid_adds_up_what_its_cells_cover():
    density = np.random.default_rng(0).random((CELLS, 2 * CELLS))
    coarse = on_grid(density / density.sum())
    blocks = density.reshape(CELLS // 2, 2, CELLS, 2).sum(axis=(1, 3)) / density.sum()
    np.testing.assert_allclose(coarse, blocks, rtol=1e-6)


def test_the_density_is_that_of_the_model():
    photo = data.chelsea()
    seen, saliency = attend(photo, "gaze"), salbox.load("gaze").log_density(photo)
    whole = np.exp(saliency.astype(np.float64))
    for box in (Box(100, 50, 200, 150), Box(0, 0, 451, 100)):
        there = whole[box.y : box.bottom, box.x : box.right].sum() / whole.sum()
        assert seen.share(*box.as_tuple()) == pytest.approx(there, abs=0.005)


def test_crops_of_a_photo_in_python():
    photo = data.astronaut()[:300]
    found = salbox.apps.crop(photo, "1:1", model="gbvs.student")
    assert found.box.as_tuple()[2:] == (300, 300)
    assert found.of(photo).shape == (300, 300, 3)
    assert found.model == "gbvs.student"
    assert found.to_dict()["kept"] == round(found.kept, 4)
    with pytest.raises(UsageError, match="is of an image of shape"):
        found.of(photo[1:])
    with pytest.raises(UsageError, match="stands for 2 models"):
        salbox.apps.crop(photo, "1:1", model="[gi]*s*.student")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1", "expected an aspect"),
        ("0:1", "no side may be 0"),
        ("1x1.5", "whole pixels"),
        ("90000x90000", "at most 100"),
    ],
)
def test_sizes_that_are_none(text, message):
    with pytest.raises(UsageError, match=message):
        parse_size(text)


def test_boxes():
    assert parse_box("1, 2,30,40") == Box(1, 2, 30, 40)
    assert hull([Box(5, 5, 10, 2), Box(0, 6, 2, 2)]) == Box(0, 5, 15, 3)
    assert hull([]) is None
    for wrong in ("1,2,3", "1,2,3,-4", "a,b,c,d", "1,2,0,4"):
        with pytest.raises(UsageError, match="expected x,y,width,height"):
            parse_box(wrong)


@pytest.mark.parametrize(
    ("options", "message"), [({"zoom": 0.5}, "zoom 0.5"), ({"cut_weight": -1.0}, "weight of cuts")]
)
def test_options_out_of_range(options, message):
    with pytest.raises(UsageError, match=message):
        CropOptions(**options)
