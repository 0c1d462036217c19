"""SCFNet: a semantics-guided contextual fusion network for salient objects (Zhang, Liang and Shi 2022).

Features of four depths, each brought to a few channels; the deepest, seen by a convolution of dilation 5, says where
the object is and guides the others on the way back. A map is read off each of the four; that of the finest is the
result, the others are for training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from ..backbones.mobilenetv3_large import CHANNELS, MEAN, STD, MobileNetV3Large
from ..backbones.resnet50_stages import ResNet50Stages
from ..backbones.swin_b import SwinB
from ..backbones.vgg16 import Vgg16
from ..layers import Normalize, resize_like

Encoder = Literal["mobilenetv3", "resnet50", "vgg16", "swin-b"]

SIZE = (352, 352)  # at which the network looks at images (section 4.2)
SWIN_SIZE = (384, 384)  # the only one that the authors' Swin-B takes
WIDTH, WIDE = 16, 64  # channels over MobileNetV3 (section 3.1), and over larger encoders (section 4.2)
DILATION = 5  # of the convolution over the deepest features (section 3.1)
SIDES = ("stride 8", "stride 16", "stride 32")  # of the outputs beside the main one


class ConvNormReLU(nn.Sequential):
    """A 3x3 convolution with a bias, batch norm and a ReLU."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        convolution = nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)
        super().__init__(_initialized(convolution), nn.BatchNorm2d(outputs), nn.ReLU())


