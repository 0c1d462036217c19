"""MSI-Net: an image in a grey frame of fixed size, the frame's map brought back to the image.

What `framed` and `unframed` of `salbox.networks.msinet.predictor` do, as a graph; see there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..export import resize_matrices
from .network import FILL, MSINet


class MSINetGraph(nn.Module):
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
        return unframed(maps, resize_matrices.lengths(images))


def framed(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return images, (N, 3, H, W), in the middle of a frame: (N, 3, *size)."""
    shape = resize_matrices.lengths(images)
    frame = [resize_matrices.number(side, shape[0]) for side in size]
    ratio = torch.minimum(frame[0] / shape[0], frame[1] / shape[1])
    inner = [_side(side, ratio) for side in shape]
    sides, covered = [], []
    for source, target, length in zip(shape, inner, frame, strict=True):
        index = resize_matrices.places(length) - torch.floor((length - target) / 2)
        covered.append(resize_matrices.inside(index, target))
        side = resize_matrices.tensorflow(index, source, target, _shrinks(shape, inner))
        sides.append(side * covered[-1][:, None])
    around = 1 - covered[0][:, None] * covered[1]
    return resize_matrices.resized(images, *sides).clamp(0, 255) + FILL * around.float()


def unframed(maps: Tensor, shape: tuple[Tensor, Tensor]) -> Tensor:
    """Return the maps of frames enlarged or shrunk until they cover images, their middles cut out: (N, 1, H, W)."""
    size = resize_matrices.lengths(maps)
    ratio = torch.maximum(shape[0] / size[0], shape[1] / size[1])
    covering = [_side(side, ratio) for side in size]
    sides = []
    for source, target, count in zip(size, covering, shape, strict=True):
        index = resize_matrices.places(count) + torch.floor((target - count) / 2)
        sides.append(resize_matrices.tensorflow(index, source, target, _shrinks(size, covering)))
    return resize_matrices.resized(maps, *sides).clamp(0, 1)


def _side(side: Tensor, ratio: Tensor) -> Tensor:
    return torch.round(side * ratio).clamp(min=1)


def _shrinks(source: tuple[Tensor, Tensor], target: list[Tensor]) -> Tensor:
    """Return 1 if any side becomes shorter, else 0."""
    return torch.maximum(source[0] - target[0], source[1] - target[1]).clamp(0, 1)
