"""Residual and dense networks of torchvision whose inner convolutions are looked at, by torchvision's names."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import densenet201


class TappedResNet(nn.Module):
    """A ResNet of bottlenecks, such as ResNet-50 (He et al. 2016) or ResNeXt-50 (Xie et al. 2017), unclassified.

    Parameters
    ----------
    make : callable
        torchvision's function.
    """

    STAGES = ("layer1", "layer2", "layer3", "layer4")

    def __init__(self, make: Callable[..., nn.Module]) -> None:
        super().__init__()
        network = make(weights=None)
        for name in ("conv1", "bn1", *self.STAGES):
            self.add_module(name, network.get_submodule(name))

    def forward(self, images: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """Return what convolutions give, by name; no block behind the last of them is computed.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, normalised.
        names : collection of str
            "layer3.0.conv2", "layer4.2.conv1", ..
        """
        found: dict[str, Tensor] = {}
        values = functional.relu(self.get_submodule("bn1")(self.get_submodule("conv1")(images)))
        values = functional.max_pool2d(values, 3, 2, 1)
        for stage in self.STAGES:
            for index, block in self.get_submodule(stage).named_children():
                values, inner = _bottleneck(block, values)
                found.update({f"{stage}.{index}.{name}": v for name, v in inner.items()})
                found = {name: tensor for name, tensor in found.items() if name in names}
                if len(found) == len(names):
                    return found
        return found


def _bottleneck(block: nn.Module, values: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    first = block.conv1(values)  # type: ignore[operator,unused-ignore]
    second = block.conv2(functional.relu(block.bn1(first)))  # type: ignore[operator,unused-ignore]
    third = block.conv3(functional.relu(block.bn2(second)))  # type: ignore[operator,unused-ignore]
    kept = values if block.downsample is None else block.downsample(values)  # type: ignore[operator,unused-ignore]
    return functional.relu(block.bn3(third) + kept), {  # type: ignore[operator,unused-ignore]
        "conv1": first,
        "conv2": second,
        "conv3": third,
    }


class TappedDenseNet201(nn.Module):
    """DenseNet-201 (Huang et al. 2017) without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.features = densenet201(weights=None).features

    def forward(self, images: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """Return what layers of the last block give, by name.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, normalised.
        names : collection of str
            "features.denseblock4.denselayer32.norm1" (without the ReLU behind it), "..conv1", ..
        """
        found: dict[str, Tensor] = {}
        values = images
        for stage, module in self.features.named_children():
            if stage != "denseblock4":
                values = module(values)
                continue
            parts = [values]
            for name, layer in module.named_children():
                norm = layer.norm1(torch.cat(parts, dim=1))  # type: ignore[operator,unused-ignore]
                first = layer.conv1(functional.relu(norm))  # type: ignore[operator,unused-ignore]
                second = layer.conv2(functional.relu(layer.norm2(first)))  # type: ignore[operator,unused-ignore]
                parts.append(second)
                inner = {"norm1": norm, "conv1": first, "conv2": second}
                found.update({f"features.{stage}.{name}.{n}": v for n, v in inner.items()})
                found = {n: tensor for n, tensor in found.items() if n in names}
            break  # the last norm is only the classifier's
        return found
