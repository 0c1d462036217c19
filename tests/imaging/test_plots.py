"""Comparison pictures: laid out for one photo and for several, written whole."""

from __future__ import annotations

import numpy as np
import pytest

import salbox
from salbox.imaging.plots import comparison, mass_level, overlay, visible
from salbox.imaging.scaling import min_max

PHOTO = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


def maps(count: int, shape=(60, 90)) -> dict[str, np.ndarray]:
    return {f"model {i}": np.random.default_rng(i).random(shape, dtype=np.float32) for i in range(count)}


def titles(figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


@pytest.mark.parametrize("count", [1, 2, 7, 12])
@pytest.mark.parametrize("shape", [(60, 90), (200, 50), (20, 300)])
def test_one_photo_is_a_grid_with_every_label_once(count, shape):
    photo = np.zeros((*shape, 3), np.uint8)
    figure = comparison([(photo, maps(count, shape))])
    assert titles(figure) == ["photo", *maps(count, shape)]
    boxes = [axes.get_position() for axes in figure.axes]
    width, height = figure.get_size_inches()
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= 1.001
        assert 0 <= box.y0 < box.y1 <= 1.001
        assert box.height * height / (box.width * width) == pytest.approx(shape[0] / shape[1])
    for i, a in enumerate(boxes):
        assert not any(a.overlaps(b) for b in boxes[i + 1 :])


def test_several_photos_are_a_table_labelled_once():
    figure = comparison([(PHOTO, maps(3)), (PHOTO[:, :30], maps(3, (60, 30)))])
    assert len(figure.axes) == 8
    assert titles(figure) == ["photo", *maps(3), "", "", "", ""]


def test_a_row_of_other_models_carries_its_own_labels():
    students = {f"{name}.student": values for name, values in maps(2).items()}
    figure = comparison([(PHOTO, maps(2)), (PHOTO, students), (PHOTO, students)])
    assert titles(figure) == ["photo", *maps(2), "photo", *students, "", "", ""]


def test_maps_are_scaled_each_for_itself():
    figure = comparison([(PHOTO, {"a": np.full((60, 90), 7, np.float32), "b": maps(1)["model 0"] * 100 - 3})])
    constant, varied = (axes.get_images()[0] for axes in figure.axes[1:])
    assert not constant.get_array().any()
    assert (varied.get_array().min(), varied.get_array().max()) == (0, 1)
    assert varied.get_clim() == (0, 1)


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_is_written(suffix, tmp_path):
    path = tmp_path / f"grid.{suffix}"
    comparison([(PHOTO, maps(2))], path)
    assert path.stat().st_size > 1000
    assert list(tmp_path.iterdir()) == [path]
    if suffix == "png":
        assert salbox.read_image(path).shape[1] == 1540


@pytest.mark.parametrize(
    ("rows", "path", "message"),
    [
        ([], None, "nothing to compare"),
        ([(PHOTO, {})], None, "nothing to compare"),
        ([(PHOTO, maps(1))], "grid.gif", "one of .png"),
    ],
)
def test_what_cannot_be_drawn_says_so(rows, path, message):
    with pytest.raises(salbox.UsageError, match=message):
        comparison(rows, path)


class TestOverlay:
    def test_blends_photo_and_heat_by_hand(self):
        ramp = np.linspace(5, 9, 60 * 90).reshape(60, 90)
        assert np.array_equal(overlay(PHOTO, ramp, alpha=0), PHOTO)
        heat = overlay(PHOTO, ramp, alpha=1)
        np.testing.assert_array_equal(heat, overlay(PHOTO * 0, ramp, alpha=1))
        half = overlay(PHOTO, ramp, alpha=0.5).astype(float)
        assert np.abs(half - (PHOTO / 2 + heat / 2)).max() <= 1
        assert heat[-1, -1].sum() > heat[0, 0].sum()

    def test_contours_enclose_the_mass_they_say(self):
        values = np.random.default_rng(0).random((40, 50))
        for share in (0.5, 0.75, 0.9):
            level = mass_level(values, share)
            assert values[values >= level].sum() >= share * values.sum()
            assert values[values > level].sum() < share * values.sum()
        square = np.zeros((60, 90))
        square[20:40, 30:60] = 1
        lines = overlay(PHOTO, square, contours=(0.5,)) != overlay(PHOTO, square)
        rows, columns = np.nonzero(lines.any(axis=2))
        assert (rows.min(), rows.max()) == pytest.approx((20, 39), abs=1)
        assert (columns.min(), columns.max()) == pytest.approx((30, 59), abs=1)

    @pytest.mark.parametrize(
        ("saliency", "options", "message"),
        [
            (np.zeros((2, 2)), {}, "does not fit"),
            (np.zeros((60, 90)), {"alpha": 1.2}, "0 to 1"),
            (np.zeros((60, 90)), {"contours": (1.0,)}, "between 0 and 1"),
        ],
    )
    def test_refuses(self, saliency, options, message):
        with pytest.raises(salbox.UsageError, match=message):
            overlay(PHOTO, saliency, **options)


def test_differences_and_fixations_are_panels_of_their_own():
    two = maps(2)
    figure = comparison([(PHOTO, two)], fixations=np.array([[10, 20], [80, 50]]), differences=[("model 0", "model 1")])
    assert titles(figure) == ["photo", "fixations", "model 0", "model 1", "model 0 − model 1"]
    (marks,) = figure.axes[1].collections
    np.testing.assert_array_equal(marks.get_offsets(), [[10, 20], [80, 50]])
    difference = figure.axes[4].get_images()[0].get_array()
    np.testing.assert_allclose(difference, min_max(two["model 0"]) - min_max(two["model 1"]))
    with pytest.raises(salbox.UsageError, match="no map of 'x'"):
        comparison([(PHOTO, two)], differences=[("model 0", "x")])


def test_of_a_log_density_the_density_is_seen():
    density = np.log(np.random.default_rng(0).dirichlet(np.ones(48)).reshape(6, 8))
    seen = visible(density, "log_density")
    np.testing.assert_allclose(seen, np.exp(density) / np.exp(density).max())
    np.testing.assert_array_equal(visible(density, "score"), density)
