"""Random walks on the locations of a map: the graphs of GBVS.

A map's pixels are the nodes of a fully connected graph, on request with coarser lattices above. Where a walker who
follows its edges spends their time is the new map. Edges decay with distance by a Gaussian; what else weighs them
makes the two uses: dissimilarity for activation, mass for normalisation (Harel, Koch and Perona 2006, sections 3.1
and 3.3).

The walk is followed only until a step changes little. That is far from its limit, so start and stopping rule are
part of the algorithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..types import Shape
from ._features import FLAT, mat2gray
from ._pyramid import SMALLEST, halve
from ._threads import THREADS

Map64 = npt.NDArray[np.float64]

TINY = 1e-12  # added to a map of zeros
# The original stops after 8 to 40 steps. On a map of two values the walk alternates for ever; there it ends here.
MAX_STEPS = 1000
MEMORY = 1 << 28  # bytes for the edges of graphs that are walked at the same time


def activate(
    maps: Sequence[Map64], sigma_frac: float, tol: float, multilevels: tuple[int, ...], pool: Executor
) -> list[Map64]:
    """Return where a walk dwells that prefers near and dissimilar locations, for each map: (h, w) float64, sums to 1.

    The edge between i and j weighs |a_i - a_j| exp(-d_ij^2 / (2 sigma^2)).

    Parameters
    ----------
    maps : sequence of (h, w) float64
        All of one shape; each is stretched to 0..1 first.
    sigma_frac : float
        Sigma as a fraction of the mean of height and width.
    tol : float
        The walk ends when a step changes the distribution by no more than this, in L2 norm.
    multilevels : tuple of int
        Coarser lattices to add: n stands for the map halved n times.
    pool : Executor
    """
    kernel = _kernel(_shape(maps[0]), multilevels, sigma_frac)

    def walk_all(share: Sequence[Map64]) -> list[Map64]:
        edges = np.empty_like(kernel)
        return [walk(a, edges) for a in share]

    def walk(a: Map64, edges: Map64) -> Map64:
        if _is_constant(a):
            return _uniform(a)
        return _collapse(_walk_to_dissimilar(_nodes(a, multilevels), kernel, edges, tol), a, multilevels)

    count = min(THREADS, len(maps), max(1, MEMORY // kernel.nbytes))
    shares = list(pool.map(walk_all, [maps[i::count] for i in range(count)]))
    return [shares[i % count][i // count] for i in range(len(maps))]


def concentrate(
    maps: Sequence[Map64], sigma_frac: float, tol: float, multilevels: tuple[int, ...], iterations: int, pool: Executor
) -> list[Map64]:
    """Return where a walk dwells that prefers near locations of large value, for each map: (h, w) float64, sums to 1.

    The edge from j to i weighs a_i exp(-d_ij^2 / (2 sigma^2)). Parameters as for `activate`; the walk is repeated on
    its own result `iterations` times.
    """
    kernel = _kernel(_shape(maps[0]), multilevels, sigma_frac)

    def walk(a: Map64) -> Map64:
        if _is_constant(a):
            return _uniform(a)
        mass = _nodes(a, multilevels)
        for _ in range(iterations):
            mass = _walk_to_mass(mass, kernel, tol)
        return _collapse(mass, a, multilevels)

    return list(pool.map(walk, maps))


def _walk_to_dissimilar(values: Map64, kernel: Map64, edges: Map64, tol: float) -> Map64:
    np.subtract(values[:, None], values, out=edges)
    np.abs(edges, out=edges)
    edges *= kernel
    leaving = _row_products(edges, np.ones_like(values))  # the matrix is symmetric
    return _equilibrium(lambda v: _row_products(edges, v), leaving, tol)


def _walk_to_mass(mass: Map64, kernel: Map64, tol: float) -> Map64:
    return _equilibrium(lambda v: mass * _row_products(kernel, v), _row_products(kernel, mass), tol)


def _row_products(matrix: Map64, v: Map64) -> Map64:
    """Return matrix @ v as one inner product a row: on those BLAS keeps to this thread, as the maps are shared out."""
    return np.matmul(matrix[:, None, :], v[:, None])[:, 0, 0]


def _equilibrium(step: Callable[[Map64], Map64], leaving: Map64, tol: float) -> Map64:
    """Return the distribution over nodes after a walk from the uniform one.

    Parameters
    ----------
    step : callable
        Product with the edge weights.
    leaving : (nodes,) float64
        Sum of the weights of the edges that leave each node. Where one has none, there is no walk: the distribution
        stays uniform.
    tol : float
    """
    distribution = np.full(leaving.shape, 1 / len(leaving))
    if not (leaving > np.finfo(np.float64).tiny).all():
        return distribution
    for _ in range(MAX_STEPS):
        previous, distribution = distribution, step(distribution / leaving)
        change = distribution - previous
        if math.sqrt(change @ change) <= tol:
            break
    return distribution / distribution.sum()


def _nodes(a: Map64, multilevels: tuple[int, ...]) -> Map64:
    """Return the values of all nodes, each lattice stretched to 0..1."""
    return np.concatenate([_positive(lattice).reshape(-1) for lattice in _lattices(a, multilevels)])


def _lattices(a: Map64, multilevels: tuple[int, ...]) -> list[Map64]:
    halved = [a]
    for _ in range(max(multilevels, default=0)):
        small = min(halved[-1].shape) <= SMALLEST
        halved.append(halved[-1] if small else halve(halved[-1].astype(np.float32)).astype(np.float64))
    return [halved[n] for n in (0, *multilevels)]


def _is_constant(a: Map64) -> bool:
    """Return whether a map is constant but for rounding: there is nowhere to walk."""
    return bool(np.ptp(a) <= FLAT)


def _uniform(a: Map64) -> Map64:
    return np.full(a.shape, 1 / a.size)


def _positive(a: Map64) -> Map64:
    stretched = mat2gray(a, FLAT)
    return stretched if stretched.max() > 0 else stretched + TINY


def _shape(a: Map64) -> Shape:
    return a.shape[0], a.shape[1]


def _collapse(nodes: Map64, a: Map64, multilevels: tuple[int, ...]) -> Map64:
    """Return the distribution over the map's pixels: a coarse node's share goes to its pixels in equal parts."""
    total = np.zeros(a.shape)
    start = 0
    for height, width in _lattice_shapes(_shape(a), multilevels):
        values = nodes[start : start + height * width].reshape(height, width)
        y, x = _bins(a.shape[0], height), _bins(a.shape[1], width)
        shared = values / np.outer(np.bincount(y), np.bincount(x))
        total += shared[np.ix_(y, x)]
        start += height * width
    return total


@lru_cache(maxsize=4)
def _kernel(shape: Shape, multilevels: tuple[int, ...], sigma_frac: float) -> Map64:
    """Return exp(-d^2 / (2 sigma^2)) between all nodes: (nodes, nodes) float64.

    Within a lattice d^2 is the squared distance on its grid, times the number of pixels to a node; between two it is
    the mean over all pairs of their pixels.
    """
    shapes = _lattice_shapes(shape, multilevels)
    sigma = sigma_frac * (shape[0] + shape[1]) / 2
    rows = []
    for i, first in enumerate(shapes):
        row = []
        for j, second in enumerate(shapes):
            if i == j:
                y, x = (np.subtract.outer(np.arange(n), np.arange(n)) ** 2.0 for n in first)
                scale = shape[0] * shape[1] / (first[0] * first[1])
            else:
                y, x = (_mean_squares(n, first[k], second[k]) for k, n in enumerate(shape))
                scale = 1.0
            squares = (y[:, None, :, None] + x[None, :, None, :]) * scale
            row.append(squares.reshape(first[0] * first[1], second[0] * second[1]))
        rows.append(row)
    kernel: Map64 = np.exp(np.block(rows) / (-2 * sigma**2))
    kernel.flags.writeable = False
    return kernel


def _mean_squares(length: int, first: int, second: int) -> Map64:
    """Return the mean squared distance between the pixels of bins: (first, second) float64."""
    mean, variance = zip(*(_moments(_bins(length, count)) for count in (first, second)), strict=True)
    return np.subtract.outer(mean[0], mean[1]) ** 2 + np.add.outer(variance[0], variance[1])


def _moments(bins: npt.NDArray[np.intp]) -> tuple[Map64, Map64]:
    count, places = np.bincount(bins), np.arange(len(bins), dtype=np.float64)
    mean = np.bincount(bins, places) / count
    return mean, np.bincount(bins, places**2) / count - mean**2


def _bins(length: int, count: int) -> npt.NDArray[np.intp]:
    """Return which of `count` coarse nodes each of `length` pixels belongs to.

    All have length // count pixels; of those left over half go to the first, the others to the last.
    """
    sizes = np.full(count, length // count)
    left = length - sizes.sum()
    sizes[0] += left // 2
    sizes[-1] += left - left // 2
    return np.repeat(np.arange(count), sizes)


@lru_cache(maxsize=32)
def _lattice_shapes(shape: Shape, multilevels: tuple[int, ...]) -> tuple[Shape, ...]:
    return tuple(_shape(lattice) for lattice in _lattices(np.zeros(shape), multilevels))
