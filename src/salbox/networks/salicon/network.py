"""OpenSALICON, the open implementation (Thomas 2016) of SALICON (Huang, Shen, Boix and Zhao 2015).

Two VGG-16 with weights of their own look at the image at two sizes. The coarse one's features are enlarged to the fine
one's, and a 1x1 convolution reads the map off both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbones.vgg16 import MEANS_BGR, Vgg16

FINE, COARSE = (1200, 1600), (600, 800)  # height and width at which the streams look at images
RANGE = 255.0  # that pixels are divided by, once the means are off


class Readout(nn.Module):
    """What follows the two streams: a 1x1 convolution over both.

    With `published_gradient` the interpolation's backward pass is that of OpenSALICON's own layer (Thomas 2016,
    section 2): the gradient resized bilinearly to the coarse features.
    """

    def __init__(self, channels: int, outputs: int = 1, *, published_gradient: bool = False) -> None:
        super().__init__()
        self._enlarged = PublishedInterpolation.apply if published_gradient else enlarged
        self.readout = nn.Conv2d(2 * channels, outputs, 1)

    def joined(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Return the coarse stream's features enlarged, and the fine one's behind them: (N, 2 channels, h, w)."""
        return torch.cat([self._enlarged(coarse, fine.shape[-2:]), fine], dim=1)


def enlarged(values: Tensor, size: Sequence[int]) -> Tensor:
    """Return features, (N, C, h, w), brought to (H, W) bilinearly, corners on corners."""
    return F.interpolate(values, size=tuple(size), mode="bilinear", align_corners=True)


class PublishedInterpolation(torch.autograd.Function):
    """The forward pass of `enlarged` with a backward pass that is not its derivative but the gradient made smaller."""

    @staticmethod
    def forward(context: Any, values: Tensor, size: Sequence[int]) -> Tensor:
        """Return the values enlarged."""
        context.size = tuple(values.shape[-2:])
        return enlarged(values, size)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the gradient at the coarse size."""
        return enlarged(gradients[0], context.size), None


class Salicon(Readout):
    """The network."""

    means: Tensor

    def __init__(self) -> None:
        super().__init__(Vgg16.channels)
        self.register_buffer("means", torch.tensor(MEANS_BGR).reshape(1, 3, 1, 1), persistent=False)
        # Caffe's pools round up.
        self.fine = Vgg16([nn.MaxPool2d(2, ceil_mode=True) for _ in range(5)])
        self.coarse = Vgg16([nn.MaxPool2d(2, ceil_mode=True) for _ in range(5)])

    def features(self, fine: Tensor, coarse: Tensor | None = None) -> dict[str, Tensor]:
        """Return "fine" and "coarse", 512 channels each, and "joined", which the map is read off.

        Parameters
        ----------
        fine, coarse : (N, 3, H, W) and (N, 3, h, w) float32
            RGB, 0..255: the image at 1200 by 1600, and at half that size; by default each 2x2 pixels' mean.
        """
        halved = F.avg_pool2d(fine, 2) if coarse is None else coarse
        found = {"fine": self.fine(self._normed(fine)), "coarse": self.coarse(self._normed(halved))}
        return {**found, "joined": self.joined(found["fine"], found["coarse"])}

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Return maps, each cell in 0..1: (N, 1, ceil(H / 32), ceil(W / 32)); see `features`."""
        return torch.sigmoid(self.readout(self.features(fine, coarse)["joined"]))

    def _normed(self, images: Tensor) -> Tensor:
        return (images.flip(1) - self.means) / RANGE
