"""TranSalNet on an encoder of timm."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..encoders import TENSORFLOW
from ..trainable.design import Design
from .network import HEIGHT, WIDTH, Decoder


class TranSalNetDesign(Design):
    """Transformers over the features of three strides, multiplied together on the way back, a map a head.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels, multiples of 32: about so many pixels a photo has when the network looks at it, in
        its own shape. The transformers' positions are learned for this shape, and interpolated for others.

    References
    ----------
    Lou, Lin, Marshall, Saupe and Liu: TranSalNet: Towards perceptually relevant visual saliency prediction.
    Neurocomputing 494 (2022).
    """

    covered = 8

    def __init__(
        self, heads: Sequence[str], *, encoder: str = TENSORFLOW, size: tuple[int, int] = (HEIGHT, WIDTH)
    ) -> None:
        super().__init__("transalnet", heads, encoder, size)
        _, _, eighth, sixteenth, thirtysecond = self.channels
        self.decoder = Decoder((eighth, sixteenth, thirtysecond), size, len(self.heads))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder, the products "fused16" and "fused8", and "decoder1"."""
        found = self.taps(images)
        return found | self.decoder.features(found["stride8"], found["stride16"], found["stride32"])

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W), sides rounded to multiples of 8; see `TrainableNetwork.forward`."""
        return self.decoder_readout(self.decoder_features(images))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.decoder.conv7(decoded)
        return read
