"""Precision, recall, F1 and accuracy by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.errors import UsageError
from salbox.metrics import accuracy, as_mask, confusion, f1, precision, recall

SALIENCY = np.array([[0.9, 0.6, 0.5, 0.1], [0.7, 0.2, 0.3, 0.4]])
MASK = np.array([[True, False, True, False], [True, False, False, True]])


def test_by_hand():
    # above .5: three pixels, two of them annotated; four are annotated in all
    assert confusion(SALIENCY, MASK) == (2, 1, 2, 3)
    assert precision(SALIENCY, MASK) == pytest.approx(2 / 3)
    assert recall(SALIENCY, MASK) == pytest.approx(1 / 2)
    assert f1(SALIENCY, MASK) == pytest.approx(4 / 7)
    assert accuracy(SALIENCY, MASK) == pytest.approx(5 / 8)
    assert confusion(SALIENCY, MASK, threshold=0.45) == (3, 1, 1, 3)


def test_equals_scikit_learn():
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    saliency, mask = rng.random((30, 40)), rng.random((30, 40)) > 0.7
    truth, predicted = mask.ravel(), saliency.ravel() > 0.5
    assert precision(saliency, mask) == pytest.approx(sklearn_metrics.precision_score(truth, predicted), abs=1e-15)
    assert recall(saliency, mask) == pytest.approx(sklearn_metrics.recall_score(truth, predicted), abs=1e-15)
    assert f1(saliency, mask) == pytest.approx(sklearn_metrics.f1_score(truth, predicted), abs=1e-15)
    assert accuracy(saliency, mask) == pytest.approx(sklearn_metrics.accuracy_score(truth, predicted), abs=1e-15)


def test_nothing_predicted_or_annotated():
    nothing = np.zeros((3, 3))
    empty, full = np.zeros((3, 3), bool), np.ones((3, 3), bool)
    assert precision(nothing, full) == recall(nothing, full) == f1(nothing, full) == accuracy(nothing, full) == 0
    assert recall(nothing, empty) == f1(nothing, empty) == 0
    assert accuracy(nothing, empty) == 1


def test_masks_of_every_kind_mean_the_same():
    for mask in (MASK, MASK.astype(np.uint8) * np.uint8(255), MASK.astype(np.float32)):
        np.testing.assert_array_equal(as_mask(mask), MASK)
    np.testing.assert_array_equal(as_mask(np.array([[128, 129]], np.uint8)), [[False, True]])


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (MASK.astype(np.uint8), "uint8 0 and 1"),
        (MASK.astype(np.int64), "mask of int64"),
        (np.array([[np.nan, 1.0]]), "expected 0..1"),
        (np.array([[0.0, 255.0]]), "expected 0..1"),
        (np.zeros((2, 2, 3), bool), "expected \\(H, W\\)"),
    ],
)
def test_ambiguous_masks_are_refused(mask, message):
    with pytest.raises(UsageError, match=message):
        as_mask(mask)


def test_a_threshold_needs_a_map_in_0_to_1():
    with pytest.raises(UsageError, match="scale it first"):
        precision(SALIENCY * 255, MASK)
    with pytest.raises(UsageError, match="scale it first"):
        accuracy(SALIENCY - 0.5, MASK)
    with pytest.raises(UsageError, match="resize one first"):
        recall(SALIENCY, MASK.T)
