"""The AUC variants against counting every pair, and Borji's against its definition as loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from salbox.datasets import Fixations
from salbox.errors import UsageError
from salbox.metrics import _ranks, auc, auc_borji, auc_judd, sauc

SHAPE = (30, 40)
rng = np.random.default_rng(5)
FIXATIONS = Fixations(rng.random(60) * 40, rng.random(60) * 30)
MAPS = {
    "distinct": rng.random(SHAPE),
    "skewed": rng.random(SHAPE).astype(np.float32) ** 20,
    "ties": np.floor(rng.random(SHAPE) * 5),
    "mostly zero": np.where(rng.random(SHAPE) < 0.9, 0.0, rng.random(SHAPE)),
    "negative": -rng.random(SHAPE) * 1e6,
    "tiny": rng.random(SHAPE) * 1e-310,
    "wide": np.exp(rng.normal(size=SHAPE) * 80),
}


def pair_auc(positives, negatives):
    above = positives[:, None] > negatives[None]
    equal = positives[:, None] == negatives[None]
    return (above + 0.5 * equal).mean()


def judd_by_loops(saliency, fixations):
    rows, columns = fixations.pixels(saliency.shape)
    positives = saliency[rows, columns]
    is_fixated = np.zeros(saliency.shape, bool)
    is_fixated[rows, columns] = True
    negatives = saliency[~is_fixated]
    thresholds = sorted(set(positives.tolist()), reverse=True)
    points = [(np.mean(negatives >= t), np.mean(positives >= t)) for t in thresholds]
    points = [(0.0, 0.0), *points, (1.0, 1.0)]
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(points))


@pytest.fixture(params=[True, False], ids=["binned", "sorted"])
def both_ways(request, monkeypatch):
    """Small maps are sorted and large ones binned; let the small ones of the tests take either way."""
    monkeypatch.setattr(_ranks, "SORT_BELOW", 0 if request.param else 10**9)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.usefixtures("both_ways")
def test_auc_counts_every_pair(name):
    saliency = MAPS[name]
    expected = pair_auc(saliency[FIXATIONS.pixels(SHAPE)], saliency.ravel())
    assert auc(saliency, FIXATIONS) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.usefixtures("both_ways")
def test_shuffled_auc_counts_every_pair(name):
    saliency = MAPS[name]
    negatives = Fixations(rng.random(500) * 40, rng.random(500) * 30)
    expected = pair_auc(saliency[FIXATIONS.pixels(SHAPE)], saliency[negatives.pixels(SHAPE)])
    assert sauc(saliency, FIXATIONS, negatives) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.usefixtures("both_ways")
def test_judd_equals_its_definition(name):
    assert auc_judd(MAPS[name], FIXATIONS) == pytest.approx(judd_by_loops(MAPS[name], FIXATIONS), abs=1e-13)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12), st.sampled_from([2, 5, 1000]))
@settings(max_examples=60, deadline=None)
def test_any_small_map(seed, height, width, levels):
    random = np.random.default_rng(seed)
    saliency = random.integers(levels, size=(height, width)).astype(np.float32)
    fixations = Fixations(random.random(5) * width, random.random(5) * height)
    positives = saliency[fixations.pixels((height, width))]
    assert auc(saliency, fixations) == pytest.approx(pair_auc(positives, saliency.ravel()), abs=1e-12)
    if height * width > 5:
        assert auc_judd(saliency, fixations) == pytest.approx(judd_by_loops(saliency, fixations), abs=1e-12)


def test_a_large_map_takes_the_binned_way_and_stays_exact():
    saliency = rng.random((300, 300)).astype(np.float32) ** 9
    saliency[::3] = 0.25
    fixations = Fixations(rng.random(50) * 300, rng.random(50) * 300)
    positives = saliency[fixations.pixels((300, 300))]
    assert auc(saliency, fixations) == pytest.approx(pair_auc(positives, saliency.ravel()), abs=1e-13)


def test_order_is_all_that_counts():
    saliency = MAPS["distinct"]
    other = Fixations(rng.random(200) * 40, rng.random(200) * 30)
    for transformed in (np.log(saliency), saliency**3, 1e5 * saliency - 3):
        assert auc(transformed, FIXATIONS) == auc(saliency, FIXATIONS)
        assert auc_judd(transformed, FIXATIONS) == auc_judd(saliency, FIXATIONS)
        assert sauc(transformed, FIXATIONS, other) == sauc(saliency, FIXATIONS, other)


def borji_by_loops(saliency, fixations, seed):
    """The MIT benchmark's procedure step by step, with NumPy's random numbers."""
    scaled = (saliency - saliency.min()) / (saliency.max() - saliency.min())
    rows, columns = fixations.pixels(saliency.shape)
    pixels = np.unique(rows * saliency.shape[1] + columns)
    positives = scaled.ravel()[pixels]
    drawn = np.random.default_rng(seed).integers(scaled.size, size=(100, len(positives)))
    areas = []
    for split in drawn:
        negatives = scaled.ravel()[split]
        tp, fp = [0.0], [0.0]
        for step in range(10, -1, -1):
            tp.append(float(np.mean(positives >= step * 0.1)))
            fp.append(float(np.mean(negatives >= step * 0.1)))
        areas.append(integrate.trapezoid([*tp, 1.0], [*fp, 1.0]))
    return np.mean(areas)


@pytest.mark.parametrize("name", ["distinct", "skewed", "ties", "mostly zero"])
def test_borji_equals_its_definition(name):
    saliency = MAPS[name].astype(np.float64)
    assert auc_borji(saliency, FIXATIONS, seed=3) == pytest.approx(borji_by_loops(saliency, FIXATIONS, 3), abs=1e-13)


def test_borji_is_reproducible_and_near_the_exact_area():
    saliency = MAPS["distinct"] + np.linspace(0, 1, 40)
    fixations = Fixations(20 + rng.random(300) * 20, rng.random(300) * 30)
    assert auc_borji(saliency, fixations) == auc_borji(saliency, fixations)
    assert auc_borji(saliency, fixations) != auc_borji(saliency, fixations, seed=1)
    # ten steps cut little off a curve this smooth; 100 draws of 300 have a standard error of .002
    assert auc_borji(saliency, fixations) == pytest.approx(auc(saliency, fixations), abs=0.015)


@pytest.mark.parametrize("metric", [auc, auc_judd, auc_borji])
def test_perfect_and_inverted_maps(metric):
    saliency = np.zeros(SHAPE)
    saliency[10, 20] = 1
    fixations = Fixations([20], [10])
    assert metric(saliency, fixations) == pytest.approx(1, abs=2e-3)
    # Judd's curve has no threshold below the lowest fixation: a straight line to the end
    assert metric(-saliency, fixations) == pytest.approx(0.5 if metric is auc_judd else 0, abs=2e-3)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.0])
def test_constant_map_is_chance(value):
    saliency = np.full(SHAPE, value)
    other = Fixations([1, 2], [1, 2])
    assert [auc(saliency, FIXATIONS), auc_judd(saliency, FIXATIONS), auc_borji(saliency, FIXATIONS)] == [0.5] * 3
    assert sauc(saliency, FIXATIONS, other) == 0.5


def test_one_pixel():
    assert auc(np.ones((1, 1)), Fixations([0], [0])) == 0.5
    assert auc_borji(np.ones((1, 1)), Fixations([0], [0])) == 0.5
    with pytest.raises(UsageError, match="every pixel is fixated"):
        auc_judd(np.ones((1, 1)), Fixations([0], [0]))


@pytest.mark.parametrize("metric", [auc, auc_judd, auc_borji])
def test_bad_fixations_and_values_are_refused(metric):
    with pytest.raises(UsageError, match="no fixations"):
        metric(np.zeros(SHAPE), Fixations([], []))
    with pytest.raises(UsageError, match="outside"):
        metric(np.zeros(SHAPE), Fixations([-1], [0]))
    with pytest.raises(UsageError, match="not finite"):
        metric(np.full(SHAPE, np.nan), FIXATIONS)


def test_shuffled_auc_needs_negatives_inside():
    with pytest.raises(UsageError, match="no negatives"):
        sauc(np.zeros(SHAPE), FIXATIONS, Fixations([], []))
    with pytest.raises(UsageError, match="outside"):
        sauc(np.zeros(SHAPE), FIXATIONS, Fixations([40], [0]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_shuffled_auc_refuses_values_that_it_reads(value):
    saliency = np.zeros(SHAPE)
    saliency[2, 3] = value
    at, elsewhere = Fixations([3], [2]), Fixations([0], [0])
    for fixations, negatives in ((at, elsewhere), (elsewhere, at)):
        with pytest.raises(UsageError, match="not finite"):
            sauc(saliency, fixations, negatives)
