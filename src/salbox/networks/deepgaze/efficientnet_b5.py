"""EfficientNet-B5 (Tan and Le 2019) as its first PyTorch version has it: padding fixed for one size of images.

That version pads convolutions of stride 2 as TensorFlow pads a side of 456 pixels, whatever side they are given: one
row less at the top and left than at the bottom and right.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional

NORM_EPS = 1e-3
STEM = 48
# Kernel, stride of the first block, expansion, channels, blocks: B0's times 1.6 in width and 2.2 in depth, rounded.
STAGES = (
    (3, 1, 1, 24, 3),
    (3, 2, 6, 40, 5),
    (5, 2, 6, 64, 5),
    (3, 2, 6, 128, 7),
    (5, 1, 6, 176, 7),
    (5, 2, 6, 304, 9),
    (3, 1, 6, 512, 3),
)
SQUEEZED = 4  # into a fraction of a block's input channels
HEAD = 2048


class StaticConv2d(nn.Conv2d):
    """A convolution that keeps the size, or halves it rounding down."""

    def forward(self, input: Tensor) -> Tensor:
        """Return (N, channels, H / stride, W / stride)."""
        total = self.kernel_size[0] - self.stride[0]
        before, after = total // 2, total - total // 2
        return self._conv_forward(functional.pad(input, (before, after, before, after)), self.weight, self.bias)


class EfficientNetB5(nn.Module):
    """The network without its classifier; `_blocks` are counted through all stages."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = StaticConv2d(3, STEM, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(STEM, NORM_EPS)
        blocks, inputs = [], STEM
        for kernel, stride, expansion, outputs, count in STAGES:
            for index in range(count):
                blocks.append(Block(inputs, outputs, kernel, stride if index == 0 else 1, expansion))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = nn.Conv2d(inputs, HEAD, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(HEAD, NORM_EPS)

    def forward(self, images: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """Return what layers of blocks give, by name; no block behind the last of them is computed.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, normalised.
        names : collection of str
            "_blocks.24._depthwise_conv", "_blocks.35._project_conv", ..
        """
        found: dict[str, Tensor] = {}
        values = _swish(self._bn0(self._conv_stem(images)))
        for index, block in enumerate(self._blocks):
            values, inner = block(values)
            found.update({f"_blocks.{index}.{name}": v for name, v in inner.items()})
            found = {name: tensor for name, tensor in found.items() if name in names}
            if len(found) == len(names):
                break
        return found


class Block(nn.Module):
    """Widened, each channel filtered by itself, channels weighed by what they hold on the whole, narrowed."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden, squeezed = inputs * expansion, inputs // SQUEEZED
        self.widens = expansion > 1
        if self.widens:
            self._expand_conv = nn.Conv2d(inputs, hidden, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(hidden, NORM_EPS)
        self._depthwise_conv = StaticConv2d(hidden, hidden, kernel, stride, groups=hidden, bias=False)
        self._bn1 = nn.BatchNorm2d(hidden, NORM_EPS)
        self._se_reduce = nn.Conv2d(hidden, squeezed, 1)
        self._se_expand = nn.Conv2d(squeezed, hidden, 1)
        self._project_conv = nn.Conv2d(hidden, outputs, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outputs, NORM_EPS)
        self.kept = stride == 1 and inputs == outputs

    def forward(self, values: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the block's output, and what its convolutions give by their names."""
        widened = _swish(self._bn0(self._expand_conv(values))) if self.widens else values
        filtered = self._depthwise_conv(widened)
        weighed = _swish(self._bn1(filtered))
        squeezed = _swish(self._se_reduce(functional.adaptive_avg_pool2d(weighed, 1)))
        projected = self._project_conv(self._se_expand(squeezed).sigmoid() * weighed)
        narrowed = self._bn2(projected)
        inner = {"_depthwise_conv": filtered, "_project_conv": projected}
        return (values + narrowed if self.kept else narrowed), inner


def _swish(values: Tensor) -> Tensor:
    # Not functional.silu, which rounds otherwise: weights that amplify rounding would give other maps.
    return values * torch.sigmoid(values)
