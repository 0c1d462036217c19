"""Binary cross-entropy, the loss of KDSalBox: each pixel a probability."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ._maps import existing, mean_of_valid


def bce(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of -(t log s + (1 - t) log(1 - s)), s the sigmoid of the logits: a scalar, at least 0.

    With targets that are no 0 or 1 its smallest value is the target's own entropy, not 0.

    Parameters
    ----------
    logits : (N, K, h, w) float
        Of N pictures, one map for each of K heads.
    target : (N, K, h, w) float
        In 0..1.
    valid : (N, K) bool
        Which targets exist; the others count for nothing.

    Raises
    ------
    UsageError
        If logits and target differ in shape.

    References
    ----------
    Kastrati, Bylinskii, Shechtman: KDSalBox: a toolbox of efficient knowledge-distilled saliency models, section 2.1,
    "training procedure".

    Examples
    --------
    Logits of 0 stand for 1/2, whose cross-entropy with anything is log 2:

    >>> import torch
    >>> from salbox.losses import bce
    >>> target, valid = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[True]])
    >>> round(bce(torch.zeros(1, 1, 1, 2), target, valid).item(), 3)
    0.693
    """
    losses = functional.binary_cross_entropy_with_logits(logits, existing(target, valid, logits), reduction="none")
    return mean_of_valid(losses.mean(dim=(2, 3)), valid)
