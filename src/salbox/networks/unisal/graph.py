"""UniSal for images: seen at one of several sizes by Pillow's Lanczos filter, the map a log density of their own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..export import resize_matrices
from .network import CELL, FEWEST, MOST, SIDES, UniSal, log_density


class UniSalGraph(nn.Module):
    """The network and what its program does around it.

    Parameters
    ----------
    network : UniSal
    domain : str
        As whose image one is seen.
    """

    def __init__(self, network: UniSal, domain: str) -> None:
        super().__init__()
        self.network = network
        self._domain = domain

    def forward(self, image: Tensor) -> Tensor:
        """Return log densities: (N, 1, H, W) for images (N, H, W, 3) uint8."""
        images = image.permute(0, 3, 1, 2).double()
        values = self.network(by_lanczos(images, image_size(*resize_matrices.lengths(images))), self._domain)
        enlarged = functional.interpolate(values, size=images.shape[-2:], mode="bilinear", align_corners=False)
        return log_density(enlarged)


def image_size(high: Tensor, wide: Tensor) -> tuple[Tensor, Tensor]:
    """Return what `salbox.networks.unisal.predictor.image_size` does, as lengths."""
    pairs = [(r, c) for r in SIDES for c in SIDES if FEWEST <= r * c <= MOST]
    rows, columns = (torch.tensor(side, dtype=torch.float64, device=high.device) for side in zip(*pairs, strict=True))
    mine, theirs = rows / columns, high / wide
    likeness = torch.minimum(mine, theirs) / torch.maximum(mine, theirs)
    index = torch.arange(len(pairs), dtype=torch.float64, device=high.device)
    # The first of those that are nearest.
    nearest = torch.where(likeness == likeness.amax(0, keepdim=True), index, torch.full_like(index, len(pairs)))
    chosen = (index == nearest.amin(0, keepdim=True)).double()
    return CELL * (chosen * rows).sum(0, keepdim=True), CELL * (chosen * columns).sum(0, keepdim=True)


def by_lanczos(images: Tensor, size: tuple[Tensor, Tensor]) -> Tensor:
    """Return images, (N, 3, H, W) float64 of whole numbers, resized as by Pillow: (N, 3, h, w) float32."""
    (high, wide), (height, width) = resize_matrices.lengths(images), size
    # Along the rows first, rounded in between.
    narrowed = _rounded(images @ resize_matrices.lanczos(wide, width).T)
    return _rounded(resize_matrices.lanczos(high, height) @ narrowed).float()


def _rounded(values: Tensor) -> Tensor:
    return torch.floor(values + 0.5).clamp(0, 255)
