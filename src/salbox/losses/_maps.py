"""What the losses share: logits as maps and densities, and means over the maps that exist."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import UsageError
from ..types import Output

EPS = 2.2e-16  # where a map of 0 would meet a logarithm; as in the fidelity measure


def as_maps(logits: Tensor, output: Output) -> Tensor:
    """Return a network's maps: (N, K, h, w) in 0..1.

    The sigmoid of a "score" or "probability"; of a "log_density" the density divided by its maximum, so that it can be
    compared with a map in 0..1.
    """
    if output != "log_density":
        return torch.sigmoid(logits)
    return torch.exp(logits - logits.amax(dim=(2, 3), keepdim=True))


def log_maps(logits: Tensor, output: Output) -> Tensor:
    """Return the log of a network's maps, of a "log_density" up to a constant: (N, K, h, w)."""
    return logits if output == "log_density" else functional.logsigmoid(logits)


def log_density(logits: Tensor, output: Output, temperature: float = 1.0) -> Tensor:
    """Return the log of the density proportional to p^(1/T), p the network's map over its sum: (N, K, h * w)."""
    return torch.log_softmax(log_maps(logits, output).flatten(2) / temperature, dim=2)


def density(target: Tensor) -> Tensor:
    """Return maps that are not negative divided by their sums: (N, K, h * w); what is 0 everywhere is uniform."""
    flat = target.flatten(2)
    total = flat.sum(dim=2, keepdim=True)
    some = total > 0
    return torch.where(some, flat / torch.where(some, total, 1), 1 / flat.shape[2])


def existing(target: Tensor, valid: Tensor, logits: Tensor) -> Tensor:
    """Return the targets with 0 in the place of the missing ones, whatever it holds: a NaN there would spread.

    Raises
    ------
    UsageError
        If target and logits differ in shape.
    """
    if target.shape != logits.shape:
        raise UsageError(f"logits of shape {tuple(logits.shape)}, but a target of {tuple(target.shape)}")
    return torch.where(valid[:, :, None, None], target, torch.zeros_like(target))


def mean_of_valid(losses: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of (N, K) losses over the maps that exist, (N, K) bool; 0 that can be differentiated if none."""
    kept = torch.where(valid, losses, torch.zeros_like(losses))
    return kept.sum() / valid.sum().clamp(min=1)
