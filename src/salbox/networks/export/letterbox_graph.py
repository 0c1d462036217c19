"""An image in a frame of fixed size, the frame's map brought back to the image: SAM, DINet and TranSalNet do so.

What `salbox.networks.ops.letterbox` does, as a graph; see there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import resize_matrices

STEPS = 2048  # between 0 and 1 of OpenCV's weights for 8 bits


class LetterboxGraph(nn.Module):
    """A network that looks at frames.

    Parameters
    ----------
    network : nn.Module
        Takes (N, 3, h, w) float32, gives maps (N, 1, .., ..).
    size : (int, int)
        Of the frame.
    fill : int
        Of what the image does not cover.
    swapped : bool
        Whether the network gets BGR.
    """

    def __init__(self, network: nn.Module, size: tuple[int, int], fill: int = 0, *, swapped: bool = False) -> None:
        super().__init__()
        self.network = network
        self._size, self._fill, self._swapped = size, fill, swapped

    def forward(self, image: Tensor) -> Tensor:
        """Return maps: (N, 1, H, W) for images (N, H, W, 3) uint8."""
        images = image.permute(0, 3, 1, 2).float()
        framed = fit(images, self._size, self._fill)
        maps = self._maps(framed.flip(1) if self._swapped else framed)
        return self._finished(maps, resize_matrices.lengths(images))

    def _maps(self, images: Tensor) -> Tensor:
        maps: Tensor = self.network(images)
        return maps

    def _finished(self, maps: Tensor, shape: tuple[Tensor, Tensor]) -> Tensor:
        return unfit(maps, shape)


def over_maximum(maps: Tensor) -> Tensor:
    """Return maps, none below 0, divided by their maxima; those of zeros stay."""
    highest = maps.amax((2, 3), keepdim=True)
    return maps / torch.where(highest == 0, torch.ones_like(highest), highest)


def fit(images: Tensor, size: tuple[int, int], fill: int) -> Tensor:
    """Return images, (N, C, H, W) of whole numbers, in the middle of a frame: (N, C, *size) of whole numbers."""
    high, wide = resize_matrices.lengths(images)
    height, width = (resize_matrices.number(side, high) for side in size)
    inner = (
        torch.minimum(height, torch.floor(high * width / wide).clamp(min=1)),
        torch.minimum(width, torch.floor(wide * height / high).clamp(min=1)),
    )
    lines, covered = [], []
    for source, part, frame in zip((high, wide), inner, (height, width), strict=True):
        index = resize_matrices.places(frame) - torch.floor((frame - part) / 2)
        covered.append(resize_matrices.inside(index, part))
        place = resize_matrices.centered(index, source, part).float()
        lines.append(fixed_point(torch.floor(place), place - torch.floor(place), source))
    (first, second, near, far), (left, right, left_share, right_share) = lines
    columns = left_share[:, None] * left + right_share[:, None] * right
    resized = in_whole_numbers(images @ columns.float().T, first, second, near, far)
    mask = covered[0][:, None] * covered[1]
    return (resized * mask + fill * (1 - mask)).float()


def fixed_point(low: Tensor, step: Tensor, source: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return how OpenCV interpolates 8 bits: weights that choose each first and second pixel, and their shares.

    Parameters
    ----------
    low : (target,)
        The first pixel of each pair; the edge goes on beyond it.
    step : (target,) float32
        How far each place is from it, 0 to 1.
    source : (1,) float64
    """
    near, far = (torch.round(part * STEPS).double() for part in (1 - step, step))
    pair = (torch.minimum(index.clamp(min=0), source - 1) for index in (low.double(), low.double() + 1))
    first, second = (resize_matrices.chosen(index, source) for index in pair)
    return first, second, near, far


def in_whole_numbers(narrowed: Tensor, first: Tensor, second: Tensor, near: Tensor, far: Tensor) -> Tensor:
    """Return images, (N, C, h, w) float64 of whole numbers, of which OpenCV has interpolated the columns.

    Parameters
    ----------
    narrowed : (N, C, H, w)
        `STEPS` times what is between the columns.
    first, second, near, far : Tensor
        What `fixed_point` gives for the rows.
    """
    # Shifted down by 4 bits here, by 16 and 2 there.
    shifted = torch.floor(narrowed / 2**4)
    upper, lower = ((rows.float() @ shifted).double() for rows in (first, second))
    parts = torch.floor(near[:, None] * upper / 2**16) + torch.floor(far[:, None] * lower / 2**16)
    return torch.floor((parts + 2) / 4)


def unfit(maps: Tensor, shape: tuple[Tensor, Tensor], kernel: Tensor | None = None) -> Tensor:
    """Return maps of frames enlarged or shrunk until they cover a shape, their middles cut out: (N, 1, H, W).

    With a kernel they are filtered by it along both sides, mirrored at the edges.
    """
    height, width = resize_matrices.lengths(maps)
    high, wide = shape
    covering = (
        torch.maximum(high, torch.floor(height * wide / width)),
        torch.maximum(wide, torch.floor(width * high / height)),
    )
    sides = []
    for source, target, count in zip((height, width), covering, (high, wide), strict=True):
        index = resize_matrices.places(count) if kernel is None else resize_matrices.mirrored(count, len(kernel) // 2)
        start = torch.floor((target - count) / 2)
        side = resize_matrices.linear(resize_matrices.centered(index + start, source, target), source)
        # Enlarging and filtering are both sums with weights, along one side after the other.
        sides.append(side if kernel is None else resize_matrices.filtered(side, kernel))
    return resize_matrices.resized(maps, *sides)
