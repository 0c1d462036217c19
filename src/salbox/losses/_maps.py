"""What the losses share: logits as maps and densities, and means over the maps that exist."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..types import Output

EPS = 2.2e-16  # where a map of 0 would meet a logarithm; as in the fidelity measure


def as_maps(logits: Tensor, output: Output) -> Tensor:
    """Return a student's maps: (N, K, h, w) in 0..1.

    Of a "score" the sigmoid; of a "log_density" the density divided by its maximum, so that it can be compared with a
    teacher's map in 0..1.
    """
    if output == "score":
        return torch.sigmoid(logits)
    return torch.exp(logits - logits.amax(dim=(2, 3), keepdim=True))


def log_density(logits: Tensor, output: Output, temperature: float = 1.0) -> Tensor:
    """Return the log of the density proportional to p^(1/T), p the student's map over its sum: (N, K, h * w)."""
    log_map = functional.logsigmoid(logits) if output == "score" else logits
    return torch.log_softmax(log_map.flatten(2) / temperature, dim=2)


def existing(target: Tensor, valid: Tensor) -> Tensor:
    """Return the targets with 0 in the place of the missing ones, whatever it holds: a NaN there would spread."""
    return torch.where(valid[:, :, None, None], target, torch.zeros_like(target))


def mean_of_valid(losses: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of (N, K) losses over the maps that exist, (N, K) bool; 0 that can be differentiated if none."""
    kept = torch.where(valid, losses, torch.zeros_like(losses))
    return kept.sum() / valid.sum().clamp(min=1)
