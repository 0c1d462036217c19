"""Comparison pictures: laid out for one photo and for several, written whole."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.offsetbox import AnchoredOffsetbox, OffsetImage, TextArea

import salbox
from salbox.imaging.overlays import overlay
from salbox.imaging.plots import Drawing, comparison, visible
from salbox.imaging.scaling import min_max

PHOTO = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


def maps(count: int, shape=(60, 90)) -> dict[str, np.ndarray]:
    return {f"model {i}": np.random.default_rng(i).random(shape, dtype=np.float32) for i in range(count)}


def titles(figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


def legend_of(axes) -> list[str]:
    """Return the texts of a panel's legend."""
    return [
        part.get_text()
        for box in axes.artists
        if isinstance(box, AnchoredOffsetbox)
        for part in box.get_child().get_children()
        if isinstance(part, TextArea)
    ]


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


def test_differences_and_fixations_are_panels_of_their_own():
    two = maps(2)
    figure = comparison([(PHOTO, two)], fixations=np.array([[10, 20], [80, 50]]), differences=[("model 0", "model 1")])
    assert titles(figure) == ["photo", "fixations", "model 0", "model 1", "model 0 − model 1"]
    (marks,) = figure.axes[1].collections
    np.testing.assert_array_equal(marks.get_offsets(), [[10, 20], [80, 50]])
    difference = figure.axes[4].get_images()[0].get_array()
    np.testing.assert_allclose(difference, min_max(two["model 0"]) - min_max(two["model 1"]))
    assert legend_of(figure.axes[4]) == ["model 1", "model 0"]
    with pytest.raises(salbox.UsageError, match="no map of 'x'"):
        comparison([(PHOTO, two)], differences=[("model 0", "x")])


def test_of_a_log_density_the_density_is_seen():
    density = np.log(np.random.default_rng(0).dirichlet(np.ones(48)).reshape(6, 8))
    seen = visible(density, "log_density")
    np.testing.assert_allclose(seen, np.exp(density) / np.exp(density).max())
    np.testing.assert_array_equal(visible(density, "score"), density)


class TestDrawing:
    def test_one_scale_for_the_maps_of_a_model(self):
        low, high = np.linspace(0, 1, 5400, dtype=np.float32), np.linspace(2, 4, 5400, dtype=np.float32)
        rows = [(PHOTO, {"a": each.reshape(60, 90)}) for each in (low, high)]
        figure = comparison(rows, drawing=Drawing(same_scale=True, legend=True), names=["x.png", "y.png"])
        assert titles(figure) == ["x.png", "a", "y.png", "a"]
        first, second = (figure.axes[i].get_images()[0].get_array() for i in (1, 3))
        np.testing.assert_allclose(first.ravel(), low / 4, atol=1e-6)
        np.testing.assert_allclose(second.ravel(), high / 4, atol=1e-6)
        assert legend_of(figure.axes[1]) == legend_of(figure.axes[3]) == ["0", "4"]

    def test_densities_of_photos_of_any_size_are_compared_by_their_means(self):
        flat, small = np.full((60, 90), -np.log(5400)), np.full((30, 40), -np.log(1200))
        small[:, :20], small[:, 20:] = np.log(0.5 / 1200), np.log(1.5 / 1200)
        rows = [(PHOTO, {"a": flat}), (PHOTO[:30, :40], {"a": small})]
        figure = comparison(rows, drawing=Drawing(same_scale=True, legend=True))
        uniform, steps = (figure.axes[i].get_images()[0].get_array() for i in (1, 3))
        assert legend_of(figure.axes[1]) == ["0.5", "1.5 times the mean"]
        np.testing.assert_allclose(uniform, 0.5, atol=0.01)
        np.testing.assert_allclose(steps[:, [0, -1]], np.tile([0, 1], (30, 1)), atol=0.01)

    def test_overlays_are_those_of_one_picture(self):
        two = maps(2)
        figure = comparison([(PHOTO, two)], drawing=Drawing(over_photo=True, contours=(0.5,), legend=True))
        for axes, saliency in zip(figure.axes[1:], two.values(), strict=True):
            drawn = np.asarray(axes.get_images()[0].get_array())
            np.testing.assert_array_equal(drawn, overlay(PHOTO, saliency, contours=(0.5,)))
            assert legend_of(axes) == ["least", "most"]

    def test_the_legend_has_the_opacity_of_the_overlays(self):
        white = np.full((1, 256, 3), 255, np.uint8)
        for alpha in (0.2, 0.9):
            drawing = Drawing(over_photo=True, alpha=alpha, legend=True)
            axes = comparison([(PHOTO, maps(1))], drawing=drawing).axes[1]
            (box,) = (each for each in axes.artists if isinstance(each, AnchoredOffsetbox))
            (bar,) = (each for each in box.get_child().get_children() if isinstance(each, OffsetImage))
            drawn = overlay(white, np.linspace(0, 1, 256)[None], alpha=alpha)[0]
            np.testing.assert_array_equal(np.asarray(bar.get_data())[0, [0, -1]], drawn[[0, -1]])

    def test_contours_need_overlays(self):
        with pytest.raises(salbox.UsageError, match="ask for overlays"):
            Drawing(contours=(0.5,))
