"""The three networks that Chen, Jiang and Zhao (NeurIPS 2023) took apart, with the names of their authors' weights.

They are customised: SALICON and DINet stand on one dilated ResNet-50, TranSalNet on one that is not dilated, and none
of their last layers has a bias. Each comes plain, factorised (phase 1: features are rebuilt from bases before they are
read) and reformulated (phase 2: the map is read off the bases' probabilities).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbones.resnet50_caffe import resnet50_caffe
from ..dinet.network import DILATIONS
from ..layers import IMAGENET_MEAN, IMAGENET_STD, Normalize
from ..transalnet.network import LAYERS, NORM_EPS
from .bases import maps_layer, probabilities, rebuilt

Phase = Literal[0, 1, 2]  # plain, factorised, reformulated

BASES = 512
WIDTH = 512  # channels of the features that maps are read off, but for TranSalNet


class Published(nn.Module, ABC):
    """One of the three.

    Parameters
    ----------
    phase : {0, 1, 2}
        Plain; features rebuilt from bases; maps read off the bases' probabilities.
    bases : int
        How many, of phases 1 and 2.

    Attributes
    ----------
    size : (int, int)
        Of the class: height and width of the images.
    width : int
        Channels of the features that maps are read off.
    """

    size: ClassVar[tuple[int, int]] = (480, 640)

    def __init__(self, phase: Phase, bases: int = BASES) -> None:
        super().__init__()
        self.phase, self.bases = phase, bases
        self.normalize = Normalize(IMAGENET_MEAN, IMAGENET_STD)

    @abstractmethod
    def decoder_features(self, images: Tensor) -> Tensor:
        """Return the features that maps are read off: (N, width, h, w).

        Parameters
        ----------
        images : (N, 3, *size) float
            RGB, 0..255.
        """

    @abstractmethod
    def prototypes(self) -> Tensor:
        """Return the bases: (bases, width)."""

    @abstractmethod
    def maps_layer(self) -> nn.Conv2d:
        """Return the layer that maps are read by."""

    def probabilities(self, images: Tensor) -> Tensor:
        """Return how likely each basis is at each place: (N, bases, h, w); see `decoder_features`."""
        return probabilities(self.decoder_features(images), self.prototypes())

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, 1, h, w); the published maps are their sigmoid, enlarged to `size` by repetition."""
        read: Tensor
        if self.phase == 0:
            read = self.maps_layer()(self.decoder_features(images))
            return read
        alpha = self.probabilities(images)
        read = self.maps_layer()(alpha if self.phase == 2 else rebuilt(alpha, self.prototypes()))
        return read

    def maps(self, images: Tensor) -> Tensor:
        """Return what the authors' program gives: (N, 1, *size) in 0..1."""
        return F.interpolate(torch.sigmoid(self(images)), size=self.size, mode="nearest")


class DINet(Published):
    """DINet: the three branches and their sum side by side, which the original has as their sum alone."""

    def __init__(self, phase: Phase, bases: int = BASES, width: int = WIDTH) -> None:
        super().__init__(phase, bases)
        self.width = width
        self.dilated_backbone = _dilated()
        self.encoder = nn.Module()
        self.encoder.inception_1 = nn.Conv2d(2048, width, 1, bias=False)
        for place, dilation in enumerate(DILATIONS.values(), start=2):
            layer = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
            self.encoder.add_module(f"inception_{place}", layer)
        self.decoder = _Decoder(phase, bases, width)

    def decoder_features(self, images: Tensor) -> Tensor:
        """See `Published`."""
        reduced = F.relu(self.encoder.inception_1(self.dilated_backbone(self.normalize(images))))
        branches = [F.relu(self.encoder.get_submodule(f"inception_{place}")(reduced)) for place in (2, 3, 4)]
        encoded = torch.cat([torch.stack(branches).sum(0), *branches], dim=1)
        return self.decoder.features(encoded)

    def prototypes(self) -> Tensor:
        """See `Published`."""
        return self.decoder.prototype.weight

    def maps_layer(self) -> nn.Conv2d:
        """See `Published`."""
        return self.decoder.maps_layer


