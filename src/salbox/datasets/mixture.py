"""How well people predict each other, by a density fitted to each image: the better ceiling.

It is what Kümmerer's gold standards are: blurred fixations, and besides a share of where people look whatever the
image, and of anywhere at all, which carry the more the less people agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..errors import UsageError
from ..types import DoubleMap, Shape
from .fixations import UNIFORM_SHARE, Fixations, Indices, _blur_matrix, leave_one_observer_out

# What is tried. Salbox's own choice: on training images of OSIE and EyeCrowd three times as many neighbours and
# proportions gain less than .01 bit a fixation more.
WIDTHS = 2.0 ** np.arange(-2, 2.1, 0.5)  # standard deviations in units of the given one
NEIGHBORS = (4, 8)
PROPORTIONS = (0.5, 1.0)

FLOOR = 1e-3  # the share of the blurred fixations' part that is spread evenly, so that no pixel has probability 0
STEPS = 300  # of expectation-maximization at most
GAIN = 1e-8  # nats a fixation; a step that gains less is the last
MOST = 3000  # fixations on an image: each is compared with each


class Bandwidth(NamedTuple):
    """The Gaussian of each fixation.

    Attributes
    ----------
    factor : float
        Its standard deviation in units of the given one; or, with a neighbour, of the distance to that.
    neighbor : int
        0, or which of the nearest fixations of other people counts: where there are many, each is blurred less.
    """

    factor: float
    neighbor: int = 0


PLAIN = Bandwidth(1.0)
BANDWIDTHS = (
    PLAIN,
    *(Bandwidth(float(width)) for width in WIDTHS if width != 1),
    *(Bandwidth(proportion, neighbor) for neighbor in NEIGHBORS for proportion in PROPORTIONS),
)


@dataclass(frozen=True)
class Mixture:
    """p = w1 blurred fixations + w2 centre + w3 uniform.

    Attributes
    ----------
    bandwidth : Bandwidth
    weights : (w1, w2, w3)
        None is negative; they sum to 1.
    """

    bandwidth: Bandwidth
    weights: tuple[float, float, float]

    def density(self, fixations: Fixations, shape: Shape, sigma: float, center: DoubleMap | None = None) -> DoubleMap:
        """Return the density that some people's fixations predict: (H, W) float64, positive, sums to 1.

        Parameters as in `fit_mixture`.

        Raises
        ------
        UsageError
            As `fit_mixture`.
        """
        levels = _levels(self.bandwidth, _distances(fixations), sigma)
        vertical, horizontal = np.empty((shape[0], len(fixations))), np.empty((shape[1], len(fixations)))
        for level in np.unique(levels):
            alike = levels == level
            vertical[:, alike], horizontal[:, alike] = _blurs(fixations[alike], shape, sigma * WIDTHS[level])
        blurred = vertical @ horizontal.T
        uniform = 1 / blurred.size
        first, second, third = self.weights
        blurred = (1 - FLOOR) / blurred.sum() * blurred + FLOOR * uniform
        return first * blurred + second * (uniform if center is None else center) + third * uniform


def fit_mixture(fixations: Fixations, shape: Shape, sigma: float, center: DoubleMap | None = None) -> Mixture:
    """Return the mixture by which an image's observers predict each other best.

    What is compared is the likelihood of each observer's fixations under the density of all others': the mean over an
    observer's fixations, and over observers. Bandwidths are tried; the weights of each are found by
    expectation-maximization. The blur of `sigma` with 1 % spread evenly, as `center_bias` has it, is among what is
    tried, so that the mixture is never less likely.

    Parameters
    ----------
    fixations : Fixations
        On the image, of at least two observers.
    shape : (H, W)
    sigma : float
        In pixels, of which the widths that are tried are multiples.
    center : (H, W) array, optional
        Where people look whatever the image: a density of other images' fixations, positive, sums to 1. Without it
        the weight of the centre is one more of the uniform share.

    Raises
    ------
    UsageError
        If there are fewer than two observers, more than `MOST` fixations, or as `fixation_density`.

    References
    ----------
    Kümmerer, Wallis, Bethge: Information-theoretic model comparison unifies saliency metrics. PNAS 112(52), 2015
    (gold standard). Breiman, Meisel, Purcell: Variable kernel estimates of multivariate densities. Technometrics 19(2),
    1977 (distance to a neighbour).

    Examples
    --------
    Four people look closely at one place:

    >>> from salbox.datasets import Fixations, fit_mixture
    >>> fixations = Fixations(x=[30, 31, 30, 31], y=[20, 20, 21, 21], subject=[0, 1, 2, 3])
    >>> mixture = fit_mixture(fixations, (48, 64), sigma=4)
    >>> mixture.bandwidth.factor < 1, mixture.weights[0] > 0.9
    (True, True)
    """
    observers = fixations.subjects
    if len(observers) < 2:
        raise UsageError(f"the fixations of {len(observers)} observers: leaving one out needs at least two")
    predicted = _left_out(fixations, shape, sigma)
    uniform = 1 / (shape[0] * shape[1])
    at_center = uniform if center is None else np.asarray(center, np.float64).ravel()[fixations.flat_pixels(shape)]
    parts = np.empty((*predicted.shape, 3))  # bandwidth, fixation, part of the mixture
    parts[..., 0], parts[..., 1], parts[..., 2] = (1 - FLOOR) * predicted + FLOOR * uniform, at_center, uniform
    _, numbers, counts = np.unique(fixations.subject, return_inverse=True, return_counts=True)
    shares = 1 / (len(observers) * counts[numbers])  # every observer counts the same
    weights = _weights(parts, shares)
    # What is done without a mixture, in its terms.
    plain = np.array([(1 - UNIFORM_SHARE) / (1 - FLOOR), 0, 0])
    plain[2] = 1 - plain[0]
    candidates = [(PLAIN, plain, parts[0]), *zip(BANDWIDTHS, weights, parts, strict=True)]
    bandwidth, best, _ = max(candidates, key=lambda one: float(np.log(one[2] @ one[1]) @ shares))
    return Mixture(bandwidth, (float(best[0]), float(best[1]), float(best[2])))


def mixture_ceiling(
    fixations: Fixations, shape: Shape, sigma: float, center: DoubleMap | None = None, *, nested: bool = False
) -> Iterator[tuple[DoubleMap, Fixations]]:
    """Yield, for each observer, the mixture of all others' fixations and the fixations it has to predict.

    As `human_ceiling`, by a better density. The observer's fixations are in no density that has to predict them; the
    few settings of the image (bandwidth, two weights) are those by which its observers predict each other best,
    this one among them. That is how gold standards are made, and what keeps the likelihood from falling below that of
    `human_ceiling`. It is a little in favour of the ceiling; `nested` tells how much.

    Parameters
    ----------
    fixations, shape, sigma, center
        As in `fit_mixture`.
    nested : bool
        Find the settings without the observer, too: by which all others predict each other best.

    Raises
    ------
    UsageError
        As `fit_mixture`; nested needs three observers.

    Examples
    --------
    >>> from salbox.datasets import Fixations, mixture_ceiling
    >>> from salbox.metrics import nss
    >>> fixations = Fixations(x=[10, 11, 40], y=[10, 9, 30], subject=[0, 1, 2])
    >>> [nss(density, own) > 1 for density, own in mixture_ceiling(fixations, (48, 64), sigma=3)]
    [True, True, False]
    """
    mixture = None if nested else fit_mixture(fixations, shape, sigma, center)
    for held_out in leave_one_observer_out(fixations):
        one = mixture or fit_mixture(held_out.others, shape, sigma, center)
        yield one.density(held_out.others, shape, sigma, center), held_out.own


def _distances(fixations: Fixations) -> DoubleMap:
    """Return how far each fixation is from each in pixels: (N, N); the same observer's are no neighbours: infinity."""
    if len(fixations) > MOST:
        raise UsageError(
            f"{len(fixations)} fixations on one image: the mixture compares each with each, {MOST} at most"
        )
    distances = np.hypot(fixations.x[:, None] - fixations.x, fixations.y[:, None] - fixations.y)
    distances[fixations.subject[:, None] == fixations.subject] = np.inf
    return distances


