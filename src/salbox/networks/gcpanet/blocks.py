"""What GCPANet is made of: modules that weave features of several depths together.

Layers have the names of the authors' weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import resize_like


def _convolution(inputs: int, outputs: int, kernel: int = 3) -> nn.Conv2d:
    """Return a convolution with first weights that keep the size of what goes through."""
    made = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    nn.init.kaiming_normal_(made.weight, nonlinearity="relu")
    nn.init.zeros_(made.bias)  # type: ignore[arg-type,unused-ignore]
    return made


class GlobalContext(nn.Module):
    """The global context flow module: features weighted, channel by channel, by what is in the picture as a whole."""

    def __init__(self, inputs: int, deepest: int, width: int) -> None:
        super().__init__()
        self.conv0 = _convolution(inputs, width, 1)
        self.bn0 = nn.BatchNorm2d(width)
        self.conv1 = _convolution(deepest, width, 1)
        self.conv2 = _convolution(width, width, 1)

    def forward(self, features: Tensor, deepest: Tensor) -> Tensor:
        """Return (N, width, h, w) of the features' size."""
        reduced = functional.relu(self.bn0(self.conv0(features)))
        whole = functional.relu(self.conv1(deepest.mean((2, 3), keepdim=True)))
        return reduced * torch.sigmoid(self.conv2(whole))


class HeadAttention(nn.Module):
    """The head attention module, without its last step: the deepest features, brought to few channels, refined."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.conv0 = _convolution(inputs, width)
        self.bn0 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(inputs, 2 * width)

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, width, h, w)."""
        reduced = functional.relu(self.bn0(self.conv0(features)))
        factor, summand = self.conv2(features).chunk(2, dim=1)
        return functional.relu(factor * reduced + summand)


class SelfRefinement(nn.Module):
    """The self refinement module: features multiplied by, and added to, what a convolution makes of them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = _convolution(width, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, 2 * width)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        smoothed = functional.relu(self.bn1(self.conv1(features)))
        factor, summand = self.conv2(smoothed).chunk(2, dim=1)
        return functional.relu(factor * smoothed + summand)


class InterweavedAggregation(nn.Module):
    """The feature interweaved aggregation module: details, what is coarser, and the context, multiplied pairwise.

    Parameters
    ----------
    inputs : int
        Channels of the encoder's features.
    width : int
        Of all others.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.conv0, self.bn0 = _convolution(inputs, width), nn.BatchNorm2d(width)
        self.conv1, self.bn1 = _convolution(width, width), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _convolution(width, width), nn.BatchNorm2d(width)
        self.conv_d1, self.conv_d2, self.conv_l = (_convolution(width, width) for _ in range(3))
        self.conv3, self.bn3 = _convolution(3 * width, width), nn.BatchNorm2d(width)

    def forward(self, fine: Tensor, coarse: Tensor, context: Tensor) -> Tensor:
        """Return (N, width, h, w) of the fine features' size.

        Parameters
        ----------
        fine : (N, inputs, h, w)
            The encoder's.
        coarse : (N, width, h / 2, w / 2)
            What the module before this one gave, refined.
        context : (N, width, ..)
            Of the picture as a whole.
        """
        details = functional.relu(self.bn0(self.conv0(fine)))
        semantics = functional.relu(self.bn1(self.conv1(coarse)))
        whole = functional.relu(self.bn2(self.conv2(context)))
        by_details = functional.relu(self.conv_l(details) * resize_like(semantics, details))
        by_semantics = functional.relu(resize_like(self.conv_d1(semantics), details) * details)
        by_context = functional.relu(resize_like(self.conv_d2(whole), details) * details)
        woven = torch.cat([by_details, by_semantics, by_context], dim=1)
        return functional.relu(self.bn3(self.conv3(woven)))
