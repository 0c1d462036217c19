"""SAM, DINet and TranSalNet: an image in a frame of fixed size, the frame's map brought back to the image.

What `salbox.networks.official.framing` does, as a graph; see there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import weights

STEPS = 2048  # between 0 and 1 of OpenCV's weights for 8 bits


class Framed(nn.Module):
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
        seen = fit(images, self._size, self._fill)
        maps = self._maps(seen.flip(1) if self._swapped else seen)
        return self._finished(maps, weights.lengths(images))

    def _maps(self, images: Tensor) -> Tensor:
        maps: Tensor = self.network(images)
        return maps

    def _finished(self, maps: Tensor, shape: tuple[Tensor, Tensor]) -> Tensor:
        return unfit(maps, shape)


class FramedTranSalNet(Framed):
    """TranSalNet: the maps are the sigmoid of what the network gives."""

    def _maps(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.network(images))


class FramedDINet(Framed):
    """DINet: the map is scaled to 0..1 at the image's size."""

    def _finished(self, maps: Tensor, shape: tuple[Tensor, Tensor]) -> Tensor:
        whole = unfit(maps, shape)
        return over_maximum(whole - whole.amin((2, 3), keepdim=True))


class FramedSam(Framed):
    """SAM: the map is smoothed at the image's size, its maximum is 1.

    Parameters
    ----------
    network, size
        As for `Framed`.
    sigma : float
        Of the Gaussian, in pixels.
    reach : int
        Pixels at which it is cut off.
    """

    kernel: Tensor

    def __init__(self, network: nn.Module, size: tuple[int, int], sigma: float, reach: int) -> None:
        super().__init__(network, size)
        self.register_buffer("kernel", weights.gaussian(sigma, reach), persistent=False)

    def _finished(self, maps: Tensor, shape: tuple[Tensor, Tensor]) -> Tensor:
        return over_maximum(unfit(over_maximum(maps), shape, self.kernel))


def over_maximum(maps: Tensor) -> Tensor:
    """Return maps, none below 0, divided by their maxima; those of zeros stay."""
    highest = maps.amax((2, 3), keepdim=True)
    return maps / torch.where(highest == 0, torch.ones_like(highest), highest)


def fit(images: Tensor, size: tuple[int, int], fill: int) -> Tensor:
    """Return images, (N, C, H, W) of whole numbers, in the middle of a frame: (N, C, *size) of whole numbers."""
    high, wide = weights.lengths(images)
    height, width = (weights.number(side, high) for side in size)
    inner = (
        torch.minimum(height, torch.floor(high * width / wide).clamp(min=1)),
        torch.minimum(width, torch.floor(wide * height / high).clamp(min=1)),
    )
    lines, covered = [], []
    for source, part, whole in zip((high, wide), inner, (height, width), strict=True):
        index = weights.places(whole) - torch.floor((whole - part) / 2)
        covered.append(weights.inside(index, part))
        lines.append(_fixed_point(weights.centred(index, source, part), source))
    (first, second, near, far), (left, right, left_share, right_share) = lines
    columns = left_share[:, None] * left + right_share[:, None] * right
    # Whole numbers as OpenCV has them: shifted down by 4 bits here, by 16 and 2 there.
    narrowed = torch.floor(images @ columns.float().T / 2**4)
    upper, lower = ((rows.float() @ narrowed).double() for rows in (first, second))
    parts = torch.floor(near[:, None] * upper / 2**16) + torch.floor(far[:, None] * lower / 2**16)
    seen = torch.floor((parts + 2) / 4)
    shown = covered[0][:, None] * covered[1]
    return (seen * shown + fill * (1 - shown)).float()


def _fixed_point(where: Tensor, source: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return how OpenCV interpolates 8 bits: weights that choose each first and second pixel, and their shares."""
    place = where.float()
    low = torch.floor(place)
    near, far = (torch.round(part * STEPS).double() for part in (1 - (place - low), place - low))
    pair = (torch.minimum(index.clamp(min=0), source - 1) for index in (low.double(), low.double() + 1))
    first, second = (weights.chosen(index, source) for index in pair)
    return first, second, near, far


def unfit(maps: Tensor, shape: tuple[Tensor, Tensor], kernel: Tensor | None = None) -> Tensor:
    """Return maps of frames enlarged or shrunk until they cover a shape, their middles cut out: (N, 1, H, W).

    With a kernel they are filtered by it along both sides, mirrored at the edges.
    """
    height, width = weights.lengths(maps)
    high, wide = shape
    covering = (
        torch.maximum(high, torch.floor(height * wide / width)),
        torch.maximum(wide, torch.floor(width * high / height)),
    )
    sides = []
    for source, target, count in zip((height, width), covering, (high, wide), strict=True):
        index = weights.places(count) if kernel is None else weights.mirrored(count, len(kernel) // 2)
        start = torch.floor((target - count) / 2)
        side = weights.linear(weights.centred(index + start, source, target), source)
        # Enlarging and filtering are both sums with weights, along one side after the other.
        sides.append(side if kernel is None else weights.filtered(side, kernel))
    return weights.resized(maps, *sides)
