"""SAM with all that its program does, as one graph to be exported."""

from __future__ import annotations

from torch import Tensor, nn

from ..export import resize_matrices
from ..export.letterbox_graph import LetterboxGraph, over_maximum, unfit


class SamGraph(LetterboxGraph):
    """SAM: the map is smoothed at the image's size, its maximum is 1.

    Parameters
    ----------
    network, size
        As for `LetterboxGraph`.
    sigma : float
        Of the Gaussian, in pixels.
    reach : int
        Pixels at which it is cut off.
    """

    kernel: Tensor

    def __init__(self, network: nn.Module, size: tuple[int, int], sigma: float, reach: int) -> None:
        super().__init__(network, size)
        self.register_buffer("kernel", resize_matrices.gaussian(sigma, reach), persistent=False)

    def _finished(self, maps: Tensor, shape: tuple[Tensor, Tensor]) -> Tensor:
        return over_maximum(unfit(over_maximum(maps), shape, self.kernel))
