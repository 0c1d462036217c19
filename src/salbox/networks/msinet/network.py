"""MSI-Net: contextual encoder-decoder network for visual saliency prediction (Kroner et al. 2020).

A VGG-16 whose last two pools keep the size, its features of three depths side by side, over them convolutions of
several dilations and the mean of the whole picture, three enlargings; the map is scaled to 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbones.vgg16 import MEANS_BGR, PaddedMaxPool, Vgg16
from ..ops.upsampling import enlarged_by

# Height and width at which the network looks at images, by what it was trained on (the program's config.py).
SIZES: Mapping[str, tuple[int, int]] = {
    "salicon": (240, 320),
    "osie": (240, 320),
    "mit1003": (360, 360),
    "dutomron": (360, 360),
    "pascals": (360, 360),
    "cat2000": (216, 384),
    "fiwi": (216, 384),
}
FILL = 126  # around an image whose shape is not the network's
EPSILON = 1e-7  # added to the maximum that a map is divided by

DILATIONS = {"conv1_2": 4, "conv1_3": 8, "conv1_4": 12}
WIDTH = 256


class MSINet(nn.Module):
    """The network.

    Attributes
    ----------
    encoder : Vgg16
    aspp, decoder : nn.Module
        Their convolutions have the names of the authors' variables.
    """

    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The program takes the means of B, G and R off R, G and B. Its weights were learned so.
        self.register_buffer("means", torch.tensor(MEANS_BGR).reshape(1, 3, 1, 1), persistent=False)
        halving = [nn.MaxPool2d(2) for _ in range(3)]
        keeping = [PaddedMaxPool(1, before=False) for _ in range(2)]
        self.encoder = Vgg16([*halving, *keeping], last_dilation=2)
        self.aspp = Context(256 + 2 * self.encoder.channels)
        self.decoder = Decoder()

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "pool1" .. "pool5" of the encoder, "context" at stride 8, and "decoder", which the map is read off.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255.
        """
        found = self.encoder.features(images - self.means)
        found["context"] = self.aspp(torch.cat([found["pool3"], found["pool4"], found["pool5"]], dim=1))
        found["decoder"] = self.decoder.enlarged(found["context"])
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return maps before they are scaled: (N, 1, H, W) for sides that 8 divides; see `features`."""
        logits: Tensor = self.decoder.conv4(self.features(images)["decoder"])
        return logits

    @staticmethod
    def scaled(logits: Tensor) -> Tensor:
        """Return maps scaled to 0..1, each by itself; a constant one becomes 0."""
        raised = logits - logits.amin((1, 2, 3), keepdim=True)
        return raised / (EPSILON + raised.amax((1, 2, 3), keepdim=True))


class Context(nn.Module):
    """What is there at several distances: atrous spatial pyramid pooling."""

    def __init__(self, inputs: int, width: int = WIDTH) -> None:
        super().__init__()
        self.conv1_1 = nn.Conv2d(inputs, width, 1)
        for name, dilation in DILATIONS.items():
            self.add_module(name, nn.Conv2d(inputs, width, 3, padding=dilation, dilation=dilation))
        self.conv1_5 = nn.Conv2d(inputs, width, 1)
        self.conv2 = nn.Conv2d(5 * width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return what is around each place: (N, width, h, w) for features (N, inputs, h, w)."""
        near = [F.relu(self.get_submodule(name)(features)) for name in ("conv1_1", *DILATIONS)]
        mean = F.relu(self.conv1_5(features.mean((2, 3), keepdim=True)))
        return F.relu(self.conv2(torch.cat([*near, mean.expand_as(near[0])], dim=1)))


class Decoder(nn.Module):
    """Three times enlarged and convolved, then a convolution to the maps."""

    def __init__(self, width: int = WIDTH, outputs: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width // 2, 3, padding=1)
        self.conv2 = nn.Conv2d(width // 2, width // 4, 3, padding=1)
        self.conv3 = nn.Conv2d(width // 4, width // 8, 3, padding=1)
        self.conv4 = nn.Conv2d(width // 8, outputs, 3, padding=1)

    def enlarged(self, features: Tensor) -> Tensor:
        """Return what the last convolution looks at: (N, width / 8, 8 h, 8 w)."""
        for convolution in (self.conv1, self.conv2, self.conv3):
            features = F.relu(convolution(enlarged_by(features, 2)))
        return features
