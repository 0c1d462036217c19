"""DINet: a dilated inception network for visual saliency prediction (Yang, Lin, Jiang and Lin 2020).

A dilated ResNet-50, a 1x1 convolution to 256 channels, three convolutions of different dilation side by side whose sum
goes through three more; a sigmoid, and the map eight times enlarged. None of the convolutions has a bias.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbones.resnet50_keras import ResNet50Keras
from ..backbones.vgg16 import MEANS_BGR
from ..ops.upsampling import enlarged_by

SIZE = (320, 480)  # height and width at which the network looks at images (the program's config.yaml)
SCALE = 8
WIDTH = 256
DILATIONS = {"conv2d_2": 4, "conv2d_3": 8, "conv2d_4": 16}


class Readout(nn.Module):
    """What follows the encoder.

    Parameters
    ----------
    inputs : int
        Channels of the features.
    outputs : int
        Maps.
    width : int
        Channels of the layers.
    """

    def __init__(self, inputs: int, outputs: int = 1, width: int = WIDTH) -> None:
        super().__init__()
        self.conv2d_1 = nn.Conv2d(inputs, width, 1, bias=False)
        for name, dilation in DILATIONS.items():
            self.add_module(name, nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False))
        self.conv2d_5 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2d_6 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2d_7 = nn.Conv2d(width, outputs, 3, padding=1, bias=False)

    def read(self, features: Tensor) -> dict[str, Tensor]:
        """Return "conv2d_1", "branches" (the sum of the three), "conv2d_5" and "conv2d_6", (N, width, h, w)."""
        found = {}
        found["conv2d_1"] = reduced = F.relu(self.conv2d_1(features))
        found["branches"] = torch.stack([F.relu(self.get_submodule(name)(reduced)) for name in DILATIONS]).sum(0)
        found["conv2d_5"] = F.relu(self.conv2d_5(found["branches"]))
        found["conv2d_6"] = F.relu(self.conv2d_6(found["conv2d_5"]))
        return found


class DINet(Readout):
    """The network; but for "encoder.", its tensors are called as the authors' layers."""

    means: Tensor

    def __init__(self) -> None:
        super().__init__(ResNet50Keras.channels)
        self.register_buffer("means", torch.tensor(MEANS_BGR).reshape(1, 3, 1, 1), persistent=False)
        # TensorFlow pads an even side at its end only.
        self.encoder = ResNet50Keras(has_bias=False, epsilon=1e-3, pool_padding=(0, 1, 0, 1))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return what `read` does, and "map" (after the sigmoid), at stride 8.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255, of sides that 8 divides.
        """
        found = self.read(self.encoder(images.flip(1) - self.means))
        found["map"] = torch.sigmoid(self.conv2d_7(found["conv2d_6"]))
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return maps: (N, 1, H, W), each pixel in 0..1; see `features`."""
        return enlarged_by(self.features(images)["map"], SCALE)
