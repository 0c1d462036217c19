"""SAMNet with what its program does around it: a square of fixed size, and back to the image's shape."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from .blocks import enlarged
from .network import SAMNet


class SAMNetGraph(nn.Module):
    """The network and what its program does around it.

    Parameters
    ----------
    network : SAMNet
    size : (int, int)
        At which it looks at images.
    """

    def __init__(self, network: SAMNet, size: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        self._size = size

    def forward(self, image: Tensor) -> Tensor:
        """Return maps in 0..1: (N, 1, H, W) for images (N, H, W, 3) uint8."""
        images = image.permute(0, 3, 1, 2).float()
        # As OpenCV's INTER_LINEAR, which takes no mean where it shrinks.
        resized = functional.interpolate(images, size=self._size, mode="bilinear", align_corners=False)
        read = self.network.decoder_readout(self.network.decoder_features(resized))
        maps = enlarged(read.sigmoid(), resized)
        return functional.interpolate(maps, size=images.shape[-2:], mode="bilinear", align_corners=False)
