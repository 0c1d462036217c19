"""Log-likelihood and information gain: how well a density predicts fixations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ._checks import AnyFixations, as_log_density, check_same_shape, values_at
from .metric import Metric


def ll(log_density: npt.ArrayLike, fixations: AnyFixations) -> float:
    """Return the mean log-likelihood of the fixations.

    Parameters
    ----------
    log_density : (H, W) array
        Natural log of a density over pixels; exp of it sums to 1.
    fixations : Fixations, or (N, 2) array of positions x, y in pixels

    Returns
    -------
    float
        In nats a fixation; higher is better. The uniform density gets -log(H W).

    Raises
    ------
    UsageError
        If it is not a log density, there is no fixation, or one lies outside.

    Examples
    --------
    The uniform density of four pixels gives each fixation log 1/4:

    >>> import numpy as np
    >>> from salbox.datasets import Fixations
    >>> from salbox.metrics import ll
    >>> round(ll(np.log(np.full((2, 2), 1 / 4)), Fixations(x=[0], y=[0])), 3)
    -1.386
    """
    return float(values_at(as_log_density(log_density), fixations).mean())


def ig(log_density: npt.ArrayLike, fixations: AnyFixations, baseline: npt.ArrayLike) -> float:
    """Return the information gain: how much better than the baseline the density predicts the fixations.

    Parameters
    ----------
    log_density : (H, W) array
        Natural log of a density over pixels; exp of it sums to 1.
    fixations : Fixations, or (N, 2) array of positions x, y in pixels
    baseline : (H, W) array
        Natural log of the density compared with, usually of `salbox.datasets.center_bias` without this image.

    Returns
    -------
    float
        In bits a fixation; 0 is the baseline, higher is better.

    Raises
    ------
    UsageError
        If either is not a log density, the shapes differ, there is no fixation, or one lies outside.

    References
    ----------
    Kümmerer, Wallis, Bethge: Information-theoretic model comparison unifies saliency metrics. PNAS 112(52), 2015.

    Examples
    --------
    The model gives the fixated pixel 1/2, the baseline 1/4: one bit more.

    >>> import numpy as np
    >>> from salbox.datasets import Fixations
    >>> from salbox.metrics import ig
    >>> model, baseline = np.log([[1 / 2, 1 / 6], [1 / 6, 1 / 6]]), np.log(np.full((2, 2), 1 / 4))
    >>> round(ig(model, Fixations(x=[0], y=[0]), baseline), 3)
    1.0
    """
    model, reference = as_log_density(log_density), as_log_density(baseline, "baseline")
    check_same_shape(model, reference, "baseline")
    gain = values_at(model, fixations).mean() - values_at(reference, fixations).mean()
    return float(gain / np.log(2))


METRICS = (
    Metric(
        name="ll",
        title="LL",
        formula="mean over fixations of log p, in nats",
        source="pysaliency's log_likelihood",
        direction="higher",
        accepts=("log_density",),
        reads="map",
        needs=("fixations",),
        function=ll,
    ),
    Metric(
        name="ig",
        title="IG",
        formula="mean over fixations of log2 p - log2 baseline, in bits",
        source="Kümmerer et al. 2015; pysaliency's information_gain",
        direction="higher",
        accepts=("log_density",),
        reads="map",
        needs=("fixations", "baseline"),
        function=ig,
    ),
)
