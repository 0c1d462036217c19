"""Negative log-likelihood of fixations, the loss of the DeepGaze family."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ._maps import existing, log_density, mean_of_valid


def nll(logits: Tensor, fixations: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of -log2 s over fixations, s the log-softmax's density over pixels: a scalar, bits a fixation.

    Minus the metric "ll" over log 2; the uniform density gets log2(h w). Each picture counts the same, however many
    fixations it has; one without any counts for nothing.

    Parameters
    ----------
    logits : (N, K, h, w) float
        Of a "log_density".
    fixations : (N, K, h, w) float
        How many fixations each pixel got.
    valid : (N, K) bool
        Which of these exist.

    Raises
    ------
    UsageError
        If logits and fixations differ in shape.

    References
    ----------
    Kümmerer, Wallis, Bethge: Information-theoretic model comparison unifies saliency metrics. PNAS 112(52), 2015.

    Examples
    --------
    The uniform density of four pixels gives each fixation 1/4: two bits.

    >>> import torch
    >>> from salbox.losses import nll
    >>> fixations, valid = torch.tensor([[[[3.0, 0.0, 0.0, 1.0]]]]), torch.tensor([[True]])
    >>> round(nll(torch.zeros(1, 1, 1, 4), fixations, valid).item(), 3)
    2.0
    """
    counts = existing(fixations, valid, logits).flatten(2)
    total = counts.sum(dim=2)
    some = total > 0
    nats = -(counts * log_density(logits, "log_density")).sum(dim=2) / torch.where(some, total, 1)
    return mean_of_valid(nats / math.log(2), valid & some)
