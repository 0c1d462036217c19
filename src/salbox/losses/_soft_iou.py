"""Soft intersection over union: what two objects share of all that either covers."""

from __future__ import annotations

import torch
from torch import Tensor

from ._maps import existing, mean_of_valid


def soft_iou(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of 1 - (1 + sum s t) / (1 + sum s + t - s t), s the sigmoid of the logits: a scalar in 0..1.

    Sums over the pixels of a map. The two 1 keep it finite where neither map has an object.

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
    Rahman, Wang: Optimizing intersection-over-union in deep neural networks for image segmentation, 2016; the two 1 as
    in Wei, Wang, Huang: F3Net: fusion, feedback and focus for salient object detection. AAAI 2020.

    Examples
    --------
    A map of 1/2 at both of two pixels, of which one is the object: 1 - (1 + 1/2) / (1 + 1/2 + 1).

    >>> import torch
    >>> from salbox.losses import soft_iou
    >>> target, valid = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[True]])
    >>> round(soft_iou(torch.zeros(1, 1, 1, 2), target, valid).item(), 3)
    0.4
    """
    s, t = torch.sigmoid(logits).flatten(2), existing(target, valid, logits).flatten(2)
    shared = (s * t).sum(dim=2)
    return mean_of_valid(1 - (1 + shared) / (1 + s.sum(dim=2) + t.sum(dim=2) - shared), valid)
