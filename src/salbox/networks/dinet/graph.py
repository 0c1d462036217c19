"""DINet with all that its program does, as one graph to be exported."""

from __future__ import annotations

from torch import Tensor

from ..export.letterbox_graph import LetterboxGraph, over_maximum, unfit


class DINetGraph(LetterboxGraph):
    """DINet: the map is scaled to 0..1 at the image's size."""

    def _finished(self, maps: Tensor, shape: tuple[Tensor, Tensor]) -> Tensor:
        maps = unfit(maps, shape)
        return over_maximum(maps - maps.amin((2, 3), keepdim=True))
