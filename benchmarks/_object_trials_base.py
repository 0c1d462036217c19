"""The decoder that SCFNet's is compared with: features of four depths side by side, and one convolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from salbox.networks.encoders import MOBILENETV3, STRIDES
from salbox.networks.layers import resize_like
from salbox.networks.trainable.design import Design

SCALE = 4  # from the finest features to the image


class Base(Design):
    """BASE of table 3: the encoder's features concatenated and compressed into a map by a 3x3 convolution.

    That they are enlarged to stride 4 for it is salbox's reading.

    References
    ----------
    Zhang, Liang and Shi: KD-SCFNet: Towards more accurate and efficient salient object detection via knowledge
    distillation. 2022, section 4.4.
    """

    small: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    covered = SCALE

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = MOBILENETV3,
        size: tuple[int, int] = (352, 352),
        deepest: int = STRIDES[-1],
    ) -> None:
        super().__init__("base", heads, encoder, size, deepest=deepest)
        self.arguments["deepest"] = deepest
        self.output = "probability"
        self.readout = nn.Conv2d(sum(self.channels[1:]), len(self.heads), 3, padding=1)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. of the encoder and "joined", those from stride 4 on side by side there."""
        found = self.taps(images)
        finest = found["stride4"]
        coarser = (resize_like(tap, finest) for name, tap in found.items() if name not in ("stride2", "stride4"))
        return found | {"joined": torch.cat([finest, *coarser], dim=1)}

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W), sides rounded to multiples of 4."""
        read = self.readout(self.decoder_features(images))
        return functional.interpolate(read, scale_factor=SCALE, mode="bilinear", align_corners=False)
