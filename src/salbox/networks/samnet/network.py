"""SAMNet: a light network for salient objects whose branches of several dilations attend to scale (Liu et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ...runtime.preprocessing import Preprocessing
from ..layers import IMAGENET_MEAN, IMAGENET_STD, Normalize
from ..trainable.base import Outputs, TrainableNetwork
from .blocks import ConvNormReLU, PyramidPooling, SeparableConv, StereoAttention, enlarged

SIZE = (336, 336)  # at which the network looks at images (section IV-A)
DROPPED = 0.1  # share of the channels that the heads do not see in training, as in the program
SIDES = ("stride 32", "stride 16", "stride 8", "stride 4")

# Of each stage its channels, how many modules it has, and their dilations (table I).
STAGES = ((16, 1, (1, 2, 3)), (32, 1, (1, 2, 3)), (64, 3, (1, 2, 3)), (96, 6, (1, 2, 3)), (128, 3, (1, 2)))
# Of each step back its kernel and its dilation (table II), from coarse to fine.
BACK = ((3, 1), (3, 2), (5, 2), (5, 2), (5, 2))


class Encoder(nn.Module):
    """Five stages, each at half the size of the one before."""

    def __init__(self) -> None:
        super().__init__()
        before = 3
        for place, (channels, count, dilations) in enumerate(STAGES, start=1):
            first = ConvNormReLU(3, channels, 3, stride=2) if place == 1 else SeparableConv(before, channels, stride=2)
            modules = (StereoAttention(channels, dilations) for _ in range(count))
            self.add_module(f"layer{place}", nn.Sequential(first, *modules))
            before = channels

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the features of strides 2, 4, 8, 16 and 32."""
        found = [images]
        for place in range(1, len(STAGES) + 1):
            found.append(self.get_submodule(f"layer{place}")(found[-1]))
        return found[1:]


class SAMNet(TrainableNetwork):
    """The network; its layers have the names of the authors' weights, their `context_path` is `encoder`.

    Its maps are probabilities unless `output` says otherwise.

    Parameters
    ----------
    heads : names
        The published network has one.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.

    References
    ----------
    Liu, Zhang, Bian, Zhang and Cheng: SAMNet: stereoscopically attentive multi-scale network for lightweight salient
    object detection. IEEE Transactions on Image Processing 30, 2021, section III. There every image is squeezed to
    336x336, and probabilities are enlarged; here logits are, in training.
    """

    side_outputs = SIDES
    side_layers = tuple(f"readouts.{place}." for place in range(len(SIDES)))

    def __init__(self, heads: Sequence[str], *, size: tuple[int, int] = SIZE) -> None:
        super().__init__("samnet", heads, Preprocessing("area", *size))
        self.output = "probability"
        self.arguments: dict[str, Any] = {"size": list(size)}
        self.normalize = Normalize(IMAGENET_MEAN, IMAGENET_STD)
        self.encoder = Encoder()
        channels = [stage[0] for stage in STAGES[::-1]]  # from coarse to fine
        after = [*channels[1:], channels[-1]]
        self.pyramid_pooling = PyramidPooling(channels[0])
        self.prepare = nn.ModuleList(ConvNormReLU(width, width, act=False) for width in channels)
        self.fuse = nn.ModuleList(
            SeparableConv(width, fused, kernel, dilation=dilation)
            for width, fused, (kernel, dilation) in zip(channels, after, BACK, strict=True)
        )
        self.readouts = nn.ModuleList(Head(width, len(self.heads)) for width in after)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder, "pooled", and "fused32" .. "fused2", read into maps."""
        taps = self.encoder(self.normalize(images))
        found = {f"stride{2 << place}": tap for place, tap in enumerate(taps)}
        found["pooled"] = self.pyramid_pooling(taps[-1])
        fused = found["pooled"]
        for place, (prepare, fuse) in enumerate(zip(self.prepare, self.fuse, strict=True)):
            tap = taps[-1 - place]
            fused = fuse(prepare(tap) + (enlarged(fused, tap) if place else fused))
            found[f"fused{32 >> place}"] = fused
        return found

    def read(self, found: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Return the logits read off features, (N, heads, h, w) each, those of the map, at stride 2, first."""
        of_strides = [head(found[f"fused{32 >> place}"]) for place, head in enumerate(self.readouts)]
        return of_strides[-1], *of_strides[:-1]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W); see `TrainableNetwork.forward`."""
        return enlarged(self.decoder_readout(self.decoder_features(images)), images)

    def outputs(self, images: Tensor) -> Outputs:
        """Return the logits of the maps and of the four side outputs, from coarse to fine: (N, heads, H, W) each."""
        main, *sides = (enlarged(logits, images) for logits in self.read(self.features(images)))
        return Outputs(main, tuple(sides))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.readouts[-1](decoded)
        return read

    def after_readout(self, read: Tensor) -> Tensor:
        """Return the logits of images whose sides are even: what was read at stride 2, enlarged."""
        return enlarged(read, read.new_empty(1, 1, 2 * read.shape[-2], 2 * read.shape[-1]))


class Head(nn.Module):
    """What a map is read off by: a 1x1 convolution, which in training does not see all channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Dropout2d(DROPPED), nn.Conv2d(inputs, outputs, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits of the features' size."""
        logits: Tensor = self.conv(features)
        return logits
