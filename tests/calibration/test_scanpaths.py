"""The order of fixations: the likelihood's value and gradient computed another way, and what a fit finds again."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.calibration.scanpaths import SaccadeLikelihood, fit_saccades, looked
from salbox.datasets import Fixations
from salbox.errors import UsageError
from salbox.models.scanpaths import Saccades

SHAPE = (48, 64)
TRUE = Saccades(0.8, (1.5, 1.2, 0.8, 0.5, 0.4, 0.2, 0.1, 0.0), (-1.5, -1.0, -0.5, 0.0), (-0.6, -0.4, 0.0, 0.1))
NUMBERS = np.array([TRUE.density, *TRUE.last, *TRUE.previous, *TRUE.earlier])


def density(rng):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    places = rng.uniform((5, 5), (60, 43), (4, 2))
    heat = sum(np.exp(-0.5 * ((x - a) ** 2 + (y - b) ** 2) / 30) for a, b in places) + 0.05
    return np.log(heat / heat.sum())


def observed(rng, log_density, observers, length):
    paths = [TRUE.sample(log_density, length, rng) for _ in range(observers)]
    places = np.concatenate(paths) + 0.5
    subject = np.repeat(np.arange(observers), length)
    return Fixations(places[:, 0], places[:, 1], subject, np.tile(np.arange(length), observers))


def photos(rng, number, observers=6, length=7):
    found = []
    for _ in range(number):
        log_density = density(rng)
        found.append(looked(log_density, observed(rng, log_density, observers, length), SHAPE))
    return found


def test_value_is_the_mean_gain_of_the_densities_of_next_fixations():
    rng = np.random.default_rng(0)
    log_density = density(rng)
    fixations = observed(rng, log_density, 2, 6)
    gains = []
    for observer in range(2):
        places = np.stack([fixations.x, fixations.y], axis=1)[fixations.subject == observer]
        for n in range(1, len(places)):
            x, y = places[n].astype(int)
            gains.append(TRUE.next_log_density(log_density, places[:n])[y, x] - log_density[y, x])
    value, _ = SaccadeLikelihood([looked(log_density, fixations, SHAPE)])(NUMBERS)
    assert value == pytest.approx(np.mean(gains), abs=0.01)  # its distances are rounded to a quarter of a per cent


def test_gradient():
    likelihood = SaccadeLikelihood(photos(np.random.default_rng(1), 2, observers=3), [1, 3])
    rng = np.random.default_rng(2)
    at = NUMBERS + rng.normal(0, 0.2, len(NUMBERS))
    step = 1e-5
    numeric = [(likelihood(at + step * e)[0] - likelihood(at - step * e)[0]) / (2 * step) for e in np.eye(len(at))]
    np.testing.assert_allclose(likelihood(at)[1], numeric, atol=1e-6)


def test_a_fit_finds_what_fixations_were_drawn_by():
    rng = np.random.default_rng(3)
    found = fit_saccades(photos(rng, 12, observers=12, length=8))
    assert found.density == pytest.approx(TRUE.density, abs=0.1)
    assert found.previous[0] < -0.7
    assert found.earlier[0] < -0.2
    # Only differences along the distance tell: nodes that many saccades end near.
    np.testing.assert_allclose(np.diff(found.last)[2:6], np.diff(TRUE.last)[2:6], atol=0.4)
    assert found.about["fixations"] == 12 * 12 * 7


def test_data_sets_count_the_same_by_weights():
    rng = np.random.default_rng(4)
    some, one = photos(rng, 3, observers=2), photos(rng, 1, observers=2)
    weighted = SaccadeLikelihood([*some, *one], [1 / 3, 1 / 3, 1 / 3, 1.0])(NUMBERS)[0]
    assert weighted == pytest.approx(np.mean([SaccadeLikelihood(part)(NUMBERS)[0] for part in (some, one)]))


def test_a_photo_on_which_nobody_looked_twice_does_not_count():
    rng = np.random.default_rng(6)
    some = photos(rng, 2, observers=2)
    none = looked(density(rng), Fixations([5.0], [5.0], [0], [0]), SHAPE)
    assert none.bins.shape == (0, none.log_density.size)
    assert SaccadeLikelihood([*some, none])(NUMBERS)[0] == SaccadeLikelihood(some)(NUMBERS)[0]


def test_too_few_fixations_are_refused():
    with pytest.raises(UsageError, match="at least 50"):
        fit_saccades(photos(np.random.default_rng(5), 1, observers=1))
