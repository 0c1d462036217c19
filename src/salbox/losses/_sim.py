"""One minus the similarity: what two densities do not share."""

from __future__ import annotations

import torch
from torch import Tensor

from ..types import Output
from ._maps import density, existing, log_density, mean_of_valid


def sim(logits: Tensor, target: Tensor, valid: Tensor, *, output: Output = "score") -> Tensor:
    """Return the mean of 1 - sum min(s, t), s and t the maps divided by their sums: a scalar in 0..1.

    One minus the metric "sim". It is the same number as "tv", half of sum |s - t|.

    Parameters
    ----------
    logits : (N, K, h, w) float
    target : (N, K, h, w) float
        Not negative, on any scale; a map that is 0 everywhere counts as uniform.
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
    Lou, Lin, Marshall, Saupe, Liu: TranSalNet: towards perceptually relevant visual saliency prediction. Neurocomputing
    494, 2022: a term of its loss.

    Examples
    --------
    The map is even, the target one half of it: they share that half of the map's mass.

    >>> import torch
    >>> from salbox.losses import sim
    >>> target, valid = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]]), torch.tensor([[True]])
    >>> sim(torch.zeros(1, 1, 1, 4), target, valid).item()
    0.5
    """
    own = log_density(logits, output).exp()
    shared = torch.minimum(own, density(existing(target, valid, logits))).sum(dim=2)
    return mean_of_valid(1 - shared, valid)
