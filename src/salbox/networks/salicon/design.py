"""SALICON on an encoder of timm."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional

from ..encoders import TENSORFLOW
from ..trainable.design import Design
from .network import Readout

SIZE = (384, 512)


class SaliconDesign(Design):
    """One encoder looks at the photo, and at a copy of half its size; a 1x1 convolution over both gives a map a head.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    shared : bool
        Whether both streams have their encoder's weights in common; else the coarse one starts from a copy of its own.
    published_gradient : bool
        Whether the coarse features' gradient is what OpenSALICON's interpolation layer gives back, the gradient resized
        bilinearly, instead of the true one. What the network computes is the same.

    References
    ----------
    Huang, Shen, Boix and Zhao: SALICON: reducing the semantic gap in saliency prediction by adapting deep neural
    networks. ICCV 2015. In OpenSALICON (Thomas 2016) the streams are two VGG-16 with weights of their own, at 1200 by
    1600 and 600 by 800 pixels.
    """

    smallest: ClassVar[int] = 64  # the coarse stream halves a side before the encoder does so five times
    small: ClassVar[Mapping[str, Any]] = MappingProxyType({"size": (64, 128)})
    stride = covered = 32

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = TENSORFLOW,
        size: tuple[int, int] = SIZE,
        shared: bool = True,
        published_gradient: bool = False,
    ) -> None:
        named = {"shared": shared, "published_gradient": published_gradient}
        usual = {"shared": True, "published_gradient": False}
        super().__init__("salicon", heads, encoder, size, **{k: v for k, v in named.items() if v != usual[k]})
        self.decoder = Readout(self.channels[-1], len(self.heads), published_gradient=published_gradient)
        self.coarse_encoder = None if shared else copy.deepcopy(self.encoder)

    def first_weights_loaded(self) -> None:
        """Copy the encoder's first weights to the coarse stream, where it has weights of its own."""
        if self.coarse_encoder is not None:
            self.coarse_encoder.load_state_dict(self.encoder.state_dict())

    def encoder_modules(self) -> tuple[nn.Module, ...]:
        """Return the encoders of both streams."""
        return (self.encoder,) if self.coarse_encoder is None else (self.encoder, self.coarse_encoder)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder, "coarse" of the halved images at stride 64, and "joined".

        Parameters
        ----------
        images : (N, 3, H, W) float
            RGB, 0..255, H and W at least 64.
        """
        found = self.taps(images)
        encoder = self.encoder if self.coarse_encoder is None else self.coarse_encoder
        found["coarse"] = self.taps(functional.avg_pool2d(images, 2), encoder)["stride32"]
        found["joined"] = self.decoder.joined(found["stride32"], found["coarse"])
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H / 32, W / 32), H and W at least 64; see `TrainableNetwork.forward`."""
        return self.decoder_readout(self.decoder_features(images))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.decoder.readout(decoded)
        return read
