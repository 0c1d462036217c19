"""The map that is best for each metric: what drawn fixations say of it, on average."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.optimize import linprog

from salbox.datasets import Fixations, fixation_density
from salbox.errors import UsageError
from salbox.metrics import auc, cc, kl_mit, map_for, nss, sauc, sim
from salbox.metrics.optimal_maps import most_shared

SHAPE, SIGMA, COUNT = (48, 64), 3.0, 20


@pytest.fixture(scope="module")
def density():
    rng = np.random.default_rng(0)
    values = np.exp(2.5 * gaussian_filter(rng.normal(size=SHAPE), 4) / 0.07)
    return values / values.sum()


@pytest.fixture(scope="module")
def center():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    values = np.exp(-0.5 * (((x - 32) / 16) ** 2 + ((y - 24) / 12) ** 2))
    return values / values.sum()


@pytest.fixture(scope="module")
def looked(density):
    """60 sets of fixations drawn from the density, and the maps that they make."""
    rng = np.random.default_rng(1)
    sets = []
    for _ in range(60):
        rows, columns = np.divmod(rng.choice(density.size, COUNT, p=density.ravel()), SHAPE[1])
        own = Fixations(columns + 0.5, rows + 0.5)
        sets.append((own, fixation_density(own, SHAPE, SIGMA)))
    return sets


def candidates(density, center):
    blurred = gaussian_filter(density, SIGMA, mode="constant")
    given = {"center_bias": np.log(center), "sigma": SIGMA, "fixations": COUNT}
    own = {metric: map_for(metric, np.log(density), **given) for metric in ("nss", "auc", "sauc", "cc", "kl", "sim")}
    return {**own, "sharper": density**2, "broader": density**0.5, "blurred": blurred, "log": np.log(density)}


def test_each_is_the_best_of_many_by_its_metric(density, center, looked):
    rng = np.random.default_rng(2)
    flat = rng.choice(center.size, 3000, p=center.ravel())
    negatives = Fixations(flat % SHAPE[1] + 0.5, flat // SHAPE[1] + 0.5)
    scores = {
        "nss": lambda values, own, truth: nss(values, own),
        "auc": lambda values, own, truth: auc(values, own),
        "sauc": lambda values, own, truth: sauc(values, own, negatives),
        "cc": lambda values, own, truth: cc(values, truth),
        "kl": lambda values, own, truth: -kl_mit(values - min(values.min(), 0), truth),
        "sim": lambda values, own, truth: sim(values, truth),
    }
    maps = candidates(density, center)
    for metric, score in scores.items():
        found = {name: np.mean([score(values, *each) for each in looked]) for name, values in maps.items()}
        assert found[metric] >= max(found.values()) - 0.004, (metric, found)


def test_most_shared_is_the_optimum_of_a_linear_program():
    rng = np.random.default_rng(3)
    truths = rng.dirichlet(np.full(6, 0.4), 5)
    k, n = truths.shape
    # max sum t with t_kn <= s_n, t_kn <= q_kn, sum s = 1
    cost = np.r_[np.zeros(n), -np.ones(k * n)]
    above = np.hstack([-np.tile(np.eye(n), (k, 1)), np.eye(k * n)])
    solved = linprog(
        cost, above, np.zeros(k * n), np.r_[np.ones(n), np.zeros(k * n)][None], [1.0],
        [(0, None)] * n + [(0, float(q)) for q in truths.ravel()],
    )  # fmt: skip
    found = most_shared(truths)
    assert found.sum() == pytest.approx(1)
    assert np.minimum(found, truths).sum() == pytest.approx(-solved.fun, rel=1e-6)


def test_blur_is_that_of_true_maps(density):
    expected = gaussian_filter(density, SIGMA, mode="constant")
    np.testing.assert_allclose(map_for("cc", np.log(density), sigma=SIGMA), expected / expected.sum(), atol=1e-9)
    # Large ones are computed on a smaller copy.
    large = np.kron(density, np.ones((8, 8))) / 64
    wide = gaussian_filter(large, 24.0, mode="constant")
    found = map_for("kl_mit", np.log(large), sigma=24.0)
    assert np.abs(found - wide / wide.sum()).sum() < 0.02


@pytest.mark.parametrize(
    ("metric", "given", "message"),
    [
        ("ncc", {}, "did you mean"),
        ("ig", {}, "no map is known"),
        ("cc", {}, "give sigma"),
        ("sim", {"sigma": -1.0}, "give sigma"),
        ("sim", {"sigma": 2.0, "fixations": 0}, "at least 1"),
        ("sauc", {}, "center_bias"),
        ("sauc", {"center_bias": np.log(np.full((2, 2), 0.25))}, "shape"),
    ],
)
def test_what_is_missing_is_said(density, metric, given, message):
    with pytest.raises(UsageError, match=message):
        map_for(metric, np.log(density), **given)
