"""Layers that several networks are made of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of RGB in 0..1, as torchvision's and most of timm's encoders expect
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalize(nn.Module):
    """RGB in 0..255 to (x / 255 - mean) / std.

    Parameters
    ----------
    mean, std : three numbers
        Of R, G and B in 0..1.
    """

    shift: Tensor
    divisor: Tensor

    def __init__(self, mean: Sequence[float] = (0.0, 0.0, 0.0), std: Sequence[float] = (1.0, 1.0, 1.0)) -> None:
        super().__init__()
        # Not in the state dict: the architecture says what they are, a checkpoint must not.
        for name, values in (("shift", mean), ("divisor", std)):
            scaled = torch.tensor(values, dtype=torch.float64).reshape(1, 3, 1, 1) * 255
            self.register_buffer(name, scaled.float(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the images normalised, of the same shape."""
        return (images - self.shift) / self.divisor


class ConvNormAct(nn.Sequential):
    """A convolution that keeps the size, batch norm and, unless left out, a ReLU6.

    ReLU6 because its output stays in a range that half precision and 8 bits hold well.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, groups: int = 1, act: bool = True) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*layers, *([nn.ReLU6(inplace=True)] if act else []))


class SeparableConv(nn.Sequential):
    """A 3x3 convolution of each channel by itself, then a 1x1 convolution across channels; each with norm and ReLU6."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(ConvNormAct(inputs, inputs, 3, groups=inputs), ConvNormAct(inputs, outputs))


def resize_like(features: Tensor, reference: Tensor) -> Tensor:
    """Return features brought bilinearly to another tensor's height and width."""
    size = reference.shape[-2:]
    return functional.interpolate(features, size=size, mode="bilinear", align_corners=False)


def enlarge_like(features: Tensor, reference: Tensor, times: int = 2) -> Tensor:
    """Return the same where the other tensor is `times` as large in pictures whose sides the network's strides divide.

    An exported graph says by how much and not to what size: ONNX Runtime then stays in the layout that it has between
    convolutions, and the finest of a decoder's enlargements takes a third of the time. Other pictures such a graph must
    not see; see `TrainableNetwork.divisor`.
    """
    if not torch.onnx.is_in_onnx_export():
        return resize_like(features, reference)
    return functional.interpolate(features, scale_factor=float(times), mode="bilinear", align_corners=False)
