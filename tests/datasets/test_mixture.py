"""The mixture of a ceiling: against sums written out, never below the plain ceiling, and by whom it is fitted."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.datasets import (
    Fixations,
    center_bias,
    fit_mixture,
    fixation_density,
    human_ceiling,
    leave_one_observer_out,
    mixture_ceiling,
)
from salbox.datasets.fixations import UNIFORM_SHARE
from salbox.datasets.mixture import BANDWIDTHS, FLOOR, MOST, WIDTHS, Bandwidth, Mixture, _left_out, _weights
from salbox.errors import UsageError
from salbox.metrics import ll

SHAPE, SIGMA = (48, 64), 4.0


def scattered(seed: int, observers: int = 5, each: int = 6) -> Fixations:
    """Fixations of which half lie around one place and half anywhere."""
    rng = np.random.default_rng(seed)
    count = observers * each
    anywhere = rng.random(count) < 0.5
    x = np.where(anywhere, rng.uniform(0, 64, count), rng.normal(20, 1.5, count))
    y = np.where(anywhere, rng.uniform(0, 48, count), rng.normal(30, 1.5, count))
    return Fixations(x, y, np.repeat(np.arange(observers), each)).inside(SHAPE)


@pytest.fixture(scope="module")
def center():
    others = [scattered(seed) for seed in (7, 8)]
    return center_bias(others, [SHAPE] * 2, SHAPE, SIGMA)


def likelihood(pairs) -> float:
    return float(np.mean([ll(np.log(density), own) for density, own in pairs]))


def with_uniform_share(pairs):
    return [((1 - UNIFORM_SHARE) * density + UNIFORM_SHARE / density.size, own) for density, own in pairs]


def test_left_out_densities_are_those_of_fixation_density():
    fixations = scattered(1)
    found = _left_out(fixations, SHAPE, SIGMA)
    for level, width in enumerate(WIDTHS):
        (number,) = (k for k, bandwidth in enumerate(BANDWIDTHS) if bandwidth == Bandwidth(width))
        for held_out in leave_one_observer_out(fixations):
            density = fixation_density(held_out.others, SHAPE, SIGMA * WIDTHS[level])
            own = fixations.subject == held_out.subject
            np.testing.assert_allclose(found[number, own], density[held_out.own.pixels(SHAPE)], rtol=1e-10)


@pytest.mark.parametrize("bandwidth", BANDWIDTHS)
def test_the_density_is_what_was_fitted(bandwidth):
    fixations = scattered(2)
    found = _left_out(fixations, SHAPE, SIGMA)[BANDWIDTHS.index(bandwidth)]
    mixture = Mixture(bandwidth, (1.0, 0.0, 0.0))
    for held_out in leave_one_observer_out(fixations):
        density = mixture.density(held_out.others, SHAPE, SIGMA)
        assert density.sum() == pytest.approx(1)
        expected = (1 - FLOOR) * found[fixations.subject == held_out.subject] + FLOOR / density.size
        np.testing.assert_allclose(density[held_out.own.pixels(SHAPE)], expected, rtol=1e-10)


def test_a_neighbour_says_how_wide_each_is():
    # Two people look at one place within a pixel; a third looks elsewhere, 30 pixels away.
    fixations = Fixations(x=[10, 10.5, 40], y=[10, 10, 10], subject=[0, 1, 2])
    density = Mixture(Bandwidth(1.0, neighbor=1), (1.0, 0.0, 0.0)).density(fixations, SHAPE, SIGMA)
    narrow, wide = SIGMA * WIDTHS[0], SIGMA * WIDTHS[-1]  # 1 and 16 pixels, the ends of what is tried
    near, far = fixations[np.array([0, 1])], fixations[np.array([2])]
    blurred = [fixation_density(near, SHAPE, narrow), fixation_density(far, SHAPE, wide)]
    # The wide one loses what falls beyond the image: by hand, of a Gaussian that is wide beside its steps.
    lost = fixation_density(far, SHAPE, wide).max() * 2 * np.pi * wide**2
    expected = (2 * blurred[0] + blurred[1] / lost) / (2 + 1 / lost)
    np.testing.assert_allclose(density, (1 - FLOOR) * expected + FLOOR / density.size, rtol=2e-3)


def test_ones_own_fixations_are_no_neighbours():
    fixations = Fixations(x=[10, 10, 10, 50], y=[10, 10, 10, 40], subject=[0, 0, 0, 1])
    alone = Mixture(Bandwidth(1.0, neighbor=1), (1.0, 0.0, 0.0)).density(fixations, SHAPE, SIGMA)
    wide = Mixture(Bandwidth(float(WIDTHS[-1])), (1.0, 0.0, 0.0)).density(fixations, SHAPE, SIGMA)
    np.testing.assert_allclose(alone, wide)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_never_less_likely_than_the_plain_ceiling(seed, center):
    fixations = scattered(seed, observers=2 + seed)
    plain = likelihood(with_uniform_share(human_ceiling(fixations, SHAPE, SIGMA)))
    for known in (center, None):
        assert likelihood(mixture_ceiling(fixations, SHAPE, SIGMA, known)) >= plain - 1e-12


def test_where_nobody_agrees_the_centre_and_anywhere_carry_it(center):
    rng = np.random.default_rng(4)
    large = (300, 400)
    apart = Fixations(rng.uniform(0, 400, 40), rng.uniform(0, 300, 40), np.repeat(np.arange(8), 5))
    assert fit_mixture(apart, large, SIGMA).weights[2] > 0.4
    plain = likelihood(with_uniform_share(human_ceiling(apart, large, SIGMA)))
    assert likelihood(mixture_ceiling(apart, large, SIGMA)) > plain + 0.5
    rows, columns = np.divmod(rng.choice(center.size, 60, p=center.ravel() / center.sum()), SHAPE[1])
    central = Fixations(columns, rows, np.repeat(np.arange(12), 5))
    assert fit_mixture(central, SHAPE, SIGMA, center).weights[1] > 0.4


def test_weights_are_those_of_the_greatest_likelihood():
    parts = np.random.default_rng(5).random((1, 40, 3))
    shares = np.full(40, 1 / 40)
    (weights,) = _weights(parts, shares)
    assert weights.sum() == pytest.approx(1)
    grid = [np.array([a, b, 1 - a - b]) for a in np.linspace(0, 1, 41) for b in np.linspace(0, 1 - a, 41)]
    best = max(float(np.log(parts[0] @ one) @ shares) for one in grid)
    assert float(np.log(parts[0] @ weights) @ shares) >= best - 1e-6


def test_nested_the_settings_do_not_see_who_is_predicted(center):
    fixations = scattered(3)
    nested = mixture_ceiling(fixations, SHAPE, SIGMA, center, nested=True)
    for held_out, (density, own) in zip(leave_one_observer_out(fixations), nested, strict=True):
        one = fit_mixture(held_out.others, SHAPE, SIGMA, center)
        np.testing.assert_array_equal(density, one.density(held_out.others, SHAPE, SIGMA, center))
        assert len(own) == len(held_out.own)
    found = [likelihood(mixture_ceiling(fixations, SHAPE, SIGMA, center, nested=n)) for n in (True, False)]
    assert found[0] <= found[1]


def test_too_few_observers_and_too_many_fixations_are_refused():
    one = Fixations(x=[3, 4], y=[3, 4])
    with pytest.raises(UsageError, match="leaving one out needs at least two"):
        fit_mixture(one, SHAPE, SIGMA)
    many = Fixations(np.full(MOST + 1, 3), np.full(MOST + 1, 3), np.arange(MOST + 1) % 2)
    with pytest.raises(UsageError, match=f"{MOST} at most"):
        fit_mixture(many, SHAPE, SIGMA)
