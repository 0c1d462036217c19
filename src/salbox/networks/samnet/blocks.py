"""What SAMNet is made of: separable convolutions, and attention between dilations.

Layers have the names of the authors' weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..export import resize_matrices

REDUCTION = 4  # of channels where the attention over places is computed (section III-B)
DILATIONS = (2, 4)  # of the convolutions of that attention


class ConvNormReLU(nn.Module):
    """A convolution without a bias that keeps the size unless it has a stride, batch norm and, unless left out, a ReLU.

    Parameters
    ----------
    inputs, outputs : int
    kernel, stride, dilation, groups : int
        Of the convolution.
    act : bool
        Whether a ReLU follows.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        convolution = nn.Conv2d(
            inputs,
            outputs,
            kernel,
            stride=stride,
            padding=dilation * (kernel // 2),
            dilation=dilation,
            groups=groups,
            bias=False,
        )
        layers: list[nn.Module] = [convolution, nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if act else []))

    def forward(self, features: Tensor) -> Tensor:
        """Return the features convolved."""
        convolved: Tensor = self.conv(features)
        return convolved


class SeparableConv(nn.Module):
    """A convolution of each channel by itself, then a 1x1 convolution across channels; each with norm and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        apart = ConvNormReLU(inputs, inputs, kernel, stride=stride, dilation=dilation, groups=inputs)
        self.conv = nn.Sequential(apart, ConvNormReLU(inputs, outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Return the features convolved."""
        convolved: Tensor = self.conv(features)
        return convolved


class StereoAttention(nn.Module):
    """The stereoscopically attentive multi-scale module (section III-B).

    Branches of several dilations look at the same features. Which of them counts is decided for each channel, and each
    place, by the product of an attention over channels and one over places.

    Parameters
    ----------
    channels : int
    dilations : sequence of int
        Of the branches; what they look at is the last branch.
    """

    def __init__(self, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        narrow = channels // REDUCTION
        self.conv = SeparableConv(channels, channels)
        self.branches = nn.ModuleList(SeparableConv(channels, channels, dilation=d) for d in dilations)
        self.fc1 = ConvNormReLU(channels, channels)
        self.fc2 = nn.Conv2d(channels, (len(dilations) + 1) * channels, 1, bias=False)
        self.fuse = ConvNormReLU(channels, channels, act=False)
        self.convs = nn.Sequential(
            ConvNormReLU(channels, narrow),
            *(SeparableConv(narrow, narrow, dilation=d) for d in DILATIONS),
            nn.Conv2d(narrow, 1, 1, bias=False),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        looked_at = self.conv(features)
        branches = torch.stack([*(branch(looked_at) for branch in self.branches), looked_at], dim=1)  # (N, B, C, h, w)
        gathered = branches.sum(1)
        of_channels = self.fc2(self.fc1(gathered.mean((2, 3), keepdim=True)))
        of_channels = of_channels.unflatten(1, (branches.shape[1], -1))  # (N, B, C, 1, 1)
        of_places = self.convs(gathered)[:, None]  # (N, 1, 1, h, w)
        shares = (of_channels * of_places).softmax(1)
        fused: Tensor = self.fuse((branches * shares).sum(1))
        return fused + features


class PyramidPooling(nn.Module):
    """Means of 1, 2x2, 3x3 and 6x6 parts of the features beside the features themselves (section III-C)."""

    PARTS = (1, 2, 3, 6)

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // len(self.PARTS)
        for place in range(1, len(self.PARTS) + 1):
            self.add_module(f"conv{place}", ConvNormReLU(channels, narrow))
        self.out = ConvNormReLU(2 * channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        found = [features]
        for place, parts in enumerate(self.PARTS, start=1):
            convolved = self.get_submodule(f"conv{place}")(part_means(features, parts))
            found.append(enlarged(convolved, features))
        mixed: Tensor = self.out(torch.cat(found, dim=1))
        return mixed


def part_means(features: Tensor, parts: int) -> Tensor:
    """Return the means of parts x parts parts of features, which overlap where sides cannot be divided."""
    if torch.onnx.is_in_onnx_export():
        return exported_part_means(features, parts)
    return functional.adaptive_avg_pool2d(features, parts)


def exported_part_means(features: Tensor, parts: int) -> Tensor:
    """Return what `part_means` does, in a way that can be exported for features of any size."""
    rows, columns = (_share(side, parts).to(features) for side in resize_matrices.lengths(features))
    return rows @ features @ columns.T


def _share(side: Tensor, parts: int) -> Tensor:
    """Return the weights of a side's means: (parts, side) float64."""
    index = torch.arange(parts, device=side.device).double()[:, None]
    first, last = torch.floor(index * side / parts), torch.ceil((index + 1) * side / parts)
    pixels = resize_matrices.places(side)
    covered = (pixels - first + 1).clamp(0, 1) * (last - pixels).clamp(0, 1)
    return covered / (last - first)


def enlarged(features: Tensor, reference: Tensor) -> Tensor:
    """Return features brought to another tensor's size, corners on corners."""
    return functional.interpolate(features, size=reference.shape[-2:], mode="bilinear", align_corners=True)
