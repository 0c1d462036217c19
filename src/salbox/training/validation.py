"""How a student does on the validation part: what chooses the checkpoint that is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..losses import correlations
from ..networks.trainable.base import TrainableNetwork
from .batches import Batch

_EPS = 2.2e-16  # of the fidelity measure


@dataclass(frozen=True)
class ValidationScores:
    """Means over the maps that exist, at the size of the student's output, one figure a target.

    Attributes
    ----------
    cc, kl : tuple of float
        Of a target that has no map in the validation part NaN.
    heads : int
        The first so many are the heads' own; others are what side outputs learn from, compared with their head's map.
    """

    cc: tuple[float, ...]
    kl: tuple[float, ...]
    heads: int

    @property
    def score(self) -> float:
        """The mean CC of the heads that have maps; -1 if none has."""
        known = [value for value in self.cc[: self.heads] if value == value]
        return sum(known) / len(known) if known else -1.0


@torch.no_grad()
def validate(
    network: TrainableNetwork, batches: Iterable[Batch], device: torch.device | str = "cpu", first: int = 0
) -> ValidationScores:
    """Return how a student's heads from the `first` on do; its mode is as before afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    heads = len(network.heads) - first
    sums: Tensor | None = None
    for batch in batches:
        here = batch.to(device)
        maps = network.maps(here.images.float())[:, first:].float()
        maps = maps.exp() if network.output == "log_density" else maps
        maps = maps.repeat(1, here.maps.shape[1] // heads, 1, 1)
        figures = torch.stack([correlations(maps, here.maps), divergences(maps, here.maps)])
        kept = torch.where(here.valid, figures, torch.zeros_like(figures)).sum(dim=1)
        counted = torch.cat([kept, here.valid.sum(dim=0, keepdim=True).float()]).double()
        sums = counted if sums is None else sums + counted
    for module, training in modes:
        module.training = training
    if sums is None:
        return ValidationScores((), (), heads)
    cc, kl, counts = sums.cpu()
    return ValidationScores(tuple((cc / counts).tolist()), tuple((kl / counts).tolist()), heads)


def divergences(maps: Tensor, target: Tensor) -> Tensor:
    """Return sum t log(eps + t / (s + eps)) of each min-max scaled map and target over their sums: (N, K), nats."""
    s, t = (_density(m.double()) for m in (maps, target))
    return (t * torch.log(_EPS + t / (s + _EPS))).sum(dim=2).to(maps.dtype)


def _density(maps: Tensor) -> Tensor:
    """Return maps min-max scaled, over their sums: (N, K, h * w); a constant map is uniform."""
    flat = maps.flatten(2)
    flat = flat - flat.amin(dim=2, keepdim=True)
    total = flat.sum(dim=2, keepdim=True)
    return torch.where(total > 0, flat / total.clamp(min=1e-30), torch.full_like(flat, 1 / flat.shape[2]))
