"""The object metrics: the calls into PySODMetrics, and its values worked out another way."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

from salbox.errors import MissingExtraError, UsageError
from salbox.metrics import METRICS, adaptive_e, adaptive_f, e_curve, f_curve, mae, mean_e, mean_f, s_measure, weighted_f

ALL = (mae, f_curve, mean_f, adaptive_f, weighted_f, e_curve, mean_e, adaptive_e, s_measure)
rng = np.random.default_rng(9)
MASK = np.zeros((40, 50), bool)
MASK[10:30, 15:35] = True
GRAY = (np.clip(MASK * 0.6 + rng.random(MASK.shape) * 0.4, 0, 1) * 255).astype(np.uint8)


def test_missing_extra_names_the_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "py_sod_metrics", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'salbox\[eval\]'"):
        mae(GRAY, MASK)


@pytest.fixture
def library():
    return pytest.importorskip("py_sod_metrics")


@pytest.mark.usefixtures("library")
def test_error_and_f_worked_out_in_numpy():
    scaled = (GRAY.astype(float) - GRAY.min()) / (int(GRAY.max()) - int(GRAY.min()))
    assert mae(GRAY, MASK) == pytest.approx(np.abs(scaled - MASK).mean(), abs=1e-12)

    def f(predicted):
        p, r = (predicted & MASK).sum() / max(predicted.sum(), 1), (predicted & MASK).sum() / MASK.sum()
        return 1.3 * p * r / (0.3 * p + r) if p else 0.0

    eight_bit = (scaled * 255).astype(np.uint8)
    expected = [f(eight_bit >= threshold) for threshold in range(255, -1, -1)]
    np.testing.assert_allclose(f_curve(GRAY, MASK), expected, atol=1e-12)
    assert mean_f(GRAY, MASK) == pytest.approx(np.mean(expected), abs=1e-12)
    assert adaptive_f(GRAY, MASK) == pytest.approx(f(scaled >= min(2 * scaled.mean(), 1)), abs=1e-12)


def test_an_8_bit_map_gets_what_the_library_gives_it(library):
    """With the deprecated class too, which the published tables were made with."""
    gray_mask = MASK.astype(np.uint8) * np.uint8(255)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps = [library.Fmeasure(), library.MAE(), library.Emeasure(), library.Smeasure(), library.WeightedFmeasure()]
    for evaluator in steps:
        evaluator.step(GRAY, gray_mask)
    f, m, e, s, w = (evaluator.get_results() for evaluator in steps)
    np.testing.assert_allclose(f_curve(GRAY, MASK), f["fm"]["curve"], atol=1e-12)
    assert adaptive_f(GRAY, MASK) == pytest.approx(f["fm"]["adp"], abs=1e-12)
    assert mae(GRAY, MASK) == m["mae"]
    np.testing.assert_array_equal(e_curve(GRAY, MASK), e["em"]["curve"])
    assert adaptive_e(GRAY, MASK) == e["em"]["adp"]
    assert mean_e(GRAY, MASK) == e["em"]["curve"].mean()
    assert s_measure(GRAY, MASK) == s["sm"]
    assert weighted_f(GRAY, MASK) == w["wfm"]


@pytest.mark.usefixtures("library")
def test_perfect_map():
    perfect = MASK.astype(np.float32)
    assert mae(perfect, MASK) == 0
    for metric in (adaptive_f, weighted_f, s_measure):
        assert metric(perfect, MASK) == pytest.approx(1, abs=1e-6), metric.__name__
    for metric in (mean_e, adaptive_e):  # divided by one pixel less than there are
        assert metric(perfect, MASK) == pytest.approx(1, abs=5e-3), metric.__name__


@pytest.mark.usefixtures("library")
def test_a_float_map_is_min_max_scaled():
    score = GRAY.astype(np.float64) * 7 - 100
    for metric in ALL:
        np.testing.assert_allclose(metric(score, MASK), metric(GRAY, MASK), atol=2e-2)
    assert mae(score, MASK) == pytest.approx(mae(GRAY, MASK), abs=1e-12)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("metric", ALL)
def test_degenerate_maps_and_masks_have_finite_values(metric):
    for saliency in (np.zeros((8, 9)), np.full((8, 9), 3.0), np.full((8, 9), -1.0), np.eye(8, 9)):
        for mask in (np.zeros((8, 9), bool), np.ones((8, 9), bool), np.eye(8, 9) > 0):
            assert np.isfinite(metric(saliency, mask)).all()
    assert np.isfinite(metric(np.ones((2, 2)), np.eye(2) > 0)).all()


@pytest.mark.usefixtures("library")
def test_shapes_and_values_are_checked():
    with pytest.raises(UsageError, match="resize one first"):
        mae(GRAY, MASK.T)
    with pytest.raises(UsageError, match="not finite"):
        s_measure(np.full(MASK.shape, np.nan), MASK)


@pytest.mark.usefixtures("library")
def test_the_maximum_is_of_the_mean_curve(library):
    """Two images whose curves peak at different thresholds: the maximum of the mean is below the mean maximum."""
    dark, bright = np.where(MASK, 80, 40).astype(np.float64), np.where(MASK, 250, 200).astype(np.float64)
    for saliency in (dark, bright):
        saliency[0, 0], saliency[-1, -1] = 0, 255
    evaluator = library.FmeasureV2({"f": library.FmeasureHandler(with_dynamic=True, with_adaptive=False, beta=0.3)})
    curves = []
    for saliency in (dark, bright):
        evaluator.step(saliency.astype(np.uint8), MASK.astype(np.uint8) * np.uint8(255))
        curves.append(METRICS["max_f"].score(saliency.astype(np.uint8), "probability", {"mask": MASK}))
    expected = evaluator.get_results()["f"]["dynamic"].max()
    assert METRICS["max_f"].aggregate(curves) == pytest.approx(expected, abs=1e-12)
    assert expected < np.mean([METRICS["max_f"].aggregate([curve]) for curve in curves]) - 0.1
