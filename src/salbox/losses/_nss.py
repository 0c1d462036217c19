"""NSS, the normalised scanpath saliency, at people's fixations."""

from __future__ import annotations

import torch
from torch import Tensor

from ..types import Output
from ._maps import existing, log_maps, mean_of_valid

_SMALLEST = 1e-12  # a variance below it, of a map whose maximum is 1, is rounding: the map is constant, its NSS 0


def nss(logits: Tensor, fixations: Tensor, valid: Tensor, *, output: Output = "score") -> Tensor:
    """Return the mean of -(s - mean s) / sd s over fixations: a scalar, 0 for a constant map.

    Minus the metric "nss"; s is the map, or the density of a "log_density". Each picture counts the same, however many
    fixations it has; one without any counts for nothing.

    Parameters
    ----------
    logits : (N, K, h, w) float
    fixations : (N, K, h, w) float
        How many fixations each pixel got.
    valid : (N, K) bool
        Which of these exist.
    output : {"score", "log_density", "probability"}
        What the logits are.

    Raises
    ------
    UsageError
        If logits and fixations differ in shape.

    References
    ----------
    Peters, Iyer, Itti, Koch: Components of bottom-up gaze allocation in natural images. Vision Research 45(18), 2005.

    Examples
    --------
    Of four pixels one is bright, and looked at: (1 - 1/4) / sqrt 3/16 above average.

    >>> import torch
    >>> from salbox.losses import nss
    >>> fixations, valid = torch.tensor([[[[0.0, 0.0], [0.0, 2.0]]]]), torch.tensor([[True]])
    >>> round(nss(100 * fixations, fixations, valid, output="log_density").item(), 3)
    -1.732
    """
    log_map = log_maps(logits, output)
    # NSS does not depend on the scale, so that what the map is divided by needs no gradient; variances below do.
    maps = torch.exp(log_map - log_map.detach().amax(dim=(2, 3), keepdim=True)).flatten(2)
    counts = existing(fixations, valid, logits).flatten(2)
    total = counts.sum(dim=2)
    above_mean = maps - maps.mean(dim=2, keepdim=True)
    # The root's derivative at 0 is infinite, hence the clamp below it and not after it.
    deviation = torch.sqrt(above_mean.square().mean(dim=2).clamp(min=_SMALLEST))
    some = total > 0
    at_fixations = (counts * above_mean).sum(dim=2) / torch.where(some, total, 1)
    return mean_of_valid(-at_fixations / deviation, valid & some)
