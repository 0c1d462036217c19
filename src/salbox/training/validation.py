"""How a network does on the validation part: what chooses the epoch that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from ..errors import UsageError
from ..losses import correlations
from ..networks.trainable.base import TrainableNetwork
from ..types import EPSILON, Output
from .batches import Batch
from .forward import maps_of


@dataclass(frozen=True)
class Criterion:
    """A figure that can choose the epoch: `function(maps, target)`, each (N, K, h, w), gives (N, K).

    The maps are a network's, of a log density its exponential; the targets are in 0..1.
    """

    title: str
    lower_is_better: bool
    accepts: tuple[Output, ...]
    function: Callable[[Tensor, Tensor], Tensor]

    @property
    def worst(self) -> float:
        """What stands for a figure that nothing is known of."""
        return float("inf") if self.lower_is_better else -1.0

    def better(self, score: float, other: float) -> bool:
        """Return whether a figure is better than another."""
        return score < other if self.lower_is_better else score > other


def cross_entropies(maps: Tensor, target: Tensor) -> Tensor:
    """Return -sum t log2 p of each density p, t its target over the target's sum: (N, K), bits a fixation.

    The negative log-likelihood of fixations that are drawn from the target.
    """
    logs = maps.double().flatten(2).clamp(min=1e-30).log2()
    return -(_shares(target.double()) * logs).sum(dim=2).to(maps.dtype)


def expected_nss(maps: Tensor, target: Tensor) -> Tensor:
    """Return the NSS that fixations drawn from the target have in the mean: (N, K); of a constant map 0."""
    scores = maps.double().flatten(2)
    scores = scores - scores.mean(dim=2, keepdim=True)
    deviation = scores.square().mean(dim=2).sqrt()
    above = (_shares(target.double()) * scores).sum(dim=2)
    return torch.where(deviation > 0, above / deviation.clamp(min=1e-30), torch.zeros_like(above)).to(maps.dtype)


def absolute_errors(maps: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference of each map and its target: (N, K)."""
    return (maps - target).abs().mean(dim=(2, 3))


def divergences(maps: Tensor, target: Tensor) -> Tensor:
    """Return sum t log(eps + t / (s + eps)) of each min-max scaled map and target over their sums: (N, K), nats."""
    s, t = (_density(m.double()) for m in (maps, target))
    return (t * torch.log(EPSILON + t / (s + EPSILON))).sum(dim=2).to(maps.dtype)


CRITERIA = MappingProxyType(
    {
        "cc": Criterion("CC", False, ("score", "log_density", "probability"), correlations),
        "nll": Criterion("NLL", True, ("log_density",), cross_entropies),
        "nss": Criterion("NSS", False, ("score", "log_density", "probability"), expected_nss),
        "mae": Criterion("MAE", True, ("score", "probability"), absolute_errors),
    }
)
"""What `select` of a recipe can be."""


def check_criterion(select: str, output: Output) -> None:
    """Raise a UsageError if a criterion says nothing of the maps that a network gives."""
    if output not in CRITERIA[select].accepts:
        fitting = [name for name, criterion in CRITERIA.items() if output in criterion.accepts]
        kind = output.replace("_", " ")
        raise UsageError(f"select={select}: the network gives a {kind}; choose by {', '.join(fitting)}")


@dataclass(frozen=True)
class ValidationScores:
    """Means over the maps that exist, at the size of the network's output, one figure a target.

    Attributes
    ----------
    cc, kl : tuple of float
        Of a target that has no map in the validation part NaN.
    heads : int
        The first so many are the heads' own; others are what side outputs learn from, compared with their head's map.
    select : str
        The criterion, one of `CRITERIA`.
    selected : tuple of float
        Its figures.
    """

    cc: tuple[float, ...]
    kl: tuple[float, ...]
    heads: int
    select: str = "cc"
    selected: tuple[float, ...] = ()

    @property
    def mean_cc(self) -> float:
        """The mean CC of the heads that have maps; -1 if none has."""
        return self._mean(self.cc, CRITERIA["cc"].worst)

    @property
    def score(self) -> float:
        """What the epoch is chosen by: the criterion's mean over the heads that have maps."""
        if self.select == "cc":
            return self.mean_cc
        return self._mean(self.selected, CRITERIA[self.select].worst)

    def _mean(self, figures: tuple[float, ...], otherwise: float) -> float:
        known = [value for value in figures[: self.heads] if value == value]
        return sum(known) / len(known) if known else otherwise


@torch.no_grad()
def validate(
    network: TrainableNetwork,
    batches: Iterable[Batch],
    device: torch.device | str = "cpu",
    first: int = 0,
    select: str = "cc",
) -> ValidationScores:
    """Return how a network's heads from the `first` on do; its mode is as before afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    heads = len(network.heads) - first
    functions = (correlations, divergences, CRITERIA[select].function)
    sums: Tensor | None = None
    for batch in batches:
        here = batch.to(device)
        if here.domain:
            network.choose_domain(here.domain)
        maps = maps_of(network, here)[:, first:].float()
        maps = maps.exp() if network.output == "log_density" else maps
        maps = maps.repeat(1, here.maps.shape[1] // heads, 1, 1)
        figures = torch.stack([function(maps, here.maps) for function in functions])
        kept = torch.where(here.valid, figures, torch.zeros_like(figures)).sum(dim=1)
        counted = torch.cat([kept, here.valid.sum(dim=0, keepdim=True).float()]).double()
        sums = counted if sums is None else sums + counted
    for module, training in modes:
        module.training = training
    if sums is None:
        return ValidationScores((), (), heads, select)
    *totals, counts = sums.cpu()
    cc, kl, selected = (tuple((total / counts).tolist()) for total in totals)
    return ValidationScores(cc, kl, heads, select, selected)


def _density(maps: Tensor) -> Tensor:
    """Return maps min-max scaled, over their sums: (N, K, h * w); a constant map is uniform."""
    return _shares(maps - maps.amin(dim=(2, 3), keepdim=True))


def _shares(maps: Tensor) -> Tensor:
    """Return maps that are not negative over their sums: (N, K, h * w); what is 0 everywhere is uniform."""
    flat = maps.flatten(2)
    total = flat.sum(dim=2, keepdim=True)
    return torch.where(total > 0, flat / total.clamp(min=1e-30), torch.full_like(flat, 1 / flat.shape[2]))
