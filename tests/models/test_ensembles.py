"""Ensembles: the mean of z-scored maps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import zscore
from skimage import data

import salbox
from salbox.models.ensembles import members


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(data.chelsea()[:120, :160])


@pytest.mark.slow
def test_is_the_mean_of_z_scored_maps(photo):
    maps = [zscore(salbox.load(name)(photo), axis=None, ddof=1) for name in ("gbvs", "bms")]
    ensemble = salbox.load("ensemble:gbvs+bms")
    np.testing.assert_allclose(ensemble(photo), np.mean(maps, axis=0), atol=1e-5)
    weighted = salbox.load("ensemble:3*gbvs+1*bms")(photo)
    np.testing.assert_allclose(weighted, 0.75 * maps[0] + 0.25 * maps[1], atol=1e-5)


def test_scale_of_a_member_does_not_matter(photo):
    """AIM's numbers are information, BMS's lie in 0..255: neither drowns the other."""
    one = salbox.load("ensemble:bms+gaussian")(photo)
    assert np.corrcoef(one.ravel(), salbox.load("bms")(photo).ravel())[0, 1] > 0.4
    assert np.corrcoef(one.ravel(), salbox.load("gaussian")(photo).ravel())[0, 1] > 0.4


def test_a_constant_member_counts_as_nothing():
    black = np.zeros((40, 50, 3), np.uint8)
    np.testing.assert_array_equal(salbox.load("ensemble:bms+imsig")(black), np.zeros((40, 50)))


def test_weights_sum_to_one():
    assert members("ensemble: 2*aim + bms") == pytest.approx({"aim": 2 / 3, "bms": 1 / 3})


def test_works_wherever_a_name_does(photo):
    name = "ensemble:gbvs+bms"
    maps = salbox.predict(photo, [name, "bms"])
    assert list(maps) == [name, "bms"]
    card = salbox.card(name)
    assert card.name == name
    assert "gbvs" in card.origin
    assert "bms" in card.origin


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ensemble:", "expected ensemble:a"),
        ("ensemble:gbvs+", "expected ensemble:a"),
        ("ensemble:x*gbvs", "weights above 0"),
        ("ensemble:-1*gbvs+bms", "weights above 0"),
        ("ensemble:inf*gbvs+bms", "weights above 0"),
        ("ensemble:gbvs+gbvs", "stands twice"),
        ("ensemble:gbvz+bms", "did you mean 'gbvs'"),
        ("ensemble:gbvs+ensemble:bms", "cannot be a member"),
    ],
)
def test_refuses(name, message):
    with pytest.raises(salbox.UsageError, match=message):
        salbox.load(name)


def test_says_whose_weights_are_meant():
    with pytest.raises(salbox.UsageError, match="whose weights"):
        salbox.load("ensemble:fastgaze+bms", weights="f.npz")
    with pytest.raises(salbox.UsageError, match="no member aim"):
        salbox.load("ensemble:fastgaze+bms", weights={"aim": "f.npz"})
