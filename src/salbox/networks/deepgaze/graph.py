"""DeepGaze networks with a centre bias of the image's size."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import UsageError
from ..export import resize_matrices
from .center_bias import OSIE, Source


class DensityGraph(nn.Module):
    """The network and its centre bias.

    Parameters
    ----------
    network : nn.Module
        Takes images and centre biases, gives log densities.
    center_bias : {"osie", "uniform"}

    Raises
    ------
    UsageError
        For another centre bias.
    """

    template: Tensor

    def __init__(self, network: nn.Module, center_bias: Source) -> None:
        super().__init__()
        if not isinstance(center_bias, str) or center_bias not in ("osie", "uniform"):
            raise UsageError("center_bias: an exported network has osie's or a uniform one")
        self.network = network
        values = np.load(OSIE, allow_pickle=False) if center_bias == "osie" else np.zeros((2, 2))
        self.register_buffer("template", torch.from_numpy(values.astype(np.float64)), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return log densities: (N, 1, H, W) for images (N, H, W, 3) uint8."""
        images = image.permute(0, 3, 1, 2).float()
        bias = self._center_bias(resize_matrices.lengths(images)).expand(images.shape[0], -1, -1, -1)
        density: Tensor = self.network(images, bias)
        return density

    def _center_bias(self, shape: tuple[Tensor, Tensor]) -> Tensor:
        """Return what `salbox.networks.deepgaze.center_bias.center_bias` does: (1, 1, H, W) float32."""
        sides = []
        for source, target in zip(resize_matrices.lengths(self.template), shape, strict=True):
            sides.append(
                resize_matrices.linear(resize_matrices.centered(resize_matrices.places(target), source, target), source)
            )
        values = sides[0] @ self.template @ sides[1].T
        raised = values - values.amax((0, 1), keepdim=True)
        return (raised - raised.exp().sum((0, 1), keepdim=True).log()).float()[None, None]
