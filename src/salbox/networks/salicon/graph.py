"""OpenSALICON: an image at two sizes, the map scaled and enlarged; all three by cubic splines."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ..export import resize_matrices
from ..export.letterbox_graph import over_maximum
from .network import Salicon


class SaliconGraph(nn.Module):
    """The network and what its program does around it.

    Parameters
    ----------
    network : Salicon
    fine, coarse : (int, int)
        Height and width at which the streams look at images.
    """

    def __init__(self, network: Salicon, fine: tuple[int, int], coarse: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        self._sizes = fine, coarse

    def forward(self, image: Tensor) -> Tensor:
        """Return maps, about 0..1: (N, 1, H, W) for images (N, H, W, 3) uint8."""
        images = image.permute(0, 3, 1, 2).float()
        shape = resize_matrices.lengths(images)
        inputs = (by_splines(images, [resize_matrices.number(s, shape[0]) for s in size]) for size in self._sizes)
        maps = self.network(*inputs)
        return by_splines(over_maximum(maps - maps.amin((2, 3), keepdim=True)), shape)


def by_splines(values: Tensor, size: tuple[Tensor, Tensor] | list[Tensor]) -> Tensor:
    """Return values, (N, C, H, W), brought to a size by cubic splines, the corners on each other."""
    sides = [
        resize_matrices.spline(source, target)
        for source, target in zip(resize_matrices.lengths(values), size, strict=True)
    ]
    return resize_matrices.resized(functional.pad(values, [resize_matrices.MARGIN] * 4, mode="replicate"), *sides)
