"""MSI-Net on an encoder of timm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor

from ..encoders import TENSORFLOW
from ..trainable.design import Design, at_stride_8
from .network import SIZES, WIDTH, Context, Decoder


class MSINetDesign(Design):
    """Context at several scales over features of three depths, three enlargings, a map a head.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    width : int
        Channels of the context; the decoder has a half, a quarter and an eighth of them.

    References
    ----------
    Kroner et al.: Contextual encoder-decoder network for visual saliency prediction. Neural Networks 129 (2020). There
    the third, fourth and fifth pool of a VGG-16 are side by side at stride 8.
    """

    small: ClassVar[Mapping[str, Any]] = MappingProxyType({"width": 16})
    covered = 8

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = TENSORFLOW,
        size: tuple[int, int] = SIZES["salicon"],
        width: int = WIDTH,
    ) -> None:
        super().__init__("msinet", heads, encoder, size, width=width)
        self.aspp = Context(sum(self.channels[2:]), width)
        self.decoder = Decoder(width, len(self.heads))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder, "context" at stride 8 and "decoder" at stride 1."""
        found = self.taps(images)
        found["context"] = self.aspp(at_stride_8(found))
        found["decoder"] = self.decoder.enlarged(found["context"])
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W), sides rounded to multiples of 8; see `TrainableNetwork.forward`."""
        return self.decoder_readout(self.decoder_features(images))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.decoder.conv4(decoded)
        return read
