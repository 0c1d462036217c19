"""CC, SIM and KL: a map against the density of the fixations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import DoubleMap
from ._checks import as_pair, check_same_shape
from .density import to_density, unit_range
from .metric import ANY, Metric

MIT_EPS = 2.2204e-16  # KLdiv.m of the MIT benchmark, the Tübingen benchmark and pysaliency's MIT_KLDiv
PYSALIENCY_MINIMUM = 1e-20  # minimum_value of pysaliency's image_based_kl_divergence


def cc(saliency: npt.ArrayLike, density: npt.ArrayLike) -> float:
    """Return Pearson's correlation of the two maps over pixels.

    Parameters
    ----------
    saliency, density : (H, W) arrays

    Returns
    -------
    float
        In -1..1, higher is better; 0 if either map is constant.

    Raises
    ------
    UsageError
        If the shapes differ or a value is not finite.

    Examples
    --------
    One bright pixel each, at two places: covariance -1/16, variances 3/16.

    >>> from salbox.metrics import cc
    >>> round(cc([[0, 0], [0, 1]], [[0, 0], [1, 0]]), 3)
    -0.333

    The scale makes no difference:

    >>> round(cc([[0, 1], [2, 3]], [[5, 7], [9, 11]]), 3)
    1.0
    """
    first, second = as_pair(saliency, density, "density")
    # Correlation does not depend on the scale, but the squares of tiny and huge values do, and a constant becomes
    # exactly 0.
    first, second = unit_range(first), unit_range(second)
    first -= first.mean()
    second -= second.mean()
    variances = _dot(first, first) * _dot(second, second)
    return float(np.clip(_dot(first, second) / np.sqrt(variances), -1, 1)) if variances > 0 else 0.0


def sim(saliency: npt.ArrayLike, density: npt.ArrayLike) -> float:
    """Return the similarity as the Tübingen benchmark and pysaliency compute it: what the two densities share.

    Both maps become densities by the rule "sum" (`to_density`).

    Parameters
    ----------
    saliency, density : (H, W) arrays

    Returns
    -------
    float
        In 0..1, higher is better.

    Raises
    ------
    UsageError
        If the shapes differ or a value is not finite.

    Examples
    --------
    The densities are (1, 1, 2, 0) / 4 and (0, 1, 2, 1) / 4; they share 0 + 1/4 + 2/4 + 0.

    >>> from salbox.metrics import sim
    >>> sim([[1, 1], [2, 0]], [[0, 1], [2, 1]])
    0.75
    """
    p, q = to_density(saliency, "sum"), to_density(density, "sum")
    check_same_shape(p, q, "density")
    return float(np.minimum(p, q).sum())


def sim_mit(saliency: npt.ArrayLike, density: npt.ArrayLike) -> float:
    """Return the similarity as MIT's program computes it: both maps become densities by the rule "min-max".

    Parameters, Returns, Raises: as `sim`.

    Examples
    --------
    With its minimum taken off the map is the density's; as it is, it leaves a tenth of its mass on the empty pixel:

    >>> from salbox.metrics import sim, sim_mit
    >>> round(sim_mit([[3, 3], [3, 1]], [[1, 1], [1, 0]]), 3)
    1.0
    >>> round(sim([[3, 3], [3, 1]], [[1, 1], [1, 0]]), 3)
    0.9
    """
    p, q = to_density(saliency, "min-max"), to_density(density, "min-max")
    check_same_shape(p, q, "density")
    return float(np.minimum(p, q).sum())


def kl_mit(saliency: npt.ArrayLike, density: npt.ArrayLike) -> float:
    """Return the divergence of the map from the density as the MIT and Tübingen benchmarks compute it.

    Both maps become densities by the rule "sum" (`to_density`). A pixel of probability 0 where people look costs at
    most 36 nats, weighted by how much they look there.

    Parameters
    ----------
    saliency, density : (H, W) arrays

    Returns
    -------
    float
        In nats; 0 is best.

    Raises
    ------
    UsageError
        If the shapes differ or a value is not finite.

    Examples
    --------
    The map is even, people look at one half: log 2. A map that excludes the fixated pixel pays -log eps:

    >>> from salbox.metrics import kl_mit
    >>> round(kl_mit([[1, 1], [1, 1]], [[1, 1], [0, 0]]), 3)
    0.693
    >>> round(kl_mit([[0, 1], [0, 0]], [[1, 0], [0, 0]]), 1)
    36.0
    """
    p, q = to_density(saliency, "sum"), to_density(density, "sum")
    check_same_shape(p, q, "density")
    return regularized_kl(q, p, MIT_EPS)


def kl_pysaliency(saliency: npt.ArrayLike, density: npt.ArrayLike) -> float:
    """Return the divergence of the map from the density as pysaliency computes it by default.

    1e-20 is added to each value of either map before the division by the sum (after the minimum was subtracted where
    it is negative), so that a pixel of value 0 costs more than in `kl_mit`, by an amount that depends on the map's
    scale.

    Parameters
    ----------
    saliency, density : (H, W) arrays

    Returns
    -------
    float
        In nats; 0 is best.

    Raises
    ------
    UsageError
        If the shapes differ or a value is not finite.

    Examples
    --------
    The map is even, people look at one half: log 2. A map that excludes the fixated pixel pays 20 log 10:

    >>> from salbox.metrics import kl_pysaliency
    >>> round(kl_pysaliency([[1, 1], [1, 1]], [[1, 1], [0, 0]]), 3)
    0.693
    >>> round(kl_pysaliency([[0, 1], [0, 0]], [[1, 0], [0, 0]]), 1)
    46.1
    """
    first, second = as_pair(saliency, density, "density")
    p, q = _with_minimum(first), _with_minimum(second)
    logarithm = np.log(q)
    logarithm -= np.log(p, out=p)
    return _dot(q, logarithm)


def regularized_kl(truth: DoubleMap, estimate: DoubleMap, eps: float) -> float:
    """Return sum t log(eps + t / (e + eps)) of two densities, in nats."""
    logarithm = estimate + eps
    np.divide(truth, logarithm, out=logarithm)
    logarithm += eps
    np.log(logarithm, out=logarithm)
    return _dot(truth, logarithm)


def _dot(first: DoubleMap, second: DoubleMap) -> float:
    """Return the sum of products, without the threads that BLAS starts for a vector."""
    return float(np.einsum("ij,ij->", first, second))


def _with_minimum(values: DoubleMap) -> DoubleMap:
    shifted = values - min(values.min(), 0.0) + PYSALIENCY_MINIMUM
    density = shifted / shifted.sum()
    if not density.min() > 0:
        raise UsageError("the map's values are too large for the addition of 1e-20 to keep its zeros positive")
    return density


METRICS = (
    Metric(
        name="cc",
        title="CC",
        formula="cov(p, q) / (sd p sd q) over pixels",
        source="Pearson; pysaliency's CC",
        direction="higher",
        accepts=ANY,
        reads="density",
        needs=("density",),
        function=cc,
    ),
    Metric(
        name="sim",
        title="SIM",
        formula="sum min(p, q), both made densities by the rule 'sum'",
        source="pysaliency's SIM; Tübingen benchmark",
        direction="higher",
        accepts=ANY,
        reads="density",
        needs=("density",),
        function=sim,
    ),
    Metric(
        name="sim_mit",
        title="SIM (MIT)",
        formula="sum min(p, q), both made densities by the rule 'min-max'",
        source="MIT's similarity.m",
        direction="higher",
        accepts=ANY,
        reads="density",
        needs=("density",),
        function=sim_mit,
    ),
    Metric(
        name="kl_mit",
        title="KL (MIT)",
        formula=f"sum q log(eps + q / (p + eps)), eps {MIT_EPS}, both made densities by the rule 'sum'",
        source="MIT's KLdiv.m; pysaliency's MIT_KLDiv; Tübingen benchmark",
        direction="lower",
        accepts=ANY,
        reads="density",
        needs=("density",),
        function=kl_mit,
    ),
    Metric(
        name="kl_pysaliency",
        title="KL (pysaliency)",
        formula=f"sum q log(q / p), both made densities by the rule 'sum' after adding {PYSALIENCY_MINIMUM}",
        source="pysaliency's image_based_kl_divergence",
        direction="lower",
        accepts=ANY,
        reads="density",
        needs=("density",),
        function=kl_pysaliency,
    ),
)
