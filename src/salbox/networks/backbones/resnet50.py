"""ResNet-50 without its classifier (He et al. 2016), with the stride on the 3x3 convolutions as torchvision has it."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models import resnet50


class ResNet50(nn.Module):
    """The stem and the four stages in one list, which names the weights `encoder.0` .. `encoder.7`.

    Attributes
    ----------
    channels : tuple of int
        Of the features at strides 8, 16 and 32.
    """

    channels = (512, 1024, 2048)
    TAPS = (5, 6, 7)  # places in the list: the second, third and fourth stage

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(list(resnet50(weights=None).children())[: self.TAPS[-1] + 1])

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return features at strides 8, 16 and 32: (N, 512, H/8, W/8), (N, 1024, ..), (N, 2048, ..), rounded up."""
        found = []
        for index, stage in enumerate(self.encoder):
            images = stage(images)
            if index in self.TAPS:
                found.append(images)
        return found
