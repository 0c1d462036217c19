"""The likelihood of a fit: its gradient, its value computed another way, and what a fit finds again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from salbox.calibration.centers import fit_center
from salbox.calibration.fitting import cross_validate, folds, maximum_likelihood
from salbox.calibration.forms import Line, Steps, curve_form
from salbox.calibration.likelihood import Likelihood
from salbox.calibration.observed import observed
from salbox.datasets import Fixations
from salbox.errors import UsageError
from salbox.models.profiles import Center

SIZE = (48, 64)


def smooth(rng, size=SIZE, sigma=3):
    values = cv2.GaussianBlur(rng.normal(size=size), (0, 0), sigma)
    return ((values - values.mean()) / values.std()).astype(np.float32)


def drawn(rng, density, count, index=0, **values):
    """Return a photo whose fixations are drawn from a density."""
    flat = density.reshape(-1) / density.sum()
    rows, columns = np.divmod(rng.choice(flat.size, count, p=flat), density.shape[1])
    return observed(index, density.shape, Fixations(columns + 0.5, rows + 0.5), values)


def test_gradient():
    rng = np.random.default_rng(0)
    photos = []
    for k in range(3):
        one, other = smooth(rng), smooth(rng)
        photos.append(drawn(rng, np.exp(one + other), 40, k, a=one, b=other))
    forms = {"a": Line(), "b": Steps((-2, -1, 0, 1, 2, 4), 0.4, 0.3)}
    likelihood = Likelihood(photos, forms, Center(width=0.2, height=0.3), [1, 2, 3])
    at = likelihood.begin(0.03, 0.7) + np.r_[rng.uniform(0, 0.3, 6), 0, 0]
    step = 1e-3  # maps are blurred in single precision
    numeric = [(likelihood.loss(at + step * e)[0] - likelihood.loss(at - step * e)[0]) / (2 * step) for e in np.eye(8)]
    np.testing.assert_allclose(likelihood.loss(at)[1], numeric, atol=2e-3)


def test_value_is_the_mean_log_density_at_fixations():
    rng = np.random.default_rng(1)
    one = smooth(rng)
    photo = drawn(rng, np.exp(one), 30, a=one)
    likelihood = Likelihood([photo], {"a": Line()}, Center(width=0.2, height=0.3))
    numbers = np.array([0.8, 0.6, np.log(0.04)])
    blurred = gaussian_filter(np.exp(0.8 * one.astype(float)), 0.04 * 64, mode="reflect")
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    prior = np.exp(-0.5 * ((((x + 0.5) / 64 - 0.5) / 0.2) ** 2 + (((y + 0.5) / 48 - 0.5) / 0.3) ** 2))
    density = blurred * prior**0.6
    density /= density.sum()
    expected = photo.shares @ np.log(density.reshape(-1)[photo.pixels] * density.size)
    assert -likelihood.loss(numbers)[0] == pytest.approx(expected, abs=1e-4)  # a line costs no roughness


def test_a_temperature_and_a_centre_are_found_again():
    rng = np.random.default_rng(2)
    center = Center(width=0.15, height=0.15)
    prior = center.log(SIZE)
    photos = []
    for k in range(30):
        one = smooth(rng)
        photos.append(drawn(rng, np.exp(one / 2 + prior), 300, k, a=one))
    fit = maximum_likelihood(photos, {"a": Line()})
    assert 1 / fit.numbers["a"][0] == pytest.approx(2, abs=0.25)
    found = fit.tail.center
    # Of the product of weight and shape the data tell, on each side: 1 / .15^2.
    assert found.weight / found.width**2 == pytest.approx(1 / 0.15**2, rel=0.1)
    assert fit.tail.blur < 0.02


def test_a_curve_is_found_again_and_a_useless_model_weighs_nothing():
    rng = np.random.default_rng(3)
    photos = []
    for k in range(30):
        one, noise = smooth(rng), smooth(rng)
        photos.append(drawn(rng, np.exp(2.0 * (one > 0.75)), 300, k, a=one, noise=noise))
    forms = {name: curve_form("score", len(photos)) for name in ("a", "noise")}
    fit = maximum_likelihood(photos, forms)
    curve = forms["a"].curve_of(fit.numbers["a"])
    assert curve(np.array(2.0)) - curve(np.array(0.0)) == pytest.approx(2, abs=0.4)
    assert curve(np.array(0.0)) - curve(np.array(-2.0)) < 0.5  # a smooth curve begins to rise a little before
    assert fit.numbers["noise"].sum() < 0.3
    assert all((numbers >= 0).all() for numbers in fit.numbers.values())


def test_held_out_photos_are_not_seen():
    rng = np.random.default_rng(4)
    photos = []
    for k in range(12):
        one = smooth(rng)
        photos.append(drawn(rng, np.exp(one if k % 2 else -one), 50, k, a=one))
    parts = np.arange(12) % 2
    fits = cross_validate(photos, {"a": Line()}, parts)
    # Odd photos are looked at as the map says, even ones the other way round: each sees the others alone.
    assert fits[0].numbers["a"][0] > 0.5
    assert fits[1].numbers["a"][0] == pytest.approx(0.05)


def test_folds():
    parts = folds(23, 5, seed=1)
    assert sorted(np.bincount(parts)) == [4, 4, 5, 5, 5]
    assert (folds(23, 5, seed=1) == parts).all()
    with pytest.raises(UsageError, match="at least 10"):
        folds(9, 5)


@pytest.mark.parametrize("shape", ["gaussian", "grid"])
def test_center_is_where_fixations_are(shape):
    rng = np.random.default_rng(5)
    photos = []
    for k in range(10):
        x, y = rng.normal(0.6, 0.1, 200).clip(0, 0.99), rng.normal(0.4, 0.15, 200).clip(0, 0.99)
        photos.append(observed(k, SIZE, Fixations(x * 64, y * 48), {"a": np.zeros(SIZE, np.float32)}))
    center = fit_center(photos, shape)
    row, column = divmod(int(center.log(SIZE).argmax()), 64)
    assert abs(column / 64 - 0.6) < 0.07
    assert abs(row / 48 - 0.4) < 0.09
    if shape == "gaussian":
        assert (center.width, center.height) == pytest.approx((0.1, 0.15), abs=0.01)
