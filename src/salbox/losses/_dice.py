"""Dice: how much of two objects is shared, whatever their size."""

from __future__ import annotations

import torch
from torch import Tensor

from ._maps import existing, mean_of_valid


def dice(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of 1 - (1 + sum 2 s t) / (1 + sum s + t), s the sigmoid of the logits: a scalar in 0..1.

    Sums over the pixels of a map. With targets that are no 0 or 1 its smallest value is above 0.

    Parameters
    ----------
    logits : (N, K, h, w) float
    target : (N, K, h, w) float
        In 0..1.
    valid : (N, K) bool
        Which targets exist.

    Raises
    ------
    UsageError
        If logits and target differ in shape.

    References
    ----------
    Zhang, Liang, Shi: KD-SCFNet: towards more accurate and efficient salient object detection via knowledge
    distillation. ECCV 2022, equation 1; after Milletari, Navab, Ahmadi: V-Net, 3DV 2016.

    Examples
    --------
    A map of 1/2 at both of two pixels, of which one is the object: 1 - (1 + 1) / (1 + 1 + 1).

    >>> import torch
    >>> from salbox.losses import dice
    >>> target, valid = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[True]])
    >>> round(dice(torch.zeros(1, 1, 1, 2), target, valid).item(), 3)
    0.333
    """
    return mean_of_valid(dice_distances(torch.sigmoid(logits), existing(target, valid, logits)), valid)


def dice_distances(maps: Tensor, target: Tensor) -> Tensor:
    """Return 1 - (1 + sum 2 s t) / (1 + sum s + t) of maps and targets, both (N, K, h, w) in 0..1: (N, K)."""
    s, t = maps.flatten(2), target.flatten(2)
    distances: Tensor = 1 - (1 + 2 * (s * t).sum(dim=2)) / (1 + s.sum(dim=2) + t.sum(dim=2))
    return distances
