"""NSS, the normalised scanpath saliency: how many standard deviations above average the fixated pixels are."""

from __future__ import annotations

import numpy.typing as npt

from ._checks import AnyFixations, as_map, values_at
from .density import unit_range
from .metric import ANY, Metric


def nss(saliency: npt.ArrayLike, fixations: AnyFixations) -> float:
    """Return the mean of the z-scored map at the fixations.

    Every fixation counts, also of one pixel several. The standard deviation divides by the number of pixels; MIT's
    program divides by one less, which makes its figure smaller by the factor sqrt(1 - 1/(H W)).

    Parameters
    ----------
    saliency : (H, W) array
    fixations : Fixations, or (N, 2) array of positions x, y in pixels

    Returns
    -------
    float
        0 is chance, and what a constant map gets; higher is better.

    Raises
    ------
    UsageError
        If a value is not finite, there is no fixation, or one lies outside.

    References
    ----------
    Peters, Iyer, Itti, Koch: Components of bottom-up gaze allocation in natural images. Vision Research 45(18), 2005.

    Examples
    --------
    Mean 1, standard deviation sqrt 3; the fixated pixel is the bright one, (4 - 1) / sqrt 3 above average:

    >>> from salbox.datasets import Fixations
    >>> from salbox.metrics import nss
    >>> round(nss([[0, 0], [0, 4]], Fixations(x=[1], y=[1])), 3)
    1.732
    >>> round(nss([[0, 0], [0, 4]], [[1, 1]]), 3)
    1.732
    """
    scores = as_map(saliency)
    # NSS does not depend on the scale, but the squares of tiny and huge values do, and a constant becomes exactly 0.
    scaled = unit_range(scores)
    above_mean = values_at(scaled, fixations).mean() - scaled.mean()
    deviation = scaled.std()
    return float(above_mean / deviation) if deviation > 0 else 0.0


METRICS = (
    Metric(
        name="nss",
        title="NSS",
        formula="mean over fixations of (p - mean p) / sd p, sd with N",
        source="Peters et al. 2005; pysaliency's NSS",
        direction="higher",
        accepts=ANY,
        reads="density",
        needs=("fixations",),
        function=nss,
    ),
)
