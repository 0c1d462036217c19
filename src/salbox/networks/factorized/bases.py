"""Bases of a network's last features: each place of them as a sum of a few hundred vectors, each with a probability.

Chen, Jiang and Zhao: What do deep saliency models learn about visual attention? NeurIPS 2023. The probabilities are
independent of one another, a sigmoid for each basis and place; they do not sum to 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def probabilities(features: Tensor, bases: Tensor) -> Tensor:
    """Return how likely each basis is at each place, sigmoid(V P'): (B, N, h, w) in 0..1.

    Parameters
    ----------
    features : (B, C, h, w) float
        V, the features that maps are read off.
    bases : (N, C) float
        P.
    """
    return torch.sigmoid(functional.conv2d(features, bases[:, :, None, None]))


def rebuilt(alpha: Tensor, bases: Tensor) -> Tensor:
    """Return the features that bases make, sum over bases of probability times basis: (B, C, h, w)."""
    return functional.conv2d(alpha, bases.T[:, :, None, None])


def maps_layer(inputs: int, maps: int = 1) -> nn.Conv2d:
    """Return the layer that the second phase learns: a 3x3 convolution without bias from probabilities to maps."""
    return nn.Conv2d(inputs, maps, 3, padding=1, bias=False)
