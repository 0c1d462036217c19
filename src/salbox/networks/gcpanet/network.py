"""GCPANet: features of four depths woven together on the way back, each step told of the whole (Chen et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor, nn

from ..layers import resize_like
from ..trainable.base import Outputs
from ..trainable.design import Design
from .blocks import GlobalContext, HeadAttention, InterweavedAggregation, SelfRefinement

SIZE = (320, 320)  # at which the network looks at images
WIDTH = 256  # channels of the decoder
SIDES = ("stride 8", "stride 16", "stride 32")


class GCPANet(Design):
    """The network, on an encoder of choice; its decoder's layers have the names of the authors' weights.

    Its maps are probabilities unless `output` says otherwise.

    Parameters
    ----------
    heads : names
        The published network has one.
    encoder : str
        See `salbox.networks.encoders.make_encoder`; by default the published network's, a ResNet-50.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    width : int
        Channels of the decoder.

    References
    ----------
    Chen, Xu, Cong and Huang: Global context-aware progressive aggregation network for salient object detection. AAAI
    2020. There every image is squeezed to 320x320. Channels are those of the authors' program.
    """

    small: ClassVar[Mapping[str, Any]] = MappingProxyType({"encoder": "resnet18", "width": 8})
    side_outputs = SIDES
    side_layers = ("linear3.", "linear4.", "linear5.")

    def __init__(
        self, heads: Sequence[str], *, encoder: str = "resnet50", size: tuple[int, int] = SIZE, width: int = WIDTH
    ) -> None:
        super().__init__("gcpanet", heads, encoder, size, width=width)
        self.output = "probability"
        _, fourth, eighth, sixteenth, deepest = self.channels
        self.ca45, self.ca35, self.ca25 = (GlobalContext(deepest, deepest, width) for _ in range(3))
        self.ca55 = GlobalContext(width, deepest, width)
        self.sa55 = HeadAttention(deepest, width)
        self.fam45 = InterweavedAggregation(sixteenth, width)
        self.fam34 = InterweavedAggregation(eighth, width)
        self.fam23 = InterweavedAggregation(fourth, width)
        self.srm5, self.srm4, self.srm3, self.srm2 = (SelfRefinement(width) for _ in range(4))
        readouts = (nn.Conv2d(width, len(self.heads), 3, padding=1) for _ in range(4))
        self.linear5, self.linear4, self.linear3, self.linear2 = readouts

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder and "refined32" .. "refined4", which maps are read off."""
        found = self.taps(images)
        deepest = found["stride32"]
        refined = self.srm5(self.ca55(self.sa55(deepest), deepest))
        found["refined32"] = refined
        steps = (
            (16, self.ca45, self.fam45, self.srm4),
            (8, self.ca35, self.fam34, self.srm3),
            (4, self.ca25, self.fam23, self.srm2),
        )
        for stride, context, weave, refine in steps:
            refined = refine(weave(found[f"stride{stride}"], refined, context(deepest, deepest)))
            found[f"refined{stride}"] = refined
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W); see `TrainableNetwork.forward`."""
        return resize_like(self.decoder_readout(self.decoder_features(images)), images)

    def outputs(self, images: Tensor) -> Outputs:
        """Return the logits of the maps and of the three side outputs, from fine to coarse: (N, heads, H, W) each."""
        found = self.features(images)
        readouts = ((4, self.linear2), (8, self.linear3), (16, self.linear4), (32, self.linear5))
        main, *sides = (resize_like(readout(found[f"refined{stride}"]), images) for stride, readout in readouts)
        return Outputs(main, tuple(sides))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.linear2(decoded)
        return read

    def after_readout(self, read: Tensor) -> Tensor:
        """Return the logits of images whose sides are multiples of 4: what was read at stride 4, enlarged."""
        return resize_like(read, read.new_empty(1, 1, 4 * read.shape[-2], 4 * read.shape[-1]))
