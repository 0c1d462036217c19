"""Every metric says what it is, accepts what it says, and a log density is scored by the rule."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from salbox.datasets import Fixations, center_bias, fixation_density
from salbox.errors import UsageError
from salbox.metrics import METRICS, get_metric

SHAPE = (48, 64)
rng = np.random.default_rng(1)
FIXATIONS = Fixations(rng.random(40) * 64, rng.random(40) * 48)
OTHERS = Fixations(rng.random(90) * 64, rng.random(90) * 48)
DENSITY = fixation_density(FIXATIONS, SHAPE, 4)
TRUTH = {
    "fixations": FIXATIONS,
    "negatives": OTHERS,
    "density": DENSITY,
    "baseline": np.log(center_bias([OTHERS], [SHAPE], SHAPE, 8)),
    "mask": DENSITY.mean() < DENSITY,
    "teacher": DENSITY,
}
GOOD = center_bias([FIXATIONS], [SHAPE], SHAPE, 4)
NEEDS_LIBRARY = {name for name, metric in METRICS.items() if "PySODMetrics" in metric.source}


def test_names_and_descriptions():
    assert {
        "nss",
        "auc",
        "auc_judd",
        "auc_borji",
        "sauc",
        "cc",
        "sim",
        "kl_mit",
        "kl_pysaliency",
        "emd",
        "ig",
        "ll",
    } <= (METRICS.keys())
    assert {
        "mae", "max_f", "mean_f", "adaptive_f", "weighted_f", "max_e", "mean_e", "adaptive_e", "s_measure"
    } == NEEDS_LIBRARY  # fmt: skip
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.formula
        assert metric.source
        assert metric.accepts
        assert metric.needs
        with pytest.raises(dataclasses.FrozenInstanceError):
            metric.direction = "lower"


def map_for(metric, density):
    return (np.log(density), "log_density") if metric.accepts == ("log_density",) else (density, metric.accepts[0])


@pytest.mark.parametrize("name", METRICS)
def test_a_good_map_beats_its_opposite_in_the_stated_direction(name):
    if name in NEEDS_LIBRARY:
        pytest.importorskip("py_sod_metrics")
    metric = METRICS[name]
    bad = GOOD.max() + GOOD.min() - GOOD
    good, bad = GOOD / GOOD.max(), bad / bad.max()
    if metric.accepts == ("log_density",):
        good, bad = good / good.sum(), bad / bad.sum()
    if name == "emd":  # on a grid of 32 pixels this image has four cells
        good, bad, truth = (np.kron(v, np.ones((8, 8))) for v in (good, bad, DENSITY))
        values = [metric.function(v, truth) for v in (good, bad)]
    else:
        values = [metric.aggregate([metric.score(*map_for(metric, v), TRUTH)]) for v in (good, bad)]
    assert (values[0] > values[1]) == (metric.direction == "higher"), values
    assert values[0] != values[1]


@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if "log_density" in m.accepts and "score" in m.accepts])
def test_a_log_density_is_scored_as_the_design_says(name):
    """NSS, CC, SIM, KL, EMD and fidelity on exp(map), AUCs on the map."""
    metric = METRICS[name]
    log_density = np.log(GOOD)
    expected = metric.score(log_density if name in ("auc", "auc_judd", "auc_borji", "sauc") else GOOD, "score", TRUTH)
    assert metric.score(log_density, "log_density", TRUTH) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["nss", "cc", "sim", "kl_mit", "emd"])
def test_a_map_that_only_claims_to_be_a_log_density_is_refused(name):
    with pytest.raises(UsageError, match="log density"):
        METRICS[name].score(np.zeros(SHAPE), "log_density", TRUTH)


@pytest.mark.parametrize("name", ["ig", "ll"])
@pytest.mark.parametrize("output", ["score", "probability"])
def test_a_score_never_becomes_a_density_silently(name, output):
    with pytest.raises(UsageError, match=f"not defined for a {output}; turn the map into a density by a named rule"):
        METRICS[name].score(np.log(GOOD), output, TRUTH)


def test_object_metrics_refuse_a_log_density():
    with pytest.raises(UsageError, match="but for probability and score; give exp of the map"):
        METRICS["mae"].score(np.log(GOOD), "log_density", TRUTH)


def test_missing_truth_is_named():
    with pytest.raises(UsageError, match="metric 'sauc' needs negatives"):
        METRICS["sauc"].score(GOOD, "score", {"fixations": FIXATIONS})


def test_unknown_name_proposes_the_nearest():
    assert get_metric("auc_judd") is METRICS["auc_judd"]
    with pytest.raises(UsageError, match="no metric 'aucjudd'; did you mean 'auc_judd'"):
        get_metric("aucjudd")


def test_aggregate_is_the_mean_and_of_curves_the_best_mean():
    assert METRICS["nss"].aggregate([1.0, 2.0, 6.0]) == 3
    assert METRICS["max_f"].aggregate([np.array([0.0, 0.4, 1.0]), np.array([1.0, 0.5, 0.0])]) == pytest.approx(0.5)
    with pytest.raises(UsageError, match="no image"):
        METRICS["nss"].aggregate([])