def _levels(bandwidth: Bandwidth, distances: DoubleMap, sigma: float) -> Indices:
    """Return which of `WIDTHS` each fixation gets, the nearest in proportion: (N,)."""
    if not bandwidth.neighbor:
        return np.full(len(distances), int(np.abs(np.log(WIDTHS / bandwidth.factor)).argmin()))
    rank = min(bandwidth.neighbor, len(distances)) - 1
    nearest = np.partition(distances, rank, axis=1)[:, rank]
    # No such neighbour: as wide as can be. At the same pixel: as narrow.
    steps = np.log(np.clip(bandwidth.factor * nearest / sigma, *WIDTHS[[0, -1]]) / WIDTHS[0])
    return np.rint(steps / np.log(WIDTHS[1] / WIDTHS[0])).astype(np.intp)


def _blurs(fixations: Fixations, shape: Shape, width: float) -> tuple[DoubleMap, DoubleMap]:
    """Return what each fixation puts into rows and columns, (H, N) and (W, N): its Gaussian is the product."""
    rows, columns = fixations.pixels(shape)
    return _blur_matrix(shape[0], rows, width), _blur_matrix(shape[1], columns, width)


def _masses(blurs: tuple[DoubleMap, DoubleMap]) -> DoubleMap:
    """Return what of each fixation's Gaussian lies on the image: (N,)."""
    return np.asarray(blurs[0].sum(axis=0) * blurs[1].sum(axis=0))


def _left_out(fixations: Fixations, shape: Shape, sigma: float) -> DoubleMap:
    """Return the density at each fixation of the blurred fixations of other observers: (len(BANDWIDTHS), N)."""
    count, distances = len(fixations), _distances(fixations)
    rows, columns = fixations.pixels(shape)
    spread, mass = np.empty((len(WIDTHS), count, count)), np.empty((len(WIDTHS), count))
    for level, width in enumerate(WIDTHS):
        blurs = _blurs(fixations, shape, sigma * width)
        spread[level], mass[level] = blurs[0][rows] * blurs[1][columns], _masses(blurs)
    found = np.empty((len(BANDWIDTHS), count))
    for observer in fixations.subjects:
        own, others = np.flatnonzero(fixations.subject == observer), np.flatnonzero(fixations.subject != observer)
        known = distances[np.ix_(others, others)]
        for number, bandwidth in enumerate(BANDWIDTHS):
            levels = _levels(bandwidth, known, sigma)
            found[number, own] = spread[levels, own[:, None], others].sum(axis=1) / mass[levels, others].sum()
    return found


def _weights(parts: DoubleMap, shares: DoubleMap) -> DoubleMap:
    """Return the weights of the greatest likelihood, of each bandwidth: (K, 3), by expectation-maximization.

    The log-likelihood is concave in the weights, so that it has no other maximum, and no step lowers it.
    """
    weights = np.full((len(parts), parts.shape[-1]), 1 / parts.shape[-1])
    before = np.full(len(parts), -np.inf)
    for _ in range(STEPS):
        weighted = weights[:, None] * parts
        total = weighted.sum(axis=-1, keepdims=True)
        likelihood = np.log(total[..., 0]) @ shares
        if (likelihood - before < GAIN).all():
            break
        before = likelihood
        weights = np.einsum("n,knp->kp", shares, weighted / total)
    return weights
