"""DeepGaze IIE: calibrated prediction in and out-of-domain for saliency (Linardos, Kümmerer, Press and Bethge 2021).

Four networks that were trained to name objects, with thirty readouts each (three trainings on each of ten folds of
MIT1003). Each readout gives a density of fixations; the mean of all 120 is the model. Modules have the names of the
authors' weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet50, resnext50_32x4d

from ..deepgaze.efficientnet_b5 import EfficientNetB5
from ..deepgaze.layers import Bias, Finalizer, ImageNetNorm, LayerNorm, gathered, halve, nearest
from ..deepgaze.tapped import TappedDenseNet201, TappedResNet

COMPONENTS = 30  # readouts of each network
READOUT_FACTOR = 16  # of the halved image to the readout
SALIENCY_WIDTHS = (8, 16, 1)
SELECTION_WIDTHS = (128, 16, 1)
SMALLEST = 64  # pixels: EfficientNet halves a side of 32 five times


@dataclass(frozen=True)
class Backbone:
    """A network and the layers that are read, in the order in which the weights of the readout take them."""

    prefix: str  # of the network's weights
    layers: tuple[str, ...]
    channels: int  # of all layers


# In the order of the file: ResNet-50 trained on shapes, EfficientNet-B5, DenseNet-201, ResNeXt-50.
BACKBONES = (
    Backbone(
        "1.module",
        (
            "layer3.0.conv2",
            "layer3.3.conv2",
            "layer3.5.conv1",
            "layer3.5.conv2",
            "layer4.1.conv2",
            "layer4.2.conv2",
        ),
        2048,
    ),
    Backbone("1", ("_blocks.24._depthwise_conv", "_blocks.26._depthwise_conv", "_blocks.35._project_conv"), 2416),
    Backbone(
        "1",
        (
            "features.denseblock4.denselayer32.norm1",
            "features.denseblock4.denselayer32.conv1",
            "features.denseblock4.denselayer31.conv2",
        ),
        2048,
    ),
    Backbone("1", ("layer3.5.conv1", "layer3.5.conv2", "layer3.4.conv2", "layer4.2.conv2"), 2560),
)


class DeepGazeIIE(nn.Module):
    """The network.

    Parameters
    ----------
    components : int
        Readouts of each of the four networks; the published model has 30.

    References
    ----------
    Linardos, Kümmerer, Press and Bethge: Calibrated prediction in and out-of-domain for state-of-the-art saliency
    modeling. ICCV 2021, section 3.
    """

    def __init__(self, components: int = COMPONENTS) -> None:
        super().__init__()
        self.normalize = ImageNetNorm(saved=False)
        networks = (TappedResNet(resnet50), EfficientNetB5(), TappedDenseNet201(), TappedResNet(resnext50_32x4d))
        self.models = nn.ModuleList(
            [Mixture(b, network, components) for b, network in zip(BACKBONES, networks, strict=True)]
        )

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return each network's layers and what its readouts see of them; see `Mixture.taps`.

        Names begin with the network's place, as the weights' do: "0.layer3.0.conv2" .. "3.gathered".

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255.
        """
        normalized = self.normalize(halve(images))
        taps = (model.taps(normalized) for model in self.models)  # type: ignore[operator,unused-ignore]
        return {f"{place}.{name}": values for place, found in enumerate(taps) for name, values in found.items()}

    def forward(self, images: Tensor, center_bias: Tensor) -> Tensor:
        """Return log densities: (N, 1, H, W), exp sums to 1.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255, at about 35 pixels a degree of visual angle.
        center_bias : (N, 1, H, W) float32
            Log density.
        """
        halved, halved_bias = halve(images), halve(center_bias)
        normalized = self.normalize(halved)
        size = images.shape[-2:]
        areas = covered(halved.shape[-2:], size).to(images)
        total: Tensor | None = None
        for model in self.models:
            density = model(normalized, halved_bias, areas)
            total = density if total is None else _added(total, density)
        assert total is not None  # noqa: S101 - there are four
        return nearest(total - log(len(self.models)), size)


