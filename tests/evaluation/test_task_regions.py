"""Which model finds marked regions: figures against the metrics' own, and against scikit-learn's way of counting."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.errors import UsageError
from salbox.evaluation.task_regions import LEVELS, rank_for_task, to_pandas
from salbox.imaging.scaling import min_max
from salbox.metrics import confusion


@pytest.fixture
def world():
    """Two images of two sizes with a region each, and maps of three models."""
    random = np.random.default_rng(0)
    masks = []
    for shape in ((20, 30), (24, 16)):
        mask = np.zeros(shape, bool)
        mask[3:12, 4:14] = True
        masks.append(mask)
    good = [(mask + random.normal(0, 0.6, mask.shape)).astype(np.float32) for mask in masks]
    noise = [random.random(mask.shape, np.float32) for mask in masks]
    log = [np.log((1e-3 + mask) / (1e-3 + mask).sum()).astype(np.float32) for mask in masks]
    return {"noise": noise, "good": good, "log": log}, {"noise": "score", "good": "score", "log": "log_density"}, masks


def test_figures_are_those_of_the_metrics_at_the_best_of_all_thresholds(world):
    maps, outputs, masks = world
    ranked = {one.model: one for one in rank_for_task(maps, outputs, masks)}
    means = {}
    for level in LEVELS:
        counts = [confusion(min_max(s), m, float(level)) for s, m in zip(maps["good"], masks, strict=True)]
        f1 = [2 * c.true_positives / (2 * c.true_positives + c.false_positives + c.false_negatives) for c in counts]
        means[float(level)] = (np.mean(f1), counts)
    best = max(means, key=lambda level: means[level][0])
    found = ranked["good"]
    assert found.threshold == best
    assert found.f1 == pytest.approx(means[best][0])
    assert found.f1_at_half == pytest.approx(means[float(LEVELS[128])][0])
    counts = means[best][1]
    assert found.precision == pytest.approx(
        np.mean([c.true_positives / (c.true_positives + c.false_positives) for c in counts])
    )
    assert found.recall == pytest.approx(
        np.mean([c.true_positives / (c.true_positives + c.false_negatives) for c in counts])
    )
    assert found.accuracy == pytest.approx(np.mean([(c.true_positives + c.true_negatives) / sum(c) for c in counts]))


def test_auc_compares_every_pixel_inside_with_every_one_outside(world):
    maps, outputs, masks = world
    found = next(one for one in rank_for_task(maps, outputs, masks) if one.model == "good")
    each, z = [], []
    for saliency, mask in zip(maps["good"], masks, strict=True):
        inside, outside = saliency[mask][:, None], saliency[~mask][None]
        each.append(np.mean((inside > outside) + (inside == outside) / 2))
        z.append(((saliency - saliency.mean()) / saliency.std())[mask].mean())
    assert found.auc == pytest.approx(np.mean(each))
    assert found.nss == pytest.approx(np.mean(z), rel=1e-5)


def test_the_best_is_first_and_a_log_density_is_seen_as_a_density(world):
    ranked = rank_for_task(*world)
    assert [one.model for one in ranked] == ["log", "good", "noise"]
    assert ranked[0].f1 == 1
    assert to_pandas(ranked)["model"].tolist() == ["log", "good", "noise"]
    assert ranked[0].images == 2


@pytest.mark.parametrize(
    ("masks", "said"),
    [
        ([], "no image with a region"),
        ([np.zeros((4, 4), bool)], "image 1: its region is empty"),
        ([np.ones((4, 4), bool)], "image 1: its region covers all"),
        ([np.eye(5, dtype=bool)], "a map of shape \\(4, 4\\), but a region of \\(5, 5\\)"),
    ],
)
def test_what_cannot_be_measured_is_said(masks, said):
    maps = {"a": [np.zeros((4, 4), np.float32)] * len(masks)}
    with pytest.raises(UsageError, match=said):
        rank_for_task(maps, {"a": "score"}, masks)
