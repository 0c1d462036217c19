"""Encoders, made by timm: networks known for recognising images, tapped at strides 2, 4, 8, 16 and 32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import UsageError, nearest
from .backbones import mobilenetv3_large
from .layers import IMAGENET_MEAN, IMAGENET_STD

STRIDES = (2, 4, 8, 16, 32)

# MobileNetV2 as TensorFlow trains it; every other name is timm's, with timm's normalisation.
TENSORFLOW = "mobilenetv2"
_TIMM_NAMES = {TENSORFLOW: "mobilenetv2_100"}
# MobileNetV3-Large with half the channels, which timm lacks: Paddle's, with the normalisation of KD-SCFNet's program.
MOBILENETV3 = "mobilenetv3_large_050"
_TRAINED_THERE = "tf_"  # beginning of timm's names of networks whose weights come from TensorFlow


class WeightsWarning(UserWarning):
    """Something about weights that a user should know, such as an encoder that starts from random ones."""


@dataclass(frozen=True)
class Encoder:
    """A network without its classifier, and what it expects.

    Attributes
    ----------
    network : nn.Module
        Returns a list of features for normalised images, one a stride.
    channels : tuple of int
        Of the features.
    mean, std : three numbers
        Of RGB in 0..1, for normalising.
    """

    network: nn.Module
    channels: tuple[int, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def timm_name(name: str) -> str:
    """Return what timm calls an encoder."""
    return _TIMM_NAMES.get(name, name)


def pads_at_end(name: str) -> bool:
    """Return whether an encoder's convolutions of stride 2 pad at the bottom and right only, as TensorFlow's do."""
    return name == TENSORFLOW or name.startswith(_TRAINED_THERE)


def make_encoder(name: str, deepest: int = STRIDES[-1]) -> Encoder:
    """Return an encoder with random weights.

    Parameters
    ----------
    name : str
        "mobilenetv2" is MobileNetV2 1.0 as TensorFlow trains it (pixels in -1..1; convolutions of stride 2 pad at the
        bottom and right only), "mobilenetv3_large_050" MobileNetV3-Large with half the channels as Paddle has it; any
        other name is timm's, such as "mobilenetv2_100", "resnet18" or
        "tf_efficientnet_lite0". Those that begin with "tf_" pad as TensorFlow does, too: as timm has them for sides
        that the strides divide, and with constants, so that the exported graph has no padding of its own.
    deepest : {2, 4, 8, 16, 32}
        The stride at which it ends.

    Raises
    ------
    UsageError
        If timm has no such network, or it has no features at strides 2, 4, .. and `deepest`.
    """
    if deepest not in STRIDES:
        raise UsageError(f"encoder '{name}': deepest={deepest!r}: expected one of {STRIDES}")
    if name == MOBILENETV3:
        own = mobilenetv3_large.MobileNetV3Large(STRIDES.index(deepest) + 1)
        return Encoder(own, own.channels, mobilenetv3_large.MEAN, mobilenetv3_large.STD)
    known_as = timm_name(name)
    if known_as not in timm.list_models():
        hint = nearest(str(name), [*_TIMM_NAMES, MOBILENETV3, *timm.list_models()])
        raise UsageError(f"no encoder '{name}'{hint} (any that timm knows with features at strides 2 to 32)")
    needed = STRIDES[: STRIDES.index(deepest) + 1]
    network = _tapped(known_as, len(needed), 0, name)
    if network.feature_info.reduction()[0] == 1:  # VGG's first features are as large as the image
        network = _tapped(known_as, len(needed), 1, name)
    strides = tuple(network.feature_info.reduction())
    if strides != needed:
        raise UsageError(f"encoder '{name}': has features at strides {strides}, needed are {needed}")
    _end_after_last_tap(network)
    mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    if pads_at_end(name):
        pad_like_tensorflow(network)
    if name != TENSORFLOW:
        known = timm.get_pretrained_cfg(known_as)
        mean = tuple(known.mean) if known is not None else IMAGENET_MEAN
        std = tuple(known.std) if known is not None else IMAGENET_STD
    return Encoder(network, tuple(network.feature_info.channels()), mean, std)


def _tapped(known_as: str, count: int, first: int, name: str) -> Any:
    """Return timm's network that gives so many features, from the first one on."""
    try:
        return timm.create_model(
            known_as, pretrained=False, features_only=True, out_indices=tuple(range(first, first + count))
        )
    except (RuntimeError, TypeError, AssertionError, AttributeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"encoder '{name}': gives no features at several strides ({reason})") from None


