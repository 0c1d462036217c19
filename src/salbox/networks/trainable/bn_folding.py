"""Encoders whose batch norms were folded into the convolutions, and how the norms are had back.

A released network often has no batch norms left: gamma, beta and the statistics have gone into each convolution's
weight and bias. Fine-tuning wants them. Photos are pushed through once; each norm's statistics become what it saw, and
its gamma and beta what leaves the output as it was:

    y = conv(x);  running mean m, variance v of y;  gamma = sqrt(v + eps), beta = bias + m
    gamma (y - m) / sqrt(v + eps) + beta = y + bias
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import WeightsError
from ...formats.npz import read_weights

Folded = dict[str, tuple[Tensor, Tensor]]  # a convolution's name -> weight and bias


@dataclass(frozen=True)
class Unit:
    """A convolution and its batch norm, by the names of torchvision's and of timm's MobileNetV2."""

    torchvision: tuple[str, str]
    timm: tuple[str, str]


# Inverted residuals of each of MobileNetV2's stages (Sandler et al. 2018, table 2).
_BLOCKS = (1, 2, 3, 4, 3, 3, 1)


def mobilenet_v2_units() -> tuple[Unit, ...]:
    """Return MobileNetV2's convolutions from first to last."""
    units = [Unit(("features.0.0", "features.0.1"), ("conv_stem", "bn1"))]
    index = 0
    for stage, blocks in enumerate(_BLOCKS):
        for block in range(blocks):
            index += 1
            theirs, ours = f"features.{index}.conv", f"blocks.{stage}.{block}"
            names = [("conv_dw", "bn1"), ("conv_pw", "bn2")]
            if stage > 0:  # the first block does not expand
                names = [("conv_pw", "bn1"), ("conv_dw", "bn2"), ("conv_pwl", "bn3")]
            last = len(names) - 1
            for i, (conv, norm) in enumerate(names):
                pair = (f"{theirs}.{i}", f"{theirs}.{i + 1}") if i == last else (f"{theirs}.{i}.0", f"{theirs}.{i}.1")
                units.append(Unit(pair, (f"{ours}.{conv}", f"{ours}.{norm}")))
    return (*units, Unit((f"features.{index + 1}.0", f"features.{index + 1}.1"), ("conv_head", "bn2")))


def read_folded_mobilenet_v2(path: Path) -> Folded:
    """Return the convolutions of a folded MobileNetV2 with a classifier of 1001 classes, by torchvision's names.

    Parameters
    ----------
    path : Path
        An .npz whose arrays are called as in torchvision (`features.0.0.weight`, `features.0.0.bias`, ..), the
        classifier a 1x1 convolution.

    Raises
    ------
    WeightsError
        If it is not such a file.
    """
    from torchvision.models import mobilenet_v2

    with torch.device("meta"):
        network = mobilenet_v2(weights=None, num_classes=1001).state_dict()
    names = [unit.torchvision[0] for unit in mobilenet_v2_units()]
    shapes = {f"{name}.weight": tuple(network[f"{name}.weight"].shape) for name in names}
    shapes |= {f"{name}.bias": shapes[f"{name}.weight"][:1] for name in names}
    shapes |= {"classifier.1.weight": (1001, 1280, 1, 1), "classifier.1.bias": (1001,)}
    arrays = read_weights(path, shapes, "a folded MobileNetV2")
    read = {name: torch.from_numpy(values) for name, values in arrays.items()}
    return {name: (read[f"{name}.weight"], read[f"{name}.bias"]) for name in (*names, "classifier.1")}


def convolutions_and_norms(network: nn.Module, images: Tensor) -> dict[str, str]:
    """Return {convolution: batch norm} for every batch norm of a network that directly follows a convolution.

    Parameters
    ----------
    network : nn.Module
    images : Tensor
        What it takes; it is run once, so that nothing need be known of how the network is written.
    """
    made_by: dict[int, str] = {}
    kept: list[Tensor] = []  # as long as a tensor lives its id is its own
    pairs: dict[str, str] = {}

    def leaves(name: str):  # type: ignore[no-untyped-def]
        def hook(_module: nn.Module, _given: object, output: Tensor) -> None:
            made_by[id(output)] = name
            kept.append(output)

        return hook

    def enters(name: str):  # type: ignore[no-untyped-def]
        def hook(_module: nn.Module, given: tuple[Tensor, ...]) -> None:
            if id(given[0]) in made_by:
                pairs[made_by[id(given[0])]] = name

        return hook

    handles = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            handles.append(module.register_forward_hook(leaves(name)))
        elif isinstance(module, nn.BatchNorm2d):
            handles.append(module.register_forward_pre_hook(enters(name)))
    try:
        with torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return pairs


