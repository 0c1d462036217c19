"""Next fixations: which are scored, by which density, and what a table of them refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import salbox
from salbox.datasets import Dataset, Fixations, Item
from salbox.datasets.folder import CARD
from salbox.datasets.scanpaths import scanpaths
from salbox.errors import UsageError
from salbox.evaluation import CenterBias, ModelSource, NextFixation
from salbox.evaluation.next_fixation import next_fixation, rows_for, score_next
from salbox.evaluation.truth import Truths
from salbox.metrics import nss
from salbox.models.scanpath_model import DensityScanpathModel
from salbox.models.scanpaths import Saccades

SHAPE = (30, 40)
NEAR = Saccades(0.5, (4.0, 3.0, 2.0, 1.5, 1.0, 0.5, 0.2, 0.1), (-1.0, -0.5, 0.0, 0.0), (-0.5, 0.0, 0.0, 0.0))


PATHS = {
    "a": [[(5, 5), (20, 20), (22, 18), (30, 9)], [(10, 25), (12, 25)]],
    "b": [[(1, 1), (39, 29), (2, 2)], [(20, 15)]],
}


def dataset(folder, paths):
    """Return images that people, a list each, looked at in this order."""
    items = []
    for k, (name, own) in enumerate(paths.items()):
        values = np.random.default_rng(k).integers(0, 256, (*SHAPE, 3), np.uint8)
        Image.fromarray(values).save(folder / f"{name}.png")
        rows = [(x, y, who, n) for who, path in enumerate(own) for n, (x, y) in enumerate(path)]
        looked = Fixations(*np.array(rows).T)
        items.append(Item(name, folder / f"{name}.png", lambda shape, looked=looked: looked))
    return Dataset(CARD, folder, "all", items)


@pytest.fixture
def data(tmp_path):
    return dataset(tmp_path, PATHS)


def test_scanpaths_are_told_apart():
    looked = Fixations([1, 2, 3, 4, 5], [0] * 5, [7, 7, 7, 7, 8], [0, 2, 0, 1, 0])
    assert [path.x.tolist() for path in scanpaths(looked)] == [[1, 2], [3, 4], [5]]
    assert list(scanpaths(Fixations([1], [1]))) == []


def test_rows_say_which_model_makes_their_densities_so_that_heads_share_a_pass():
    worn = ModelSource("gaussian", postprocess=salbox.PostProcess(scale_output="log-density"))
    for row in rows_for([worn], NEAR):
        assert [pipeline.model.name for pipeline in row.scorer().pipelines] == ["gaussian"]
    assert [row.scorer().pipelines for row in rows_for([CenterBias()], NEAR)] == [(), ()]


def test_figures_are_those_of_each_next_density(data, tmp_path):
    row = ModelSource("gaussian", {"sigma": 0.3}, salbox.PostProcess(scale_output="log-density"))
    table = score_next(data, rows_for([row, CenterBias()], NEAR), ["nss", "ll"], folder=tmp_path / "kept")
    assert list(table.rows) == ["gaussian", "gaussian, scanpath", "centre bias", "centre bias, scanpath"]
    means, scores = {"gaussian": [], "gaussian, scanpath": []}, []
    for index in range(2):
        density = row.postprocess(salbox.load("gaussian", sigma=0.3)(data.pixels(index)))
        gains = {name: [] for name in means}
        z = []
        for path in scanpaths(data.fixations(index)):
            places = np.stack([path.x, path.y], axis=1)
            for n in range(1, len(places)):
                x, y = places[n].astype(int)
                gains["gaussian"].append(density[y, x])
                following = NEAR.next_log_density(density, places[:n])
                gains["gaussian, scanpath"].append(following[y, x])
                z.append(nss(np.exp(following.astype(float)), [(x, y)]))
        for name, values in gains.items():
            means[name].append(np.mean(values))
        scores.append(np.mean(z))
    for name, values in means.items():
        assert table.estimate(name, "ll").value == pytest.approx(np.mean(values), abs=1e-4)
    assert table.estimate("gaussian, scanpath", "nss").value == pytest.approx(np.mean(scores), abs=1e-4)
    assert len(table.images) == 2


def test_a_scanpath_model_of_any_kind_is_a_row(data, tmp_path):
    class Stays:
        """Looks where it looked last."""

        name = "stays"

        def conditional_log_density(self, image, x_hist, y_hist):
            y, x = np.mgrid[: image.shape[0], : image.shape[1]]
            log = -((x - x_hist[-1]) ** 2 + (y - y_hist[-1]) ** 2) / 50.0
            return log - np.log(np.exp(log).sum())

    table = next_fixation(data, Stays(), folder=tmp_path / "kept")
    assert list(table.rows) == ["stays", "centre bias", "centre bias, scanpath"]
    assert any("not kept" in note for note in table.notes)
    gain = []
    for index in range(2):
        baseline = Truths(data).of(index)["baseline"]
        image, own = data.pixels(index), []
        for path in scanpaths(data.fixations(index)):
            for n in range(1, len(path)):
                pixel = int(path.y[n]), int(path.x[n])
                own.append(Stays().conditional_log_density(image, path.x[:n], path.y[:n])[pixel] - baseline[pixel])
        gain.append(np.mean(own) / np.log(2))
    assert table.estimate("stays", "ig").value == pytest.approx(np.mean(gain))


def test_what_is_no_density_is_said(data, tmp_path):
    class Zeros:
        name = "zeros"

        def conditional_log_density(self, image, x_hist, y_hist):
            return np.zeros(image.shape[:2])

    with pytest.raises(UsageError, match="'zeros' gives no log density: exp of it sums to 1200"):
        next_fixation(data, Zeros(), folder=tmp_path / "kept")


def test_images_on_which_nobody_looked_twice_are_left_out(tmp_path):
    some = dataset(tmp_path, {**PATHS, "c": [[(3, 3)], [(4, 4)]]})
    table = score_next(some, rows_for([CenterBias()], NEAR), folder=tmp_path / "kept")
    assert table.images == ("a", "b")
    assert any("1 images without a fixation that has one before it" in note for note in table.notes)
    with pytest.raises(UsageError, match="nobody fixated two places"):
        score_next(some.subset([2], "one"), rows_for([CenterBias()], NEAR), folder=tmp_path / "kept")


def test_data_that_does_not_tell_the_order_is_refused(tmp_path):
    (item,) = dataset(tmp_path, {"a": PATHS["a"]}).items
    unordered = replace(item, read_fixations=lambda shape: Fixations([1, 2], [1, 2]))
    with pytest.raises(UsageError, match="in which order"):
        next_fixation(Dataset(CARD, tmp_path, "all", [unordered]), "gaze")


def test_what_does_not_fit_is_refused(data, tmp_path):
    with pytest.raises(UsageError, match="gives a score"):
        NextFixation(ModelSource("gaussian"))
    with pytest.raises(UsageError, match="expected nss, ig, ll"):
        next_fixation(data, [], ["cc"])
    with pytest.raises(UsageError, match="expected one of"):
        next_fixation(data, "gaze", saccades="nobody")
    with pytest.raises(UsageError, match="gives a score"):
        DensityScanpathModel(salbox.load("gaussian"))
