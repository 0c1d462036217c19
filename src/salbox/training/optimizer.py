"""The optimizer of a recipe: which parameters learn how fast."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError, nearest
from ..networks.trainable.base import TrainableNetwork
from .module import NetworkTraining
from .recipe_parts import Multipliers, Optimizer

_UNCHANGED = Multipliers()


def make_optimizer(training: NetworkTraining) -> torch.optim.Optimizer:
    """Return the optimizer of a training, as its recipe says.

    Parameters of the encoder and others, and those under different prefixes, are in groups of their own; `factor` of a
    group is its learning rate over the recipe's.
    """
    settings, network = training.recipe.optimizer, training.network
    check_prefixes(network, settings)
    encoder = {id(p) for p in network.encoder_parameters()}
    groups: dict[tuple[bool, str], list[Tensor]] = {}
    for name, parameter in training.named_parameters():
        if parameter.requires_grad:
            key = id(parameter) not in encoder, _prefix(name.removeprefix("network."), settings)
            groups.setdefault(key, []).append(parameter)
    parts = []
    for decoder, prefix in sorted(groups):
        multipliers = settings.prefixes.get(prefix, _UNCHANGED)
        parts.append(
            {
                "params": groups[decoder, prefix],
                "factor": (1.0 if decoder else settings.encoder_factor) * multipliers.rate,
                "weight_decay": settings.weight_decay * multipliers.decay,
            }
        )
    return _optimizer(settings, parts)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of a recipe, of each group its own share."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


def check_prefixes(network: TrainableNetwork, settings: Optimizer) -> None:
    """Raise a UsageError for a prefix that no parameter of a network has; the nearest that one has is proposed."""
    for prefix in settings.prefixes:
        if not any(name.startswith(prefix) for name, _ in network.named_parameters()):
            known = [f"{name}." for name, module in network.named_modules() if name and _learns(module)]
            raise UsageError(f"optimizer.prefixes: no parameter begins with '{prefix}'{nearest(prefix, known)}")


def _learns(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def _prefix(name: str, settings: Optimizer) -> str:
    """Return the longest prefix that a parameter's name has, "" for none."""
    return max((prefix for prefix in settings.prefixes if name.startswith(prefix)), key=len, default="")


def _optimizer(settings: Optimizer, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    rate = settings.learning_rate
    match settings.name:
        case "adam":
            return torch.optim.Adam(groups, lr=rate)
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate)
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, momentum=settings.momentum)
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=rate, alpha=settings.smoothing)
