"""DINet on an encoder of timm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor

from ..encoders import TENSORFLOW
from ..trainable.design import Design, at_stride_8
from .network import SIZE, WIDTH, Readout


class DINetDesign(Design):
    """The sum of three convolutions of different dilation, three more behind it, a map a head.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    width : int
        Channels of the convolutions.

    References
    ----------
    Yang, Lin, Jiang and Lin: A dilated inception network for visual saliency prediction. IEEE Transactions on
    Multimedia 22(8), 2020. There a dilated ResNet-50 gives features at stride 8.
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
        super().__init__("dinet", heads, encoder, size, width=width)
        self.decoder = Readout(sum(self.channels[2:]), len(self.heads), width)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder, and what the published readout returns, at stride 8."""
        found = self.taps(images)
        return found | self.decoder.read(at_stride_8(found))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H / 8, W / 8); see `TrainableNetwork.forward`."""
        return self.decoder_readout(self.decoder_features(images))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.decoder.conv2d_7(decoded)
        return read
