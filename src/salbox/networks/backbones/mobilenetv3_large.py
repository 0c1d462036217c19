"""MobileNetV3-Large with half the channels, without its classifier (Howard et al. 2019), as Paddle has it.

It differs from others' in a gate of squeeze-and-excitation that rises by 0.2 where theirs rises by 1/6, in a squeeze to
exactly a quarter, and in an expansion (to as many channels) in the first block too.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn

STEM = 8  # channels
# Of RGB in 0..1, with which KD-SCFNet's program normalises whatever the encoder.
MEAN = (124.55 / 255, 118.90 / 255, 102.94 / 255)
STD = (56.77 / 255, 55.97 / 255, 57.50 / 255)


class Block(NamedTuple):
    """A row of Howard et al. 2019, table 1, its channels halved and rounded to multiples of 8."""

    kernel: int
    expanded: int
    outputs: int
    squeezes: bool
    is_hard: bool  # hard swish, else a ReLU
    stride: int


BLOCKS = (
    Block(3, 8, 8, False, False, 1),
    Block(3, 32, 16, False, False, 2),
    Block(3, 40, 16, False, False, 1),
    Block(5, 40, 24, True, False, 2),
    Block(5, 64, 24, True, False, 1),
    Block(5, 64, 24, True, False, 1),
    Block(3, 120, 40, False, True, 2),
    Block(3, 104, 40, False, True, 1),
    Block(3, 96, 40, False, True, 1),
    Block(3, 96, 40, False, True, 1),
    Block(3, 240, 56, True, True, 1),
    Block(3, 336, 56, True, True, 1),
    Block(5, 336, 80, True, True, 2),
    Block(5, 480, 80, True, True, 1),
    Block(5, 480, 80, True, True, 1),
)
# The last block before each that halves the size, and the last: features at strides 2, 4, 8, 16 and 32.
TAPS = (*(i for i, (_, block) in enumerate(pairwise(BLOCKS)) if block.stride == 2), len(BLOCKS) - 1)
CHANNELS = tuple(BLOCKS[tap].outputs for tap in TAPS)


class MobileNetV3Large(nn.Module):
    """The stem and the blocks.

    Parameters
    ----------
    taps : int
        How many features it gives; it ends after the last of them.

    Attributes
    ----------
    channels : tuple of int
        Of the features.

    References
    ----------
    Howard et al.: Searching for MobileNetV3. ICCV 2019, table 1.
    """

    def __init__(self, taps: int = len(TAPS)) -> None:
        super().__init__()
        self._taps = TAPS[:taps]
        self.channels = CHANNELS[:taps]
        self.conv = ConvNorm(3, STEM, 3, stride=2)
        self.act = nn.Hardswish()
        inputs = (STEM, *(block.outputs for block in BLOCKS))
        blocks = BLOCKS[: self._taps[-1] + 1]
        self.blocks = nn.ModuleList(InvertedResidual(n, block) for n, block in zip(inputs, blocks, strict=False))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return features at strides 2, 4, 8, 16 and 32, (N, channels, h, w), sides rounded up.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, normalised.
        """
        values, found = self.act(self.conv(images)), []
        for index, block in enumerate(self.blocks):
            values = block(values)
            if index in self._taps:
                found.append(values)
        return found


class ConvNorm(nn.Module):
    """A convolution without bias, and batch norm."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, values: Tensor) -> Tensor:
        """Return the normalised convolution: (N, outputs, ceil(H / stride), ceil(W / stride))."""
        normalized: Tensor = self.bn(self.conv(values))
        return normalized


class InvertedResidual(nn.Module):
    """Expanded, convolved each channel by itself, gated where the block squeezes, brought to its outputs."""

    def __init__(self, inputs: int, block: Block) -> None:
        super().__init__()
        width = block.expanded
        self.expand_conv = ConvNorm(inputs, width)
        self.bottleneck_conv = ConvNorm(width, width, block.kernel, block.stride, groups=width)
        self.mid_se = Gate(width) if block.squeezes else nn.Identity()
        self.linear_conv = ConvNorm(width, block.outputs)
        self.act = nn.Hardswish() if block.is_hard else nn.ReLU()
        self._is_residual = block.stride == 1 and inputs == block.outputs

    def forward(self, values: Tensor) -> Tensor:
        """Return the block's values, added to what came in where the shape is the same."""
        wide = self.act(self.bottleneck_conv(self.act(self.expand_conv(values))))
        narrow: Tensor = self.linear_conv(self.mid_se(wide))
        return values + narrow if self._is_residual else narrow


class Gate(nn.Module):
    """Squeeze and excitation: channels weighed by what there is in the whole picture (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels // 4, 1)
        self.conv2 = nn.Conv2d(channels // 4, channels, 1)
        self.act = nn.ReLU()

    def forward(self, values: Tensor) -> Tensor:
        """Return the weighed channels, of the same shape."""
        squeezed = self.act(self.conv1(values.mean((2, 3), keepdim=True)))
        return values * (0.2 * self.conv2(squeezed) + 0.5).clamp(0, 1)  # Paddle's hard sigmoid
