"""Log-likelihood and information gain by hand."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.datasets import Fixations
from salbox.errors import UsageError
from salbox.metrics import ig, ll

UNIFORM = np.full((2, 4), -np.log(8))
PEAK = np.log(np.array([[0.5, 0.25, 0.05, 0.05], [0.05, 0.05, 0.025, 0.025]]))


def test_log_likelihood_by_hand():
    fixations = Fixations([0, 1, 1], [0, 0, 0])
    assert ll(PEAK, fixations) == pytest.approx((np.log(0.5) + 2 * np.log(0.25)) / 3)
    assert ll(UNIFORM, fixations) == pytest.approx(-np.log(8))


def test_information_gain_by_hand():
    assert ig(PEAK, Fixations([0], [0]), UNIFORM) == pytest.approx(2)  # 1/2 against 1/8: two bits
    assert ig(PEAK, Fixations([0, 3], [0, 1]), UNIFORM) == pytest.approx((2 + np.log2(0.2)) / 2)
    assert ig(PEAK, Fixations([0, 3], [0, 1]), PEAK) == 0


def test_single_precision_is_a_log_density_too():
    assert ll(PEAK.astype(np.float32), Fixations([0], [0])) == pytest.approx(np.log(0.5), abs=1e-6)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 4)), "sums to 8, not to 1"),
        (PEAK - 0.05, "sums to 0.9512, not to 1"),
        (np.full((2, 4), -1e6), "sums to 0, not to 1"),
        (np.full((2, 4), 1e6), "maximum 1e\\+06 is above 0"),
        (np.where(PEAK > -1, -np.inf, PEAK), "not finite"),
    ],
)
def test_what_is_no_log_density_is_refused(values, message):
    for call in (lambda: ll(values, Fixations([0], [0])), lambda: ig(PEAK, Fixations([0], [0]), values)):
        with pytest.raises(UsageError, match=message):
            call()


def test_fixations_and_shapes_are_checked():
    with pytest.raises(UsageError, match="no fixations"):
        ll(PEAK, Fixations([], []))
    with pytest.raises(UsageError, match="outside"):
        ig(PEAK, Fixations([4], [0]), UNIFORM)
    with pytest.raises(UsageError, match="resize one first"):
        ig(PEAK, Fixations([0], [0]), UNIFORM.T)
