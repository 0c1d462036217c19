"""MSI-Net: an image in a grey frame of fixed size, the frame's map brought back to the image.

What `framed` and `unframed` of `salbox.networks.msinet` do, as a graph; see there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..msinet import FILL, MSINet
from . import weights


class WholeMSINet(nn.Module):
    """The network and what its program does around it.

    Parameters
    ----------
    network : MSINet
    size : (int, int)
        Of the frame.
    """

    def __init__(self, network: MSINet, size: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        self._size = size

    def forward(self, image: Tensor) -> Tensor:
        """Return maps in 0..1: (N, 1, H, W) for images (N, H, W, 3) uint8."""
        images = image.permute(0, 3, 1, 2).float()
        maps = self.network.scaled(self.network(framed(images, self._size)))
        return unframed(maps, weights.lengths(images))


def framed(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return images, (N, 3, H, W), in the middle of a frame: (N, 3, *size)."""
    shape = weights.lengths(images)
    whole = [weights.number(side, shape[0]) for side in size]
    ratio = torch.minimum(whole[0] / shape[0], whole[1] / shape[1])
    inner = [_side(side, ratio) for side in shape]
    sides, covered = [], []
    for source, target, length in zip(shape, inner, whole, strict=True):
        index = weights.places(length) - torch.floor((length - target) / 2)
        covered.append(weights.inside(index, target))
        side = weights.tensorflow(index, source, target, _shrinks(shape, inner))
        sides.append(side * covered[-1][:, None])
    around = 1 - covered[0][:, None] * covered[1]
    return weights.resized(images, *sides).clamp(0, 255) + FILL * around.float()


def unframed(maps: Tensor, shape: tuple[Tensor, Tensor]) -> Tensor:
    """Return the maps of frames enlarged or shrunk until they cover images, their middles cut out: (N, 1, H, W)."""
    size = weights.lengths(maps)
    ratio = torch.maximum(shape[0] / size[0], shape[1] / size[1])
    covering = [_side(side, ratio) for side in size]
    sides = []
    for source, target, count in zip(size, covering, shape, strict=True):
        index = weights.places(count) + torch.floor((target - count) / 2)
        sides.append(weights.tensorflow(index, source, target, _shrinks(size, covering)))
    return weights.resized(maps, *sides).clamp(0, 1)


def _side(side: Tensor, ratio: Tensor) -> Tensor:
    return torch.round(side * ratio).clamp(min=1)


def _shrinks(source: tuple[Tensor, Tensor], target: list[Tensor]) -> Tensor:
    """Return 1 if any side becomes shorter, else 0."""
    return torch.maximum(source[0] - target[0], source[1] - target[1]).clamp(0, 1)