def restore_batch_norm(network: nn.Module, folded: Folded, batches: Iterable[Tensor]) -> int:
    """Give a network folded weights and norms that leave its output unchanged; return how many photos it saw.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode afterwards.
    folded : mapping
        Each convolution's name to its folded weight and bias.
    batches : iterable of (N, 3, H, W) tensors
        Photos as the network takes them.

    Raises
    ------
    WeightsError
        If there is no photo, the network has batch norms after other convolutions than `folded` names, or a shape
        differs.
    """
    network.eval()
    pending = iter(batches)
    first = next(pending, None)
    if first is None:
        raise WeightsError("no photos to take the statistics of the batch norms from")
    pairs = convolutions_and_norms(network, first[:1])
    modules = dict(network.named_modules())
    norms = [name for name, module in modules.items() if isinstance(module, nn.BatchNorm2d)]
    if set(pairs) != set(folded) or set(pairs.values()) != set(norms):
        odd = sorted(set(pairs) ^ set(folded)) or sorted(set(norms) - set(pairs.values()))
        raise WeightsError(f"not folded weights of this encoder: '{odd[0]}' is in one of the two only")
    for convolution, norm in pairs.items():
        _fold(modules[convolution], modules[norm], convolution, *folded[convolution])
    statistics = _Statistics({norm: modules[norm] for norm in norms})
    photos = statistics.gather(network, first, pending)
    for convolution, norm in pairs.items():
        mean, variance = statistics.result(norm)
        _unfold(modules[norm], mean, variance, folded[convolution][1].double())
    return photos


@torch.no_grad()
def _fold(convolution: nn.Module, norm: nn.Module, name: str, weight: Tensor, bias: Tensor) -> None:
    """Put in the folded weight; let the norm add the bias and do nothing else."""
    own = convolution.weight
    if own.shape != weight.shape or norm.bias.shape != bias.shape or convolution.bias is not None:
        raise WeightsError(
            f"not folded weights of this encoder: '{name}' has the shape {tuple(weight.shape)}, "
            f"expected is {tuple(own.shape)}"
        )
    own.copy_(weight)
    _unfold(
        norm, torch.zeros_like(bias, dtype=torch.float64), torch.ones_like(bias, dtype=torch.float64), bias.double()
    )


@torch.no_grad()
def _unfold(norm: nn.Module, mean: Tensor, variance: Tensor, bias: Tensor) -> None:
    """Set a norm's statistics so that it adds the bias and nothing else."""
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    # From the rounded statistics, so that rounding cancels.
    norm.weight.copy_((norm.running_var.double() + norm.eps).sqrt())
    norm.bias.copy_(bias + norm.running_mean.double())


class _Statistics:
    """Mean and variance of each channel of what goes into norms."""

    def __init__(self, norms: Mapping[str, nn.Module]) -> None:
        self._norms = norms
        self._count = dict.fromkeys(norms, 0)
        self._sum: dict[str, Tensor | float] = dict.fromkeys(norms, 0.0)
        self._squares: dict[str, Tensor | float] = dict.fromkeys(norms, 0.0)

    @torch.no_grad()
    def gather(self, network: nn.Module, first: Tensor, others: Iterable[Tensor]) -> int:
        """Run the network over batches and return how many photos they had."""
        handles = [norm.register_forward_pre_hook(self._hook(name)) for name, norm in self._norms.items()]
        try:
            photos = len(first)
            network(first)
            for batch in others:
                network(batch)
                photos += len(batch)
        finally:
            for handle in handles:
                handle.remove()
        return photos

    def result(self, name: str) -> tuple[Tensor, Tensor]:
        """Return mean and variance of what went into a norm: (channels,) float64 each."""
        mean = torch.as_tensor(self._sum[name]) / self._count[name]
        return mean, (torch.as_tensor(self._squares[name]) / self._count[name] - mean**2).clamp(min=0)

    def _hook(self, name: str):  # type: ignore[no-untyped-def]
        def hook(_norm: nn.Module, given: tuple[Tensor, ...]) -> None:
            values = given[0]
            self._count[name] += values.numel() // values.shape[1]
            self._sum[name] += values.sum(dim=(0, 2, 3), dtype=torch.float64)
            self._squares[name] += values.square().sum(dim=(0, 2, 3), dtype=torch.float64)

        return hook
