"""Maps of one image against fixations, a ground-truth map or a teacher's map."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.datasets import Fixations
from salbox.errors import UsageError
from salbox.evaluation.one_image import COMPARED, SIGMA_SHARE, score_maps, truth_of_fixations, truth_of_map

SHAPE = (24, 32)


@pytest.fixture
def maps():
    random = np.random.default_rng(1)
    peak = np.exp(-(((np.mgrid[:24, :32] - np.array([8, 20])[:, None, None]) / 3.0) ** 2).sum(0))
    density = peak / peak.sum()
    return {
        "noise": random.random(SHAPE, np.float32),
        "peak": peak.astype(np.float32),
        "log": np.log(density).astype(np.float32),
    }


OUTPUTS = {"noise": "score", "peak": "score", "log": "log_density"}


def test_figures_by_hand(maps):
    truth = truth_of_fixations(Fixations(x=[20.5, 21, 99], y=[8.2, 9, 2]), SHAPE)
    assert len(truth["fixations"]) == 2
    assert truth["density"].sum() == pytest.approx(1)
    table = score_maps(maps, OUTPUTS, truth)
    assert list(table.index)[2] == "noise"
    peak = maps["peak"].astype(np.float64)
    z = (peak - peak.mean()) / peak.std()
    assert table.loc["peak", "nss"] == pytest.approx((z[8, 20] + z[9, 21]) / 2)
    assert table.loc["log", "nss"] == pytest.approx(table.loc["peak", "nss"], rel=1e-4)
    assert table.loc["peak", "cc"] == pytest.approx(np.corrcoef(peak.ravel(), truth["density"].ravel())[0, 1])


def test_the_default_sigma_is_a_share_of_the_longer_side():
    fixations = Fixations(x=[16], y=[12])
    given = truth_of_fixations(fixations, SHAPE, SIGMA_SHARE * 32)["density"]
    assert np.array_equal(given, truth_of_fixations(fixations, SHAPE)["density"])


def test_of_a_ground_truth_map_the_brightest_pixels_stand_for_fixations(maps):
    truth = truth_of_map(np.array([[0, 10, 200], [255, 90, 128]], np.uint8))
    assert sorted(zip(truth["fixations"].x, truth["fixations"].y, strict=True)) == [(0, 1), (2, 0), (2, 1)]
    table = score_maps({"same": np.array([[0, 10, 200], [255, 90, 128]], np.float32)}, {"same": "score"}, truth)
    assert table.loc["same", "cc"] == pytest.approx(1)
    assert table.loc["same", "sim"] == pytest.approx(1)
    assert table.loc["same", "kl_mit"] == pytest.approx(0, abs=1e-9)


def test_a_student_is_compared_with_its_teacher(maps):
    table = score_maps(maps, OUTPUTS, {"teacher": maps["peak"]}, COMPARED)
    assert table.loc["peak", "fidelity_cc"] == pytest.approx(1)
    assert table.loc["log", "fidelity_cc"] == pytest.approx(1, abs=1e-4)
    assert table.loc["noise", "fidelity_cc"] < 0.5
    assert list(table.index)[-1] == "noise"


def test_what_cannot_be_measured_is_said():
    with pytest.raises(UsageError, match="none of 1 fixations lies on the image of 32x24"):
        truth_of_fixations(Fixations(x=[99], y=[9]), SHAPE)
    with pytest.raises(UsageError, match="the same everywhere"):
        truth_of_map(np.full(SHAPE, 7, np.uint8))
