"""VGG-16 without its classifier (Simonyan and Zisserman 2015), with the pools and dilation that a program gives it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # width and number of the convolutions before each pool
MEANS_BGR = (103.939, 116.779, 123.68)  # of ImageNet, 0..255


class Vgg16(nn.Module):
    """Thirteen 3x3 convolutions called conv1_1 to conv5_3, each with a ReLU, and a pool behind each block.

    Parameters
    ----------
    pools : sequence of modules
        One for each block; None where there is no pool.
    last_dilation : int
        Of the last block's convolutions, 2 where the fourth pool does not shrink.
    """

    channels = 512

    def __init__(self, pools: Sequence[nn.Module | None], last_dilation: int = 1) -> None:
        super().__init__()
        inputs = 3
        for block, ((width, count), pool) in enumerate(zip(BLOCKS, pools, strict=True), start=1):
            dilation = last_dilation if block == len(BLOCKS) else 1
            for index in range(1, count + 1):
                convolution = nn.Conv2d(inputs, width, 3, padding=dilation, dilation=dilation)
                self.add_module(f"conv{block}_{index}", convolution)
                inputs = width
            if pool is not None:
                self.add_module(f"pool{block}", pool)
        self._order = [name for name, _ in self.named_children()]

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return what the pools give, and the last convolution: {"pool1": .., "conv5_3": ..}.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            Channels as the program orders them, its means subtracted.
        """
        return {name: values for name, values in self._layers(images) if name[0] == "p" or name == "conv5_3"}

    def forward(self, images: Tensor) -> Tensor:
        """Return the last feature: (N, 512, h, w)."""
        _, last = deque(self._layers(images), maxlen=1).pop()
        return last

    def _layers(self, images: Tensor) -> Iterator[tuple[str, Tensor]]:
        for name in self._order:
            images = self.get_submodule(name)(images)
            if name[0] == "c":
                # In place where nothing is learned: at 1200 by 1600 pixels a copy takes half a gigabyte.
                images = F.relu(images, inplace=not torch.is_grad_enabled())
            yield name, images


class PaddedMaxPool(nn.Module):
    """A 2x2 maximum of what a ReLU gave, with a row and a column of zeros on one side.

    Parameters
    ----------
    stride : int
    before : bool
        At the top and left, where Theano puts the one that "same" needs; TensorFlow puts it at the bottom and right.
    """

    def __init__(self, stride: int, *, before: bool) -> None:
        super().__init__()
        self._stride = stride
        self._padding = (1, 0, 1, 0) if before else (0, 1, 0, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return the maxima: (N, C, ceil(H / stride), ceil(W / stride)) if padded before, and if the stride is 1."""
        return F.max_pool2d(F.pad(values, self._padding), 2, stride=self._stride)