class Mixture(nn.Module):
    """One network with its readouts."""

    def __init__(self, backbone: Backbone, network: nn.Module, components: int) -> None:
        super().__init__()
        self.layers = backbone.layers
        for name in reversed(backbone.prefix.split(".")):
            network = nn.ModuleDict({name: network})
        self.features = nn.ModuleDict({"features": network})
        self._network = f"features.features.{backbone.prefix}"
        count = range(components)
        self.saliency_networks = nn.ModuleList([SaliencyReadout(backbone.channels) for _ in count])
        self.fixation_selection_networks = nn.ModuleList([SelectionReadout() for _ in count])
        self.finalizers = nn.ModuleList([Finalizer() for _ in count])

    def taps(self, images: Tensor) -> dict[str, Tensor]:
        """Return `layers`, and "gathered", which the readouts see: all side by side, a sixteenth of the size.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            Halved and normalised.
        """
        found = self.get_submodule(self._network)(images, self.layers)
        layers = {name: found[name] for name in self.layers}
        return {**layers, "gathered": gathered(list(layers.values()), images, READOUT_FACTOR)}

    def forward(self, images: Tensor, center_bias: Tensor, areas: Tensor) -> Tensor:
        """Return the log of the mean of the readouts' densities: (N, 1, H, W).

        Parameters
        ----------
        images : (N, 3, H, W) float32
            Halved and normalised.
        center_bias : (N, 1, H, W) float32
            Halved.
        areas : (H, W) float32
            See `covered`.
        """
        features = self.taps(images)["gathered"]
        total: Tensor | None = None
        readouts = zip(self.saliency_networks, self.fixation_selection_networks, strict=True)
        coarse = torch.cat([selection(saliency(features)) for saliency, selection in readouts], dim=1)
        enlarged = nearest(coarse, center_bias.shape[-2:]).split(1, dim=1)
        for finalizer, readout in zip(self.finalizers, enlarged, strict=True):
            values = finalizer.blurred(readout, center_bias)
            density = values - torch.logsumexp(values + areas, dim=(-2, -1), keepdim=True)
            total = density if total is None else _added(total, density)
        assert total is not None  # noqa: S101 - there is at least one
        return total - log(len(self.finalizers))


def _added(one: Tensor, other: Tensor) -> Tensor:
    """Return the log of a sum of exponentials; PyTorch's own cannot be exported."""
    return torch.maximum(one, other) + torch.log1p(torch.exp(-(one - other).abs()))


class SaliencyReadout(nn.Module):
    """Three times: norm, 1x1 convolution, bias, softplus."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        for index, outputs in enumerate(SALIENCY_WIDTHS):
            self.add_module(f"layernorm{index}", LayerNorm(inputs))
            self.add_module(f"conv{index}", nn.Conv2d(inputs, outputs, 1, bias=False))
            self.add_module(f"bias{index}", Bias(outputs))
            inputs = outputs

    def forward(self, features: Tensor) -> Tensor:
        """Return a map, (N, 1, h, w), of features (N, C, h, w)."""
        for index in range(len(SALIENCY_WIDTHS)):
            normed = self.get_submodule(f"layernorm{index}")(features)
            features = self.get_submodule(f"bias{index}")(self.get_submodule(f"conv{index}")(normed))
            features = functional.softplus(features)
        return features


class SelectionReadout(nn.Module):
    """From the map of saliency to that of fixations: a function of each place's number, learned as 1x1 convolutions.

    The authors' other models give it the fixations before, too; here the first of several inputs is the only one.
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, last = SELECTION_WIDTHS
        self.layernorm0 = nn.ModuleDict({"layernorm_part0": LayerNorm(1)})
        self.conv0 = nn.ModuleDict({"conv_part0": nn.Conv2d(1, first, 1, bias=False)})
        self.bias0 = Bias(first)
        self.layernorm1 = LayerNorm(first)
        self.conv1 = nn.Conv2d(first, second, 1, bias=False)
        self.bias1 = Bias(second)
        self.conv2 = nn.Conv2d(second, last, 1, bias=False)

    def forward(self, saliency: Tensor) -> Tensor:
        """Return a map of the same shape, (N, 1, h, w)."""
        normed = self.layernorm0["layernorm_part0"](saliency)
        values = functional.softplus(self.bias0(self.conv0["conv_part0"](normed)))
        values = functional.softplus(self.bias1(self.conv1(self.layernorm1(values))))
        selected: Tensor = self.conv2(values)
        return selected


def covered(small: tuple[int, int], large: tuple[int, int]) -> Tensor:
    """Return the log of how many pixels of the large size each pixel of the small one becomes: (h, w) float32.

    Nearest neighbours make two rows of each; of an odd number the first becomes three. So does it with columns.
    """
    counts = []
    for few, many in zip(small, large, strict=True):
        count = 2.0 + (many - 2 * few) * (torch.arange(few) == 0)
        counts.append(count.log())
    return counts[0][:, None] + counts[1]
