"""The random walks of GBVS against dense Markov matrices written out, eigenvectors and values by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from salbox.classical._graph import _kernel, activate, concentrate
from salbox.classical._pyramid import halve


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def walk(function, maps, *arguments):
    with ThreadPoolExecutor(2) as pool:
        return function(maps, *arguments, pool)


def activated(a, sigma_frac=0.15, tol=1e-4, multilevels=()):
    return walk(activate, [a], sigma_frac, tol, multilevels)[0]


def concentrated(a, sigma_frac=0.06, tol=1e-4, multilevels=(), iterations=1):
    return walk(concentrate, [a], sigma_frac, tol, multilevels, iterations)[0]


def gaussian_kernel(shape, sigma_frac):
    """Return the kernel of a single lattice, node by node."""
    nodes = list(np.ndindex(shape))
    sigma = sigma_frac * np.mean(shape)
    return np.array([[np.exp(-((y - v) ** 2 + (x - u) ** 2) / (2 * sigma**2)) for v, u in nodes] for y, x in nodes])


def markov(a, sigma_frac):
    flat = (a - a.min()).ravel() / np.ptp(a)
    weights = np.abs(flat[:, None] - flat) * gaussian_kernel(a.shape, sigma_frac)
    return weights / weights.sum(axis=0)


def test_equals_powers_of_the_markov_matrix():
    for seed in range(3):
        a = noise(7, 9, seed=seed)
        matrix = markov(a, 0.15)
        v = np.full(63, 1 / 63)
        for _ in range(1000):
            previous, v = v, matrix @ v
            if np.linalg.norm(v - previous) <= 1e-4:
                break
        np.testing.assert_allclose(activated(a).ravel(), v / v.sum(), atol=1e-15)


def test_its_limit_is_the_principal_eigenvector():
    a = noise(6, 8)
    values, vectors = np.linalg.eig(markov(a, 0.15))
    leading = np.real(vectors[:, np.argmax(values.real)])
    np.testing.assert_allclose(activated(a, tol=1e-12).ravel(), leading / leading.sum(), atol=1e-10)
    assert np.abs(activated(a).ravel() - leading / leading.sum()).max() > 1e-6  # where the walk is cut off is not there


def test_three_nodes_by_hand():
    """Values 0, 1/2, 1 in a row. One step from (1/3, 1/3, 1/3) for a tolerance that the first step meets."""
    sigma_frac = 0.75  # sigma = 0.75 (1 + 3) / 2 = 1.5
    near, far = 0.5 * np.exp(-1 / 4.5), np.exp(-4 / 4.5)
    step = np.array([0.5 + far / (near + far), 2 * near / (near + far), 0.5 + far / (near + far)]) / 3
    np.testing.assert_allclose(activated(np.array([[0, 0.5, 1]]), sigma_frac, tol=1)[0], step, atol=1e-15)


@pytest.mark.parametrize("multilevels", [(), (1, 2)])
def test_a_constant_map_is_dwelt_on_evenly(multilevels):
    for value in (0.0, 0.3, 5.0):
        a = np.full((21, 32), value) + 1e-15 * noise(21, 32)
        np.testing.assert_allclose(activated(a, multilevels=multilevels), 1 / 672)
        np.testing.assert_allclose(concentrated(a, multilevels=multilevels), 1 / 672)


def test_edges_too_short_to_reach_anyone():
    np.testing.assert_allclose(activated(noise(8, 8), sigma_frac=0.001), 1 / 64)


def test_a_walk_that_alternates_ends():
    """Between two values every edge crosses over, and the walk never settles."""
    two_valued = np.zeros((4, 6))
    two_valued[1, 2] = 1
    dwelt = activated(two_valued)
    assert dwelt.sum() == pytest.approx(1)
    assert np.isfinite(dwelt).all()


def test_many_maps_keep_their_order():
    maps = [noise(5, 6, seed=i) for i in range(7)]
    for together, a in zip(walk(activate, maps, 0.15, 1e-4, ()), maps, strict=True):
        np.testing.assert_array_equal(together, activated(a))


def test_concentration_has_the_known_equilibrium():
    """Weights a_i G_ij satisfy detailed balance, so the walk ends at a_i sum_j G_ij a_j."""
    a = noise(6, 8)
    mass = ((a - a.min()) / np.ptp(a)).ravel()
    expected = mass * (gaussian_kernel(a.shape, 0.15) @ mass)
    np.testing.assert_allclose(concentrated(a, 0.15, tol=1e-12).ravel(), expected / expected.sum(), atol=1e-9)


def test_concentration_repeated():
    a = noise(6, 8)
    mass = ((a - a.min()) / np.ptp(a)).ravel()
    kernel = gaussian_kernel(a.shape, 0.15)
    for _ in range(2):
        mass = mass * (kernel @ mass)
        mass /= mass.sum()
    np.testing.assert_allclose(concentrated(a, 0.15, tol=1e-12, iterations=2).ravel(), mass / mass.sum(), atol=1e-9)


def nodes_of(shape, coarse):
    """Return the pixels of every node: the map's own and those of one coarser lattice."""

    def bins(length, count):
        sizes = [length // count] * count
        left = length - sum(sizes)
        sizes[0] += left // 2
        sizes[-1] += left - left // 2
        edges = np.cumsum([0, *sizes])
        return [range(edges[i], edges[i + 1]) for i in range(count)]

    own = [[pixel] for pixel in np.ndindex(shape)]
    blocks = [
        [(y, x) for y in rows for x in columns]
        for rows in bins(shape[0], coarse[0])
        for columns in bins(shape[1], coarse[1])
    ]
    return own + blocks


def test_coarser_lattices_by_brute_force():
    a = noise(12, 15)
    small = halve(a.astype(np.float32)).astype(np.float64)
    assert small.shape == (6, 7)
    nodes = nodes_of(a.shape, small.shape)
    squares = np.empty((len(nodes), len(nodes)))
    for i, first in enumerate(nodes):
        for j, second in enumerate(nodes):
            squares[i, j] = np.mean([(y - v) ** 2 + (x - u) ** 2 for y, x in first for v, u in second])
    grid = np.array(list(np.ndindex(small.shape)))
    squares[180:, 180:] = ((grid[:, None] - grid) ** 2).sum(axis=2) * 180 / 42
    kernel = np.exp(-squares / (2 * (0.15 * 13.5) ** 2))
    np.testing.assert_allclose(_kernel(a.shape, (1,), 0.15), kernel, atol=1e-14)

    values = np.concatenate([((m - m.min()) / np.ptp(m)).ravel() for m in (a, small)])
    weights = np.abs(values[:, None] - values) * kernel
    eigenvalues, vectors = np.linalg.eig(weights / weights.sum(axis=0))
    v = np.real(vectors[:, np.argmax(eigenvalues.real)])
    v /= v.sum()
    expected = np.zeros(a.shape)
    for node, share in zip(nodes, v, strict=True):
        for pixel in node:
            expected[pixel] += share / len(node)
    np.testing.assert_allclose(activated(a, tol=1e-12, multilevels=(1,)), expected, atol=1e-10)