def _end_after_last_tap(network: nn.Module) -> None:
    """Leave out the blocks that no tap looks at, where timm keeps them: of networks that are a row of `blocks`."""
    kind, _, index = network.feature_info.module_name()[-1].partition(".")  # "blocks.4"
    if kind == "blocks" and index.isdigit():
        network.blocks = network.blocks[: int(index) + 1]


class BottomRightConv2d(nn.Conv2d):
    """A convolution of stride above 1 padded as TensorFlow's SAME pads sides that the stride divides.

    The padding is the same for every size, so that the exported graph has constants there; of a side that the stride
    does not divide it loses the last row or column.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the convolution: (N, channels, floor(H / stride), floor(W / stride)) where TensorFlow rounds up."""
        return self.convolved(input, self.weight)

    def convolved(self, input: Tensor, weight: Tensor) -> Tensor:
        """Return the same with another weight of the same shape."""
        (kh, kw), (sh, sw) = self.kernel_size, self.stride
        top, left = max(kh - sh, 0) // 2, max(kw - sw, 0) // 2
        pads = (top, left, max(kh - sh, 0) - top, max(kw - sw, 0) - left)
        convolve = _UnevenConv.apply if torch.onnx.is_in_onnx_export() else _uneven_conv
        return cast(Tensor, convolve(input, weight, self.bias, pads, self.stride, self.groups))


def _uneven_conv(
    images: Tensor, weight: Tensor, bias: Tensor | None, pads: tuple[int, ...], stride: tuple[int, ...], groups: int
) -> Tensor:
    """Return a convolution that pads with zeros, (top, left, bottom, right)."""
    top, left, bottom, right = pads
    padded = functional.pad(images, (left, right, top, bottom))
    return functional.conv2d(padded, weight, bias, stride, groups=groups)


class _UnevenConv(torch.autograd.Function):
    """`_uneven_conv` as the exporter sees it: one node, where it would write two.

    Between convolutions ONNX Runtime keeps features in a layout of its own. A node for the padding alone would have it
    leave that layout and come back each time: a tenth of the box's time.
    """

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        return _uneven_conv(*given)

    @staticmethod
    def symbolic(
        g: Any, images: Any, weight: Any, bias: Any, pads: tuple[int, ...], stride: tuple[int, ...], groups: int
    ) -> Any:
        learned = (weight,) if bias is None else (weight, bias)
        sides = weight.type().sizes()[2:]
        return g.op("Conv", images, *learned, kernel_shape_i=sides, pads_i=pads, strides_i=stride, group_i=groups)


def pad_like_tensorflow(network: nn.Module) -> None:
    """Let every convolution of stride above 1 pad at the bottom and right; the names of the weights stay."""
    for name, child in list(network.named_children()):
        if isinstance(child, nn.Conv2d) and max(child.stride) > 1:
            convolution = BottomRightConv2d(
                child.in_channels,
                child.out_channels,
                child.kernel_size,  # type: ignore[arg-type,unused-ignore]
                child.stride,  # type: ignore[arg-type,unused-ignore]
                padding=0,
                groups=child.groups,
                bias=child.bias is not None,
            )
            convolution.load_state_dict(child.state_dict())
            setattr(network, name, convolution)
        else:
            pad_like_tensorflow(child)
