"""SCFNet on an encoder of choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional

from ...errors import UsageError
from ...runtime.preprocessing import Preprocessing
from ..encoders import MOBILENETV3
from ..layers import resize_like
from ..trainable.base import Outputs
from ..trainable.design import Design
from .network import SIDES, SIZE, WIDTH, Decoder

SCALE = 4  # from the finest features to the image


class SCFNetDesign(Design):
    """Features of four depths, each to a few channels, fused on the way back; a map a head, read off each depth.

    Its maps are probabilities unless `output` says otherwise.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`; by default the published network's.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    squeezed : bool
        Whether photos are brought to exactly that height and width instead, whatever their shape, as published.
    width : int
        Channels of the decoder; the published networks have 16 over MobileNetV3 and 64 over larger encoders.
    deepest : {16, 32}
        The encoder's coarsest stride. Of one that ends at 16 the largest of each 2x2 of its last features stand at
        stride 32: a fifth of the weights, salbox's choice.

    References
    ----------
    Zhang, Liang and Shi: KD-SCFNet: Towards more accurate and efficient salient object detection via knowledge
    distillation. 2022, section 3. There every image is squeezed to 352x352.
    """

    small: ClassVar[Mapping[str, Any]] = MappingProxyType({"width": 8})
    covered = SCALE
    side_outputs = SIDES
    side_layers = tuple(f"decoder.linear{depth}." for depth in (3, 4, 5))

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = MOBILENETV3,
        size: tuple[int, int] = SIZE,
        squeezed: bool = False,
        width: int = WIDTH,
        deepest: int = 32,
    ) -> None:
        if deepest not in (16, 32):
            raise UsageError(f"network 'scfnet': deepest={deepest!r}: expected 16 or 32")
        super().__init__("scfnet", heads, encoder, size, deepest=deepest, width=width)
        self.output = "probability"
        # Only what is not by default, as files have it that were written before these could be chosen.
        if deepest != 32:
            self.arguments["deepest"] = deepest
        if squeezed:
            self.arguments["squeezed"] = True
            self.preprocessing = Preprocessing("fixed", *size)
        channels = self.channels if deepest == 32 else (*self.channels, self.channels[-1])
        self.decoder = Decoder(channels[1:], width, len(self.heads))

    def taps(self, images: Tensor, encoder: nn.Module | None = None) -> dict[str, Tensor]:
        """See `Design`; "stride32" as well where the encoder ends at 16."""
        found = super().taps(images, encoder)
        if "stride32" not in found:
            found["stride32"] = functional.max_pool2d(found["stride16"], 2, ceil_mode=True)
        return found

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder, "context" at stride 32, "fused16", "fused8" and "fused4"."""
        found = self.taps(images)
        return found | self.decoder.fused([found[f"stride{stride}"] for stride in (4, 8, 16, 32)])

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W), sides rounded to multiples of 4; see `TrainableNetwork.forward`."""
        return self.after_readout(self.decoder_readout(self.decoder_features(images)))

    def outputs(self, images: Tensor) -> Outputs:
        """Return the logits of the maps and of those read off the three coarser depths: (N, heads, H, W) each."""
        found = self.features(images)
        main = self.after_readout(self.decoder_readout(found["fused4"]))
        return Outputs(main, tuple(resize_like(side, main) for side in self.decoder.sides(found)))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.decoder.linear2(decoded)
        return read

    def after_readout(self, read: Tensor) -> Tensor:
        """Return the logits: what was read at stride 4, enlarged."""
        return functional.interpolate(read, scale_factor=SCALE, mode="bilinear", align_corners=False)
