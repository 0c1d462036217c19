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
_STILL = Multipliers(rate=0, decay=0)
_SIDE = 64  # pixels of an image that is long enough for every encoder


def make_optimizer(training: NetworkTraining) -> torch.optim.Optimizer:
    """Return the optimizer of a training, as its recipe says.

    Parameters of the encoder and others, and those under different prefixes, are in groups of their own; `factor` of a
    group is its learning rate over the recipe's.
    """
    settings, network = training.recipe.optimizer, training.network
    check_prefixes(network, settings)
    encoder = {id(p) for p in network.encoder_parameters()}
    still = _up_to(network, training.recipe.frozen_stride) if training.recipe.frozen_stride else set()
    groups: dict[tuple[bool, str, bool], list[Tensor]] = {}
    for name, parameter in training.named_parameters():
        if parameter.requires_grad:
            prefix = _prefix(name.removeprefix("network."), settings)
            key = id(parameter) not in encoder, prefix, id(parameter) in still
            groups.setdefault(key, []).append(parameter)
    parts = []
    for decoder, prefix, is_still in sorted(groups):
        multipliers = _STILL if is_still else settings.prefixes.get(prefix, _UNCHANGED)
        parts.append(
            {
                "params": groups[decoder, prefix, is_still],
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


def _up_to(network: TrainableNetwork, stride: int) -> set[int]:
    """Return the ids of the encoder's parameters that its features at a stride, or at finer ones, depend on.

    Raises
    ------
    UsageError
        If the network's encoder gives no features by strides.
    """
    found: set[int] = set()
    for encoder in network.encoder_modules():
        device = next(encoder.parameters()).device
        modes = [(module, module.training) for module in encoder.modules()]
        encoder.eval()
        with torch.enable_grad():
            taps = encoder(torch.zeros(1, 3, _SIDE, _SIDE, device=device))
            if not isinstance(taps, (list, tuple)):
                raise UsageError(f"frozen_stride={stride}: network '{network.name}' gives no features by strides")
            parameters = list(encoder.parameters())
            wanted = [tap.sum() for tap in taps if tap.shape[-1] * stride >= _SIDE and tap.requires_grad]
            gradients = torch.autograd.grad(sum(wanted), parameters, allow_unused=True)
        found |= {id(p) for p, gradient in zip(parameters, gradients, strict=True) if gradient is not None}
        for module, mode in modes:
            module.training = mode
    return found


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
