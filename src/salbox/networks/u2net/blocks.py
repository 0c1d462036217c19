"""What U²-Net is made of: U-shaped blocks whose input is added to what they give.

Layers have the names of the authors' weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import resize_like

DEEPEST = 2  # dilation of a block's deepest convolution, which does not halve the features before it
DILATIONS = (1, 2, 4, 8)  # of the block that halves nothing (RSU-4F)


class ConvNormReLU(nn.Module):
    """A 3x3 convolution with a bias, batch norm and a ReLU."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same size."""
        return functional.relu(self.bn_s1(self.conv_s1(features)), inplace=True)


class ResidualUBlock(nn.Module):
    """A residual U-block, RSU-L of section 3.1.

    Parameters
    ----------
    height : int
        L: how many convolutions lead down.
    inputs, middle, outputs : int
        Channels of what comes in, within, and of what it gives.
    is_dilated : bool
        Whether convolutions see ever more with dilations instead of halving the features (RSU-4F).
    """

    def __init__(self, height: int, inputs: int, middle: int, outputs: int, *, is_dilated: bool = False) -> None:
        super().__init__()
        self.height, self.is_dilated = height, is_dilated
        dilations = DILATIONS if is_dilated else (*([1] * (height - 1)), DEEPEST)
        self.rebnconvin = ConvNormReLU(inputs, outputs)
        for level, dilation in enumerate(dilations, start=1):
            self.add_module(f"rebnconv{level}", ConvNormReLU(outputs if level == 1 else middle, middle, dilation))
        for level in range(height - 1, 0, -1):
            layer = ConvNormReLU(2 * middle, outputs if level == 1 else middle, dilations[level - 1])
            self.add_module(f"rebnconv{level}d", layer)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same size."""
        entered = self.rebnconvin(features)
        way_down = [entered]
        for level in range(1, self.height + 1):
            halves = not self.is_dilated and 1 < level < self.height
            before = halved(way_down[-1]) if halves else way_down[-1]
            way_down.append(self.get_submodule(f"rebnconv{level}")(before))
        found = way_down.pop()
        for level in range(self.height - 1, 0, -1):
            skip = way_down.pop()
            found = self.get_submodule(f"rebnconv{level}d")(joined(found, skip))
        return found + entered


def halved(features: Tensor) -> Tensor:
    """Return the maxima of 2x2 features each; an odd side is rounded up."""
    return functional.max_pool2d(features, 2, stride=2, ceil_mode=True)


def joined(coarse: Tensor, skip: Tensor) -> Tensor:
    """Return coarse features, enlarged to a skip connection's size, and it behind them."""
    return torch.cat([resize_like(coarse, skip), skip], dim=1)
