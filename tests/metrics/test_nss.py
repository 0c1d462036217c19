"""NSS by hand and against SciPy's z-scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from salbox.datasets import Fixations
from salbox.errors import UsageError
from salbox.metrics import nss


def test_by_hand():
    # mean 1, sd sqrt(3): the pixel of 4 is sqrt(3) sd above, one of 0 is 1/sqrt(3) below.
    saliency = np.array([[4.0, 0], [0, 0]])
    assert nss(saliency, Fixations([0.7], [0.2])) == pytest.approx(np.sqrt(3))
    assert nss(saliency, Fixations([0, 1, 1], [0, 1, 1])) == pytest.approx((np.sqrt(3) - 2 / np.sqrt(3)) / 3)


def test_equals_scipys_z_scores():
    rng = np.random.default_rng(0)
    saliency = rng.gamma(0.5, size=(37, 53))
    fixations = Fixations(rng.random(80) * 53, rng.random(80) * 37)
    rows, columns = fixations.pixels((37, 53))
    expected = stats.zscore(saliency, axis=None)[rows, columns].mean()
    assert nss(saliency, fixations) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1, 1e200])
def test_does_not_depend_on_the_scale(scale):
    saliency = np.array([[4.0, 0], [0, 0]]) * scale
    assert nss(saliency, Fixations([0], [0])) == pytest.approx(np.sqrt(3))


@pytest.mark.parametrize("value", [0.0, 0.3, -7.3])
def test_constant_map_is_chance(value):
    """The standard deviation of a constant comes out as rounding noise, so it must not be divided by."""
    assert nss(np.full((60, 80), value), Fixations([3], [4])) == 0


def test_one_pixel():
    assert nss(np.array([[3.0]]), Fixations([0], [0])) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value):
    saliency = np.zeros((4, 4))
    saliency[1, 2] = value
    with pytest.raises(UsageError, match="1 values are not finite"):
        nss(saliency, Fixations([0], [0]))


def test_no_fixations_and_fixations_outside_are_refused_whatever_the_map():
    for saliency in (np.zeros((4, 5)), np.eye(4, 5)):
        with pytest.raises(UsageError, match="no fixations"):
            nss(saliency, Fixations([], []))
        with pytest.raises(UsageError, match="1 of 2 fixations lie outside the image of 5x4"):
            nss(saliency, Fixations([0, 5], [0, 0]))


@pytest.mark.parametrize("shape", [(4,), (4, 4, 1), (0, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(UsageError, match="expected \\(H, W\\)"):
        nss(np.zeros(shape), Fixations([0], [0]))
