"""SCFNet with what its program does around it: a square of fixed size, and back to the image's shape."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from .network import SCFNet, enlarged


class SCFNetGraph(nn.Module):
    """The network and what its program does around it.

    Parameters
    ----------
    network : SCFNet
    size : (int, int)
        At which it looks at images.
    """

    def __init__(self, network: SCFNet, size: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        self._size = size

    def forward(self, image: Tensor) -> Tensor:
        """Return maps in 0..1: (N, 1, H, W) for images (N, H, W, 3) uint8."""
        images = image.permute(0, 3, 1, 2).float()
        # As OpenCV's INTER_LINEAR, which takes no mean where it shrinks.
        resized = functional.interpolate(images, size=self._size, mode="bilinear", align_corners=False)
        return enlarged(self.network.maps(resized), images.shape[-2:])
