"""CC, SIM and KL by hand and against NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from salbox.errors import UsageError
from salbox.metrics import cc, kl_mit, kl_pysaliency, sim, sim_mit, to_density

rng = np.random.default_rng(2)
FIRST, SECOND = rng.gamma(0.7, size=(23, 31)), rng.gamma(0.7, size=(23, 31))


def test_cc_equals_scipys():
    assert cc(FIRST, SECOND) == pytest.approx(stats.pearsonr(FIRST.ravel(), SECOND.ravel())[0], abs=1e-12)
    assert cc(-3 * FIRST + 8, FIRST) == pytest.approx(-1)
    assert cc(FIRST * 1e-200, FIRST * 1e200) == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_cc_of_a_constant_is_0(value):
    constant = np.full((23, 31), value)  # the mean of .3 is not .3 in some shapes
    assert cc(constant, SECOND) == cc(FIRST, constant) == cc(constant, constant) == 0


def test_density_rules():
    saliency = np.array([[1.0, 3.0]])
    np.testing.assert_allclose(to_density(saliency, "sum"), [[0.25, 0.75]])
    np.testing.assert_allclose(to_density(saliency, "min-max"), [[0, 1]])
    np.testing.assert_allclose(to_density(np.array([[-1.0, 0, 2]]), "sum"), [[0, 0.25, 0.75]])
    with pytest.raises(UsageError, match="density rule 'softmax'"):
        to_density(saliency, "softmax")


@pytest.mark.parametrize("rule", ["sum", "min-max"])
@pytest.mark.parametrize("value", [0.0, 5.0, -2.0])
def test_a_constant_becomes_the_uniform_density(rule, value):
    np.testing.assert_allclose(to_density(np.full((2, 5), value), rule), np.full((2, 5), 0.1))


def test_sim_by_hand():
    p, q = np.array([[1.0, 3.0]]), np.array([[1.0, 1.0]])
    assert sim(p, q) == pytest.approx(0.75)
    assert sim(q, p) == pytest.approx(0.75)
    assert sim_mit(p, np.array([[2.0, 1.0]])) == 0  # after min-max they share nothing
    assert sim(FIRST, 7 * FIRST) == pytest.approx(1)


def test_kl_equals_scipys_entropy_where_nothing_is_zero():
    expected = stats.entropy(SECOND.ravel(), FIRST.ravel())
    assert kl_mit(FIRST, SECOND) == pytest.approx(expected, abs=1e-9)
    assert kl_pysaliency(FIRST, SECOND) == pytest.approx(expected, abs=1e-12)


def test_kl_where_the_map_is_zero():
    saliency, density = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    assert kl_mit(saliency, density) == pytest.approx(0.5 * np.log(0.5) + 0.5 * np.log(0.5 / 2.2204e-16))
    assert kl_pysaliency(saliency, density) == pytest.approx(0.5 * np.log(0.5) + 0.5 * np.log(0.5 / 1e-20))


def test_kl_where_the_density_is_zero():
    saliency, density = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])
    assert kl_mit(saliency, density) == pytest.approx(np.log(2))
    assert kl_pysaliency(saliency, density) == pytest.approx(np.log(2))


def test_kl_of_a_constant_map_is_that_of_the_uniform_density():
    uniform = np.full(FIRST.shape, 1 / FIRST.size)
    for constant in (0.0, 3.0):
        saliency = np.full(FIRST.shape, constant)
        assert kl_mit(saliency, SECOND) == pytest.approx(stats.entropy(SECOND.ravel(), uniform.ravel()), abs=1e-9)
        assert kl_pysaliency(saliency, SECOND) == pytest.approx(kl_pysaliency(uniform, SECOND), abs=1e-9)


def test_kl_pysaliency_says_when_its_constant_is_lost():
    with pytest.raises(UsageError, match="too large"):
        kl_pysaliency(np.array([[1e305, 0.0]]), np.array([[1.0, 0.0]]))


@pytest.mark.parametrize("metric", [cc, sim, sim_mit, kl_mit, kl_pysaliency])
def test_one_pixel_has_a_value(metric):
    assert np.isfinite(metric(np.ones((1, 1)), np.ones((1, 1))))


@pytest.mark.parametrize("metric", [cc, sim, sim_mit, kl_mit, kl_pysaliency])
def test_shapes_and_values_are_checked(metric):
    with pytest.raises(UsageError, match="resize one first"):
        metric(FIRST, SECOND.T)
    with pytest.raises(UsageError, match="not finite"):
        metric(np.full(FIRST.shape, np.nan), SECOND)
    with pytest.raises(UsageError, match="not finite"):
        metric(FIRST, np.full(FIRST.shape, np.inf))
