"""What the published designs on other encoders have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ...runtime.preprocessing import Preprocessing
from ..encoders import STRIDES, make_encoder
from ..layers import Normalize, resize_like
from .base import TrainableNetwork


class Design(TrainableNetwork):
    """A published design on an encoder of timm.

    Parameters
    ----------
    name : str
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    deepest : {16, 32}
        The encoder's coarsest stride; what comes after is left out. Only some designs know what to do without.
    **arguments
        What else the class was called with; whole numbers are to be at least 1.

    Attributes
    ----------
    channels : tuple of int
        Of the encoder's features, at strides 2, 4, 8, 16 and 32.
    """

    def __init__(
        self,
        name: str,
        heads: Sequence[str],
        encoder: str,
        size: tuple[int, int],
        *,
        deepest: int = STRIDES[-1],
        **arguments: Any,
    ) -> None:
        super().__init__(name, heads, Preprocessing("area", *size, self.smallest))
        for key, value in arguments.items():
            if type(value) is int and value < 1:
                raise UsageError(f"network '{name}': {key}={value!r}: expected a whole number, at least 1")
        self.arguments = {"encoder": encoder, "size": list(size), **arguments}
        made = make_encoder(encoder, deepest)
        self.encoder = made.network
        self.channels = made.channels
        self.normalize = Normalize(made.mean, made.std)

    def taps(self, images: Tensor, encoder: nn.Module | None = None) -> dict[str, Tensor]:
        """Return the encoder's features of images as `forward` takes them: "stride2" .. "stride32", or where it ends.

        Another encoder of the same kind can be named.
        """
        features = (encoder or self.encoder)(self.normalize(images))
        return {f"stride{stride}": tap for stride, tap in zip(STRIDES[: len(self.channels)], features, strict=True)}


def at_stride_8(taps: dict[str, Tensor]) -> Tensor:
    """Return the features of strides 8, 16 and 32 side by side, the coarse ones enlarged: (N, C, H / 8, W / 8)."""
    finest = taps["stride8"]
    return torch.cat([finest, *(resize_like(taps[name], finest) for name in ("stride16", "stride32"))], dim=1)
