"""One minus Pearson's correlation: the shape of a map, whatever its scale."""

from __future__ import annotations

import torch
from torch import Tensor

from ..types import Output
from ._maps import as_maps, existing, mean_of_valid

_SMALLEST = 1e-12  # variances below it are rounding: the map is constant, its correlation 0


def cc(logits: Tensor, target: Tensor, valid: Tensor, *, output: Output = "score") -> Tensor:
    """Return the mean of 1 - cov(s, t) / (sd s sd t): a scalar in 0..2, 1 for a constant map.

    One minus the metric "cc"; s is the map, or the density of a "log_density".

    Parameters
    ----------
    logits : (N, K, h, w) float
    target : (N, K, h, w) float
        On any scale.
    valid : (N, K) bool
        Which targets exist.
    output : {"score", "log_density", "probability"}
        What the logits are.

    Raises
    ------
    UsageError
        If logits and target differ in shape.

    References
    ----------
    Pearson's correlation; a term of the losses of SAM, UNISAL and TranSalNet.

    Examples
    --------
    A map that rises where its target rises has a correlation of 1 with it, of two pixels; one that falls has -1:

    >>> import torch
    >>> from salbox.losses import cc
    >>> target, valid = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[True]])
    >>> logits = torch.tensor([[[[-1.0, 1.0]]]])
    >>> round(abs(cc(logits, target, valid).item()), 3), round(cc(-logits, target, valid).item(), 3)
    (0.0, 2.0)
    """
    return mean_of_valid(1 - correlations(as_maps(logits, output), existing(target, valid, logits)), valid)


def correlations(maps: Tensor, target: Tensor) -> Tensor:
    """Return Pearson's correlation of each map with its target: (N, K), 0 where either is constant.

    Parameters
    ----------
    maps, target : (N, K, h, w) float
        The target on any scale.

    Examples
    --------
    >>> import torch
    >>> from salbox.losses import correlations
    >>> maps = torch.tensor([[[[0.0, 0.0, 0.0, 1.0]], [[2.0, 2.0, 2.0, 2.0]]]])  # the second is constant
    >>> target = torch.tensor([[[[0.0, 0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0, 0.0]]]])
    >>> [round(value, 3) for value in correlations(maps, target)[0].tolist()]
    [-0.333, 0.0]
    """
    a, b = (m.flatten(2) if m.dtype == torch.float64 else m.float().flatten(2) for m in (maps, target))
    a = a - a.mean(dim=2, keepdim=True)
    b = b - b.mean(dim=2, keepdim=True)
    # The root's derivative at 0 is infinite, hence the clamp below it and not after it.
    norms = torch.sqrt((a.square().mean(dim=2) * b.square().mean(dim=2)).clamp(min=_SMALLEST**2))
    return (a * b).mean(dim=2) / norms
