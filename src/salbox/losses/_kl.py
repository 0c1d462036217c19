"""Kullback-Leibler divergence of softened densities: what a temperature makes of a teacher's map."""

from __future__ import annotations

import torch
from torch import Tensor

from ..types import Output
from ._maps import EPS, existing, log_density, mean_of_valid


def kl(logits: Tensor, target: Tensor, valid: Tensor, *, temperature: float = 1.0, output: Output = "score") -> Tensor:
    """Return T² sum t log(t / s) of the softened densities t (target) and s (network): a scalar, nats, at least 0.

    A map divided by its sum is taken for a density p over its pixels; softened it is proportional to p^(1/T). A
    "log_density" network's logits are the logarithm of its p up to a constant, so its softened density is the softmax
    of logits / T, as for a classifier; another's map is the sigmoid of its logits. T² keeps the size of the gradient
    (Hinton et al., section 2).

    Parameters
    ----------
    logits : (N, K, h, w) float
    target : (N, K, h, w) float
        In 0..1; a map that is 0 everywhere counts as uniform.
    valid : (N, K) bool
        Which targets exist.
    temperature : float
        T, the "smoothing factor": above 1 the places of little saliency count for more.
    output : {"score", "log_density", "probability"}
        What the logits are.

    Raises
    ------
    UsageError
        If logits and target differ in shape.

    References
    ----------
    Hinton, Vinyals, Dean: Distilling the knowledge in a neural network, 2015.

    Examples
    --------
    The network's density is even, the target's one half of the picture: log 2.

    >>> import torch
    >>> from salbox.losses import kl
    >>> target, valid = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]]), torch.tensor([[True]])
    >>> round(kl(torch.zeros(1, 1, 1, 4), target, valid).item(), 3)
    0.693
    """
    own = log_density(logits, output, temperature)
    truth = torch.log_softmax(torch.log(existing(target, valid, logits) + EPS).flatten(2) / temperature, dim=2)
    divergence = (truth.exp() * (truth - own)).sum(dim=2)
    return mean_of_valid(temperature**2 * divergence, valid)