class Fusion(nn.Module):
    """The semantics-guided contextual fusion module (section 3.2 and figure 2).

    Parameters
    ----------
    width : int
        Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cv1 = ConvNormReLU(width, width)
        self.cv2 = ConvNormReLU(width, width)
        self.cv3 = ConvNormReLU(width, width)

    def forward(self, fine: Tensor, coarse: Tensor, deepest: Tensor) -> Tensor:
        """Return the fused features, of the size of the fine ones.

        Parameters
        ----------
        fine, coarse, deepest : (N, width, h, w)
            Features of the encoder, what the fusion before this one gave, and the deepest features.
        """
        guided = self.cv1(coarse + coarse * resize_like(deepest, coarse))
        detailed = self.cv2(fine + fine * resize_like(coarse, fine))
        fused: Tensor = self.cv3(detailed + resize_like(guided, fine))
        return fused


class Reduction(nn.Module):
    """Features of four depths, each brought to as many channels."""

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.cv1, self.cv2, self.cv3, self.cv4 = (ConvNormReLU(inputs, width) for inputs in channels)

    def forward(self, taps: Sequence[Tensor]) -> list[Tensor]:
        """Return the reduced features: (N, width, h, w) each."""
        layers = (self.cv1, self.cv2, self.cv3, self.cv4)
        return [layer(tap) for layer, tap in zip(layers, taps, strict=True)]


class Decoder(nn.Module):
    """What follows the encoder.

    Parameters
    ----------
    channels : four int
        Of the encoder's features at strides 4, 8, 16 and 32.
    width : int
        Channels of all layers.
    outputs : int
        Maps that are read off each of the four depths.
    """

    def __init__(self, channels: Sequence[int], width: int = WIDTH, outputs: int = 1) -> None:
        super().__init__()
        self.mp = Reduction(channels, width)
        self.cv1 = ConvNormReLU(width, width, DILATION)
        self.de1, self.de2, self.de3 = (Fusion(width) for _ in range(3))
        heads = (_initialized(nn.Conv2d(width, outputs, 3, padding=1)) for _ in range(4))
        self.linear2, self.linear3, self.linear4, self.linear5 = heads

    def fused(self, taps: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return "context" at stride 32, "fused16", "fused8" and "fused4", (N, width, h, w); maps are read off each.

        Parameters
        ----------
        taps : four (N, C, h, w)
            The encoder's features at strides 4, 8, 16 and 32.
        """
        fourth, eighth, sixteenth, coarsest = self.mp(taps)
        found = {"context": self.cv1(coarsest)}
        found["fused16"] = self.de3(sixteenth, found["context"], found["context"])
        found["fused8"] = self.de2(eighth, found["fused16"], found["context"])
        found["fused4"] = self.de1(fourth, found["fused8"], found["context"])
        return found

    def sides(self, found: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of the outputs beside the main one, of what `fused` gave: at strides 8, 16 and 32."""
        return self.linear3(found["fused8"]), self.linear4(found["fused16"]), self.linear5(found["context"])


@dataclass(frozen=True)
class Variant:
    """An encoder that the network is published on.

    Attributes
    ----------
    make : callable
        Returns the encoder for images of a size; it gives a list of features.
    channels : four int
        Of its features at strides 4, 8, 16 and 32, the last that it gives.
    width : int
        Of the decoder.
    size : (int, int)
        Height and width at which images are looked at.
    """

    make: Callable[[tuple[int, int]], nn.Module]
    channels: tuple[int, ...]
    width: int = WIDE
    size: tuple[int, int] = SIZE


class Vgg16Pools(Vgg16):
    """VGG-16, its features what the second to fifth pool give: so the paper's sizes of features say."""

    def __init__(self) -> None:
        super().__init__([nn.MaxPool2d(2) for _ in range(5)])

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return features at strides 4, 8, 16 and 32: (N, C, h, w), rounded down."""
        found = self.features(images)
        return [found[f"pool{index}"] for index in range(2, 6)]


VARIANTS: Mapping[Encoder, Variant] = {
    "mobilenetv3": Variant(lambda size: MobileNetV3Large(), CHANNELS[1:], WIDTH),
    "resnet50": Variant(lambda size: ResNet50Stages(), ResNet50Stages.channels),
    "vgg16": Variant(lambda size: Vgg16Pools(), (128, 256, 512, 512)),
    "swin-b": Variant(SwinB, SwinB.channels, size=SWIN_SIZE),
}


class SCFNet(Decoder):
    """The network; its layers have the names of the authors' weights.

    Parameters
    ----------
    encoder : {"mobilenetv3", "resnet50", "vgg16", "swin-b"}
    size : (int, int), optional
        Of the images that Swin-B is made for; the other encoders take any.

    References
    ----------
    Zhang, Liang and Shi: KD-SCFNet: Towards more accurate and efficient salient object detection via knowledge
    distillation. 2022, section 3.
    """

    def __init__(self, encoder: Encoder = "mobilenetv3", size: tuple[int, int] | None = None) -> None:
        variant = VARIANTS[encoder]
        super().__init__(variant.channels, variant.width)
        self.normalize = Normalize(MEAN, STD)
        self.bkbone = variant.make(size or variant.size)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride4" .. "stride32" of the encoder and what `fused` does; the map is read off the last.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255.
        """
        taps = self.bkbone(self.normalize(images))[-4:]
        found = {f"stride{stride}": tap for stride, tap in zip((4, 8, 16, 32), taps, strict=True)}
        return found | self.fused(taps)

    def outputs(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the logits of all four maps, (N, 1, H, W) each, the main one first; see `features`."""
        found = self.features(images)
        return tuple(resize_like(logits, images) for logits in (self.linear2(found["fused4"]), *self.sides(found)))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the map: (N, 1, H, W); see `features`."""
        return resize_like(self.linear2(self.features(images)["fused4"]), images)

    def maps(self, images: Tensor) -> Tensor:
        """Return the probability that pixels are the salient object's: (N, 1, H, W) in 0..1."""
        return self(images).sigmoid()


def enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps at an image's size, the outer pixels' centres on each other, as the authors' program does."""
    return functional.interpolate(maps, size=size, mode="bilinear", align_corners=True)


def _initialized(convolution: nn.Conv2d) -> nn.Conv2d:
    """Return a convolution with first weights that keep the size of what goes through, and no biases (the program)."""
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution
