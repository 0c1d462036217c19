"""Heads of a box that see more of the picture than its decoder shows them: what their teachers compute of all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .conspicuity import Conspicuity
from .numbers import CHANNELS
from .spectrum import Spectrum
from .whole_picture import WholePicture

POOL = 2  # see `Head.pool`: of heads that see more

# From images, (N, 3, H, W) in 0..255, to CHANNELS features; made with how many pixels are taken as one.
SIGHTS: Mapping[str, Callable[[int], WholePicture]] = {"spectrum": Spectrum, "conspicuity": Conspicuity}


class Head(nn.Sequential):
    """What one teacher has to itself: three modules from features to logits."""

    @property
    def pool(self) -> int:
        """Pixels, along a side, of the picture that the encoder sees, which the head sees as one."""
        return 1

    def seen(self, pictures: Tensor, decoded: Tensor, *, pooled: bool = False) -> Tensor:
        """Return what the layers look at.

        Parameters
        ----------
        pictures : (N, 3, H, W)
            As the encoder sees them, in 0..255.
        decoded : (N, C, h, w)
            The decoder's features.
        pooled : bool
            Whether `pool` pixels of the pictures are one already.
        """
        return decoded


class SeeingHead(Head):
    """A head whose layers look at features of its own behind the decoder's.

    Parameters
    ----------
    layers : nn.Sequential
        Three modules, for CHANNELS more inputs than the decoder gives.
    sight : str
        Of `SIGHTS`.
    """

    def __init__(self, layers: nn.Sequential, sight: str) -> None:
        super().__init__(*layers)
        self.sight = SIGHTS[sight](POOL)
        # What is seen is a map already, if not quite the teacher's: it need not be found by the layers first.
        self.direct = nn.Conv2d(CHANNELS, 1, 1, bias=False)
        nn.init.zeros_(self.direct.weight)

    @property
    def pool(self) -> int:
        """See `Head.pool`."""
        return self.sight.pool

    def look(self, pictures: Tensor, size: Sequence[int], *, pooled: bool = False) -> Tensor:
        """Return features of its own of pictures, brought to a size: (N, CHANNELS, *size)."""
        own = self.sight(pictures, pooled=pooled)
        return functional.interpolate(own, size=list(size), mode="bilinear", align_corners=False)

    def seen(self, pictures: Tensor, decoded: Tensor, *, pooled: bool = False) -> Tensor:
        """Return the decoder's features and its own behind them; see `Head.seen`."""
        return torch.cat([decoded, self.look(pictures, decoded.shape[-2:], pooled=pooled)], dim=1)

    def forward(self, seen: Tensor) -> Tensor:
        """Return the logits, (N, 1, h, w), of what `seen` gives."""
        logits: Tensor = self[2](self[1](self[0](seen))) + self.direct(seen[:, -CHANNELS:])
        return logits
