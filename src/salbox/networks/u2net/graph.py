"""U²-Net with what its program does around it: a square of fixed size, and back to the image's shape."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ..export.letterbox_graph import over_maximum
from .network import U2Net, brightened


class U2NetGraph(nn.Module):
    """The network and what its program does around it.

    Parameters
    ----------
    network : U2Net
    size : (int, int)
        At which it looks at images.
    scaling : {"none", "min-max"}
        What is done to its maps.
    """

    def __init__(self, network: U2Net, size: tuple[int, int], scaling: str = "none") -> None:
        super().__init__()
        self.network = network
        self._size, self._scaling = size, scaling

    def forward(self, image: Tensor) -> Tensor:
        """Return maps in 0..1: (N, 1, H, W) for images (N, H, W, 3) uint8."""
        images = image.permute(0, 3, 1, 2).float()
        # As OpenCV's INTER_LINEAR, which takes no mean where it shrinks.
        resized = functional.interpolate(images, size=self._size, mode="bilinear", align_corners=False)
        maps = self.network.maps(brightened(resized))
        maps = functional.interpolate(maps, size=images.shape[-2:], mode="bilinear", align_corners=False)
        return over_maximum(maps - maps.amin((2, 3), keepdim=True)) if self._scaling == "min-max" else maps
