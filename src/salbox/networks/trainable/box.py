"""The box: many saliency models at the cost of one small network.

A MobileNetV2-class encoder looks at the photo once; a decoder of separable convolutions brings its features back to
fine resolution, with a skip connection at every stride; each teacher has a light head of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import UsageError
from ...runtime.preprocessing import Preprocessing
from ..encoders import STRIDES, TENSORFLOW, BottomRightConv2d, make_encoder, pad_like_tensorflow, pads_at_end
from ..layers import ConvNormAct, Normalize, SeparableConv, enlarge_like
from .base import TrainableNetwork
from .context import CONTEXTS, make_context
from .joined_heads import joined_logits
from .numbers import CHANNELS
from .sight import SIGHTS, Head, SeeingHead

WIDTH = 48  # channels of the decoder
HEAD_WIDTH = 16  # channels within a head
FINE = 2  # times the encoder's size has the photo that is looked at for details


class Box(TrainableNetwork):
    """Encoder, separable decoder with skip connections, one head a teacher.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    width, head_width : int
        Channels of the decoder, and within a head.
    stride : {2, 4, 8}
        Pixels of the input a pixel of the output.
    deepest : {4, 8, 16, 32}
        The encoder's coarsest stride that is looked at; what comes after is left out.
    context : {"none", "contrast", "attention"}
        How the decoder sees the picture as a whole; see `salbox.networks.trainable.context`.
    detail : int
        Channels of a second, shallow look at twice the size, for teachers that see single pixels; 0 for none. The
        photo then comes at twice `size`, and the encoder sees the mean of each 2x2 pixels.
    sees : mapping
        Head -> what it sees of the picture beside the decoder's features, "spectrum" or "conspicuity"; see
        `salbox.networks.trainable.sight`. Names that are no heads count for nothing.

    References
    ----------
    Sandler et al.: MobileNetV2: inverted residuals and linear bottlenecks. CVPR 2018 (the encoder).
    Lin et al.: Feature pyramid networks for object detection. CVPR 2017 (coarse features enlarged and added to finer
    ones).
    """

    small: ClassVar[Mapping[str, Any]] = MappingProxyType({"width": 16})

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = TENSORFLOW,
        size: tuple[int, int] = (192, 256),
        width: int = WIDTH,
        head_width: int = HEAD_WIDTH,
        stride: int = 2,
        deepest: int = 16,
        context: str = "contrast",
        detail: int = 0,
        sees: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        if not isinstance(sees, Mapping) or not set(sees.values()) <= set(SIGHTS):
            raise UsageError(f"network 'box': sees={sees!r}: expected heads, each with one of {', '.join(SIGHTS)}")
        for name, value, least in (("width", width, 1), ("head_width", head_width, 1), ("detail", detail, 0)):
            if type(value) is not int or value < least:
                raise UsageError(f"network 'box': {name}={value!r}: expected a whole number, at least {least}")
        scale = FINE if detail else 1
        multiple = STRIDES[-1] * scale
        super().__init__("box", heads, Preprocessing("area", scale * size[0], scale * size[1], multiple))
        if stride not in STRIDES[:3]:
            raise UsageError(f"network 'box': stride={stride!r}: expected one of {STRIDES[:3]}")
        if deepest not in STRIDES or deepest <= stride:
            raise UsageError(f"network 'box': deepest={deepest!r}: expected one of {STRIDES} above stride={stride}")
        if detail and stride != STRIDES[0]:
            raise UsageError(f"network 'box': detail={detail}, stride={stride}: details need stride={STRIDES[0]}")
        if context not in CONTEXTS:
            raise UsageError(f"network 'box': context={context!r}: expected one of {', '.join(CONTEXTS)}")
        sizes = {"width": width, "head_width": head_width, "stride": stride, "deepest": deepest, "detail": detail}
        self.arguments = {
            "encoder": encoder,
            "size": list(size),
            "context": context,
            **sizes,
            "sees": dict(sees),
        }
        made = make_encoder(encoder, deepest)
        self.encoder = made.network
        self.normalize = Normalize(made.mean, made.std)
        self.stride = self.covered = stride
        self.divisor = multiple
        self.scale = scale
        # From coarse to fine; what is finer than the output is not looked at.
        self.levels = [i for i, s in enumerate(STRIDES) if stride <= s <= deepest][::-1]
        self.lateral = nn.ModuleList(ConvNormAct(made.channels[i], width, act=False) for i in self.levels)
        self.context = nn.ModuleList(make_context(context, width, STRIDES[i]) for i in self.levels)
        self.mix = nn.ModuleList(SeparableConv(width, width) for _ in self.levels)
        self.detail = _detail(detail, width, encoder) if detail else None
        self.head_layers = nn.ModuleList(
            SeeingHead(make_head(width + CHANNELS, head_width), sees[head])
            if head in sees
            else make_head(width, head_width)
            for head in self.heads
        )

    @property
    def _is_mixed(self) -> bool:
        """Whether its heads look at features of their own."""
        return len(self.heads) > 1 and any(isinstance(head, SeeingHead) for head in self._heads())

    def encoder_input(self, images: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        found: Tensor = self.normalize(self.shrunk(images))
        return found

    def shrunk(self, images: Tensor) -> Tensor:
        """Return images at the size at which the encoder sees them, (N, 3, h, w) in 0..255."""
        return images if self.scale == 1 else functional.avg_pool2d(images, self.scale)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32", if it goes so deep, of the encoder and "decoder", which the heads look at.

        Where there is one head alone, what it sees beside them is the decoder's last channels.
        """
        taps = self.encoder(self.encoder_input(images))
        found = {f"stride{stride}": tap for stride, tap in zip(STRIDES, taps, strict=False)}
        decoded: Tensor | None = None
        for level, lateral, context, mix in zip(self.levels, self.lateral, self.context, self.mix, strict=True):
            skip = lateral(taps[level])
            decoded = mix(context(skip if decoded is None else skip + enlarge_like(decoded, skip)))
        assert decoded is not None  # noqa: S101  # there are levels
        if self.detail is not None:
            decoded = decoded + self._details(self.detail, images)
        if not self._is_mixed:
            (head, *_) = self._heads()
            decoded = head.seen(self.shrunk(images), decoded)
        return {**found, "decoder": decoded}

    def _details(self, layers: nn.Sequential, images: Tensor) -> Tensor:
        """Return what the second look tells; in an exported graph weights are divided, which are fewer than pixels."""
        if not torch.onnx.is_in_onnx_export():
            told: Tensor = layers(self.normalize(images))
            return told
        (first, *after), *rest = layers
        told = first.convolved(images - self.normalize.shift, first.weight / self.normalize.divisor)
        return nn.Sequential(*after, *rest)(told)

    def _heads(self) -> list[Head]:
        return [cast(Head, head) for head in self.head_layers]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H / stride, W / stride), of half that size where details are looked at.

        See `TrainableNetwork.forward`.
        """
        decoded = self.decoder_features(images)
        if not self._is_mixed:
            return self.after_readout(self.decoder_readout(decoded))
        return self.after_readout(self.logits(self._heads(), images, decoded))

    def logits(self, heads: Sequence[Head], images: Tensor, decoded: Tensor) -> Tensor:
        """Return the logits of heads that look at one decoder's features: (N, heads, h, w)."""
        pictures = self.shrunk(images)
        if torch.onnx.is_in_onnx_export():
            return joined_logits(heads, decoded, pictures, self.stride)
        return torch.cat([head(head.seen(pictures, decoded)) for head in heads], dim=1)

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        if self._is_mixed:
            raise UsageError(f"network '{self.name}': its heads look at different features; open one of them")
        if torch.onnx.is_in_onnx_export() and len(self.heads) > 1:
            return joined_logits(self._heads(), decoded, decoded, self.stride)
        return torch.cat([head(decoded) for head in self._heads()], dim=1)


