"""Mean squared difference of maps in 0..1."""

from __future__ import annotations

from torch import Tensor

from ..types import Output
from ._maps import as_maps, existing, mean_of_valid


def mse(logits: Tensor, target: Tensor, valid: Tensor, *, output: Output = "score") -> Tensor:
    """Return the mean of (s - t)², s the maps in 0..1: a scalar in 0..1.

    Parameters
    ----------
    logits : (N, K, h, w) float
    target : (N, K, h, w) float
        In 0..1.
    valid : (N, K) bool
        Which targets exist.
    output : {"score", "log_density", "probability"}
        What the logits are; a density is compared divided by its maximum.

    Raises
    ------
    UsageError
        If logits and target differ in shape.

    References
    ----------
    By definition.

    Examples
    --------
    Logits of 0 stand for 1/2, which is off by 1/2 at both pixels:

    >>> import torch
    >>> from salbox.losses import mse
    >>> target, valid = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[True]])
    >>> mse(torch.zeros(1, 1, 1, 2), target, valid).item()
    0.25
    """
    return mean_of_valid((as_maps(logits, output) - existing(target, valid, logits)).square().mean(dim=(2, 3)), valid)
