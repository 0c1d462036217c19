"""One minus Pearson's correlation: the shape of a map, whatever its scale."""

from __future__ import annotations

import torch
from torch import Tensor

from ._maps import Output, as_maps, existing, mean_of_valid

_SMALLEST = 1e-12  # variances below it are rounding: the map is constant, its correlation 0


def cc(logits: Tensor, target: Tensor, valid: Tensor, *, output: Output = "score") -> Tensor:
    """Return the mean of 1 - CC: a scalar in 0..2; a constant map has a CC of 0.

    Parameters as `correlations`, and `valid`, (N, K) bool.
    """
    return mean_of_valid(1 - correlations(as_maps(logits, output), existing(target, valid)), valid)


def correlations(maps: Tensor, target: Tensor) -> Tensor:
    """Return Pearson's correlation of each map with its target: (N, K), 0 where either is constant.

    Parameters
    ----------
    maps, target : (N, K, h, w) float
        The target on any scale.
    """
    a, b = (m.float().flatten(2) for m in (maps, target))
    a = a - a.mean(dim=2, keepdim=True)
    b = b - b.mean(dim=2, keepdim=True)
    # The root's derivative at 0 is infinite, hence the clamp below it and not after it.
    norms = torch.sqrt((a.square().mean(dim=2) * b.square().mean(dim=2)).clamp(min=_SMALLEST**2))
    return (a * b).mean(dim=2) / norms