def _detail(channels: int, width: int, encoder: str) -> nn.Module:
    """Return the second look: from a normalised photo at twice the size to features as fine as the decoder's."""
    wide = 2 * channels
    # It rounds down as the mean of 2x2 pixels does, what follows as the encoder's first convolution.
    first = BottomRightConv2d(3, channels, 3, stride=FINE, bias=False)
    shrink = nn.Conv2d(wide, wide, 3, stride=2, padding=1, groups=wide, bias=False)
    last = ConvNormAct(wide, width, act=False)
    nn.init.zeros_(last[1].weight)  # it begins as if it were not there: a box that is trained already can take it on
    rest = nn.Sequential(
        SeparableConv(channels, wide),
        nn.Sequential(shrink, nn.BatchNorm2d(wide), nn.ReLU6(inplace=True)),
        last,
    )
    if pads_at_end(encoder):
        pad_like_tensorflow(rest)
    return nn.Sequential(nn.Sequential(first, nn.BatchNorm2d(channels), nn.ReLU6(inplace=True)), *rest)


def make_head(inputs: int, width: int) -> Head:
    """Return what one teacher has to itself: about a thousand numbers."""
    return Head(
        ConvNormAct(inputs, width),
        ConvNormAct(width, width, 3, groups=width),
        nn.Conv2d(width, 1, 1),
    )
