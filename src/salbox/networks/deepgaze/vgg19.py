"""VGG-19's convolutions (Simonyan and Zisserman 2015) as DeepGaze has them: with names, and pools that round up."""

from __future__ import annotations

from collections.abc import Collection

from torch import Tensor, nn
from torch.nn import functional

from .layers import ImageNetNorm

STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels and convolutions; a pool between two stages


class VGG19(nn.Module):
    """The network up to its last convolution: `conv1_1` .. `conv5_4`, each with a `relu1_1` .. `relu5_4` behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.normalize = ImageNetNorm(saved=True)
        inputs = 3
        for stage, (channels, count) in enumerate(STAGES, start=1):
            for index in range(1, count + 1):
                self.add_module(f"conv{stage}_{index}", nn.Conv2d(inputs, channels, 3, padding=1))
                inputs = channels

    def forward(self, images: Tensor, names: Collection[str]) -> dict[str, Tensor]:
        """Return what layers give, by name, for images (N, 3, H, W) in 0..255; a stage halves the sides, rounding up.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255.
        names : collection of str
            "conv5_1", "relu5_4", ..
        """
        found = {}
        values = self.normalize(images)
        for stage, (_, count) in enumerate(STAGES, start=1):
            for index in range(1, count + 1):
                convolved = self.get_submodule(f"conv{stage}_{index}")(values)
                values = functional.relu(convolved)
                found.update({f"conv{stage}_{index}": convolved, f"relu{stage}_{index}": values})
            found = {name: tensor for name, tensor in found.items() if name in names}
            if stage < len(STAGES):
                values = functional.max_pool2d(values, 2, ceil_mode=True)
        return found
