"""ResNet-50 without its classifier (He et al. 2016), layers named as in torchvision's and Paddle's whole networks."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models import resnet50


class ResNet50Stages(nn.Module):
    """The stem, `conv1` and `bn1`, and the four stages, `layer1` to `layer4`.

    Attributes
    ----------
    channels : tuple of int
        Of the features at strides 4, 8, 16 and 32.
    """

    channels = (256, 512, 1024, 2048)

    def __init__(self) -> None:
        super().__init__()
        for name, layer in resnet50(weights=None).named_children():
            if name not in ("avgpool", "fc"):
                self.add_module(name, layer)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return what the stages give: (N, 256, H/4, W/4) .. (N, 2048, H/32, W/32), rounded up.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, normalised.
        """
        found = []
        for name, layer in self.named_children():
            images = layer(images)
            if name.startswith("layer"):
                found.append(images)
        return found
