"""TranSalNet with all that its program does, as one graph to be exported."""

from __future__ import annotations

import torch
from torch import Tensor

from ..export.letterbox_graph import LetterboxGraph


class TranSalNetGraph(LetterboxGraph):
    """TranSalNet: the maps are the sigmoid of what the network gives."""

    def _maps(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.network(images))