class Salicon(Published):
    """SALICON: one ResNet-50 looks at the image and at every other pixel of it."""

    width = 512

    def __init__(self, phase: Phase, bases: int = BASES) -> None:
        super().__init__(phase, bases)
        self.dilated_backbone = _dilated()
        self.v_encoder = nn.Conv2d(2048, self.width // 2, 3, padding=1)
        if phase:
            self.prototype = nn.Linear(self.width, bases, bias=False)
        self._last = "sal_layer_" if phase == 2 else "sal_layer"
        self.add_module(self._last, maps_layer(bases if phase == 2 else self.width))

    def decoder_features(self, images: Tensor) -> Tensor:
        """See `Published`."""
        normalized = self.normalize(images)
        halved = F.interpolate(normalized, size=[side // 2 for side in self.size], mode="nearest")
        fine, coarse = (self.v_encoder(self.dilated_backbone(each)) for each in (normalized, halved))
        return torch.cat([F.interpolate(coarse, size=fine.shape[-2:], mode="nearest"), fine], dim=1)

    def prototypes(self) -> Tensor:
        """See `Published`."""
        return self.prototype.weight

    def maps_layer(self) -> nn.Conv2d:
        """See `Published`."""
        return self.get_submodule(self._last)


class TranSalNet(Published):
    """TranSalNet: transformers over three strides of a ResNet-50, whose classifier is in the files and has no say."""

    size: ClassVar[tuple[int, int]] = (240, 320)
    width = 128

    def __init__(self, phase: Phase, bases: int = BASES) -> None:
        super().__init__(phase, bases)
        self.backbone = resnet50_caffe(dilated=False)
        self.trans_1 = _Transformer(2048, 768, 12, 8 * 10)
        self.trans_2 = _Transformer(1024, 768, 12, 15 * 20)
        self.trans_3 = _Transformer(512, 512, 8, 30 * 40)
        self.sal_decoder_1 = nn.Sequential(*_enlarging(768, 768))
        self.sal_decoder_2 = nn.Sequential(*_enlarging(768, 512))
        self.sal_decoder_3 = nn.Sequential(*_enlarging(512, 512))
        self.sal_decoder_4 = nn.Sequential(*_enlarging(512, self.width), *_enlarging(self.width, self.width)[:-1])
        if phase:
            self.prototype = nn.Linear(self.width, bases, bias=False)
        self._last = "sal_cls_1" if phase == 2 else "sal_cls"
        self.add_module(self._last, maps_layer(bases if phase == 2 else self.width))

    def decoder_features(self, images: Tensor) -> Tensor:
        """See `Published`."""
        eighth, sixteenth, thirtysecond = self._taps(self.normalize(images))
        values = self.sal_decoder_1(self.trans_1(thirtysecond))
        for tap, transformer, decoder in (
            (sixteenth, self.trans_2, self.sal_decoder_2),
            (eighth, self.trans_3, self.sal_decoder_3),
        ):
            related = transformer(tap)
            values = F.interpolate(values, size=related.shape[-2:], mode="nearest")
            values = decoder(F.relu(values * related))
        decoded: Tensor = self.sal_decoder_4(values)
        return decoded

    def _taps(self, images: Tensor) -> list[Tensor]:
        """Return the features at strides 8, 16 and 32."""
        net = self.backbone
        values = net.layer1(net.maxpool(net.relu(net.bn1(net.conv1(images)))))
        found = []
        for stage in (net.layer2, net.layer3, net.layer4):
            values = stage(values)
            found.append(values)
        return found

    def prototypes(self) -> Tensor:
        """See `Published`."""
        return self.prototype.weight

    def maps_layer(self) -> nn.Conv2d:
        """See `Published`."""
        return self.get_submodule(self._last)


class _Transformer(nn.Module):
    """Learned positions and two layers of attention over all places; norms in front of each part and behind all."""

    def __init__(self, inputs: int, width: int, heads: int, places: int) -> None:
        super().__init__()
        self.patch_encoder = nn.Module()
        self.patch_encoder.projection = nn.Linear(inputs, width)
        self.patch_encoder.pos_embedding = nn.Embedding(places, width)
        self.attention = nn.ModuleList(nn.MultiheadAttention(width, heads, batch_first=True) for _ in range(LAYERS))
        self.norm_before = nn.ModuleList(nn.LayerNorm(width, NORM_EPS) for _ in range(LAYERS))
        self.norm_after = nn.ModuleList(nn.LayerNorm(width, NORM_EPS) for _ in range(LAYERS))
        self.mlp = nn.ModuleList(_Perceptron(width) for _ in range(LAYERS))
        self.output_norm = nn.LayerNorm(width, NORM_EPS)

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, width, h, w) for features (N, inputs, h, w)."""
        tokens = self.patch_encoder.projection(features.flatten(2).transpose(1, 2))
        tokens = tokens + self.patch_encoder.pos_embedding.weight
        for attention, before, after, mlp in zip(
            self.attention, self.norm_before, self.norm_after, self.mlp, strict=True
        ):
            normed = before(tokens)
            tokens = tokens + attention(normed, normed, normed, need_weights=False)[0]
            tokens = tokens + mlp(after(tokens))
        related: Tensor = self.output_norm(tokens).transpose(1, 2)
        return related.unflatten(2, features.shape[-2:])


class _Perceptron(nn.Module):
    """Two layers of twice the width between, a GELU behind each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Module()
        self.mlp.fc_1, self.mlp.fc_2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        return F.gelu(self.mlp.fc_2(F.gelu(self.mlp.fc_1(tokens))))


def _enlarging(inputs: int, outputs: int) -> list[nn.Module]:
    """Return a 3x3 convolution, a norm, a ReLU, and an enlarging by repetition."""
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.Upsample(scale_factor=2)]


def _dilated() -> nn.Sequential:
    """Return the ResNet-50 that keeps stride 8, without its classifier, its parts numbered 0 to 7."""
    return nn.Sequential(*list(resnet50_caffe(dilated=True).children())[:-2])


class _Decoder(nn.Module):
    """What follows DINet's branches, called as its authors call it in each phase."""

    def __init__(self, phase: Phase, bases: int, width: int) -> None:
        super().__init__()
        first = ("decoder_1", "decoder_2") if phase == 0 else ("v_decoder",)
        self._last = ("decoder_3", "sal_decoder", "sal_decoder_1")[phase]
        inputs = 4 * width
        for name in first:
            self.add_module(name, nn.Conv2d(inputs, width, 3, padding=1, bias=False))
            inputs = width
        self._first = first
        if phase:
            self.prototype = nn.Linear(width, bases, bias=False)
        self.add_module(self._last, maps_layer(bases if phase == 2 else width))

    @property
    def maps_layer(self) -> nn.Conv2d:
        return self.get_submodule(self._last)

    def features(self, encoded: Tensor) -> Tensor:
        for name in self._first:
            encoded = F.relu(self.get_submodule(name)(encoded))
        return encoded
