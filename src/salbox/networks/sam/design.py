"""SAM on an encoder of timm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional

from ..encoders import TENSORFLOW
from ..trainable.design import Design, at_stride_8
from .network import SIZE, WIDTH, Readout


class SamDesign(Design):
    """An attentive LSTM over the features, learned Gaussians twice, a map a head.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    width : int
        Channels of the LSTM and of the layers behind it.

    References
    ----------
    Cornia, Baraldi, Serra and Cucchiara: Predicting human eye fixations via an LSTM-based saliency attentive model.
    IEEE Transactions on Image Processing 27(10), 2018. There a dilated ResNet-50 gives features at stride 8, and the
    map goes through a ReLU.
    """

    small: ClassVar[Mapping[str, Any]] = MappingProxyType({"width": 16})
    stride = covered = 8

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = TENSORFLOW,
        size: tuple[int, int] = SIZE,
        width: int = WIDTH,
    ) -> None:
        super().__init__("sam", heads, encoder, size, width=width)
        self.reduce = nn.Conv2d(sum(self.channels[2:]), width, 3, padding=1)
        self.decoder = Readout(width, len(self.heads))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder, "reduced", "lstm", "mix_1" and "mix_2" at stride 8."""
        found = self.taps(images)
        found["reduced"] = functional.relu(self.reduce(at_stride_8(found)))
        return found | self.decoder.read(found["reduced"])

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H / 8, W / 8); see `TrainableNetwork.forward`."""
        return self.decoder_readout(self.decoder_features(images))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.decoder.output(decoded)
        return read
