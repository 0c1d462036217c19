"""The ResNet-18 students that were distilled from MSI-Net.

The description that they follow gives the backbone, that its last residual block goes through a series of upscalings
and convolutions, some 12 million parameters, and that variant B branches at the last layer of the decoder. How many
channels the decoder has it does not say; what is here makes 11.9 million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from ...errors import UsageError
from ...runtime.preprocessing import Preprocessing
from ..encoders import STRIDES, make_encoder
from ..layers import Normalize
from .base import Outputs, TrainableNetwork

DECODER = (128, 64, 64, 32, 32)  # channels after each upscaling; from stride 32 to the input's own size
SIZE = (240, 320)  # at which MSI-Net, the teacher, looks at SALICON's photos


class ResNet18A(TrainableNetwork):
    """Variant A: the decoder does not branch; saliency maps are all it gives.

    Parameters
    ----------
    heads : names
    encoder : str
        "resnet18", or another of `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels that every photo is brought to.

    References
    ----------
    Tahir: Saliency detection using knowledge distillation, https://github.com/manastahir; its README.
    He et al.: Deep residual learning for image recognition. CVPR 2016.
    """

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = "resnet18",
        size: tuple[int, int] = SIZE,
        name: str = "resnet18-a",
    ) -> None:
        super().__init__(name, heads, Preprocessing("fixed", *size))
        self.arguments = {"encoder": encoder, "size": list(size)}
        made = make_encoder(encoder)
        self.encoder = made.network
        self.normalize = Normalize(made.mean, made.std)
        channels = (made.channels[-1], *DECODER)
        self.decoder = nn.ModuleList(_convolution(*pair) for pair in zip(channels, DECODER, strict=False))
        self.saliency = nn.Conv2d(DECODER[-1], len(self.heads), 3, padding=1)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder and "decoder16" .. "decoder1"; the heads look at the last."""
        taps = self.encoder(self.normalize(images))
        found = {f"stride{stride}": tap for stride, tap in zip(STRIDES, taps, strict=True)}
        # The sizes come from the encoder's way down, so that every photo gets a map of its own size.
        sizes = [tap.shape[-2:] for tap in taps[-2::-1]] + [images.shape[-2:]]
        decoded = taps[-1]
        for stride, size, convolution in zip((16, 8, 4, 2, 1), sizes, self.decoder, strict=True):
            decoded = functional.interpolate(decoded, size=size, mode="bilinear", align_corners=False)
            decoded = convolution(decoded)
            found[f"decoder{stride}"] = decoded
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W); see `TrainableNetwork.forward`."""
        return self.decoder_readout(self.decoder_features(images))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.saliency(decoded)
        return read


class ResNet18B(ResNet18A):
    """Variant B: the decoder's last layer branches into saliency maps and feature maps.

    The feature maps are there to be compared with the teacher's maps while the saliency maps are compared with the
    truth; they have one channel a head. What is exported is the saliency maps.
    """

    side_outputs: ClassVar[tuple[str, ...]] = ("feature map",)
    side_layers: ClassVar[tuple[str, ...]] = ("feature.",)

    def __init__(self, heads: Sequence[str], *, encoder: str = "resnet18", size: tuple[int, int] = SIZE) -> None:
        super().__init__(heads, encoder=encoder, size=size, name="resnet18-b")
        self.feature = nn.Conv2d(DECODER[-1], len(self.heads), 3, padding=1)

    def outputs(self, images: Tensor) -> Outputs:
        """Return the logits of the saliency maps and of the feature maps: (N, heads, H, W) each."""
        decoded = self.features(images)["decoder1"]
        return Outputs(self.saliency(decoded), (self.feature(decoded),))

    @classmethod
    def output_targets(cls, count: int) -> tuple[int, ...]:
        """Return 0 for the saliency map, and for the feature map the second target, the same one if there is one."""
        if count > 2:
            raise UsageError("resnet18-b learns one map, and its feature map another: give two teachers at most")
        return 0, count - 1


def _convolution(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
