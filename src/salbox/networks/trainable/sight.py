"""Heads of a box that see more of the picture than its decoder shows them: what their teachers compute of all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from ..layers import resize_like
from .conspicuity import Conspicuity
from .numbers import CHANNELS
from .spectrum import Spectrum

# From images, (N, 3, H, W) in 0..255, to CHANNELS features; made with how many pixels are taken as one.
SIGHTS: Mapping[str, Callable[[int], nn.Module]] = {"spectrum": Spectrum, "conspicuity": Conspicuity}


class SeeingHead(nn.Sequential):
    """A head whose layers look at features of its own behind the decoder's.

    Parameters
    ----------
    layers : nn.Sequential
        Three modules, for CHANNELS more inputs than the decoder gives.
    sight : str
        Of `SIGHTS`.
    pool : int
        Pixels of the images, along a side, that it sees as one.
    """

    def __init__(self, layers: nn.Sequential, sight: str, pool: int) -> None:
        super().__init__(*layers)
        self.sight = SIGHTS[sight](pool)
        # What is seen is a map already, if not quite the teacher's: it need not be found by the layers first.
        self.direct = nn.Conv2d(CHANNELS, 1, 1, bias=False)
        nn.init.zeros_(self.direct.weight)

    def seen(self, images: Tensor, decoded: Tensor) -> Tensor:
        """Return what the layers look at: the decoder's features, (N, C, h, w), and its own behind them."""
        return torch.cat([decoded, resize_like(self.sight(images), decoded)], dim=1)

    def forward(self, seen: Tensor) -> Tensor:
        """Return the logits, (N, 1, h, w), of what `seen` gives."""
        logits: Tensor = self[2](self[1](self[0](seen))) + self.direct(seen[:, -CHANNELS:])
        return logits
