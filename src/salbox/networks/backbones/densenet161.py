"""DenseNet-161 without its last norm and its classifier (Huang et al. 2017)."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models import densenet161


class DenseNet161(nn.Module):
    """The stem, blocks and transitions in one list, which names the weights `encoder.0` .. `encoder.10`.

    Attributes
    ----------
    channels : tuple of int
        Of the features at strides 8, 16 and 32.
    """

    channels = (768, 2112, 2208)
    TAPS = (6, 8, 10)  # places in the list: the second, third and fourth dense block, as they are, without norm

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(list(densenet161(weights=None).features.children())[: self.TAPS[-1] + 1])

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return features at strides 8, 16 and 32: (N, 768, H/8, W/8), (N, 2112, ..), (N, 2208, ..)."""
        found = []
        for index, stage in enumerate(self.encoder):
            images = stage(images)
            if index in self.TAPS:
                found.append(images)
        return found
