"""FastGaze: faster gaze prediction with dense networks and Fisher pruning (Theis, Korshunova, Tejani and Huszar 2018).

A chain of convolutions that its authors distilled from DeepGaze II and pruned to 121,000 numbers. It gives the log of
a density of fixations on a grid of a sixteenth of its input, which a Gaussian then smooths.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Outputs of the layers as released; "pool" halves both sides, rounding up.
KERNELS_3 = (43, 44, "pool", 49, 56, "pool", 44, 38, "pool", 31, 20, "pool", 18, 10)
KERNELS_1 = (7, 7, 2, 1)

MEANS_BGR = (103.939, 116.779, 123.68)  # of ImageNet, subtracted as in VGG
WIDTH = 400  # of the image that the network sees


class FastGaze(nn.Module):
    """The network; its parameters have the names of the weights' file."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("means", torch.tensor(MEANS_BGR).reshape(1, 3, 1, 1), persistent=False)
        channels = 3
        for index, outputs in enumerate(KERNELS_3):
            if isinstance(outputs, int):
                self.add_module(f"conv{index}", nn.Conv2d(channels, outputs, 3, padding=1))
                channels = outputs
        for index, outputs in enumerate(KERNELS_1, start=len(KERNELS_3)):
            self.add_module(f"conv{index}", _LeakyConv(channels, outputs))
            channels = outputs

    def forward(self, images: Tensor) -> Tensor:
        """Return the log of a density, up to a constant: (N, 1, ceil(H / 16), ceil(W / 16)).

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255; about 400 wide.
        """
        _, last = deque(self._layers(images), maxlen=1).pop()
        return last

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return what each convolution gives after its rectifier: {"conv0": (N, 43, H, W), .., "conv17": (N, 1, h, w)}.

        The names are the release's, which count pools too; the last is what `forward` returns.
        """
        return dict(self._layers(images))

    def _layers(self, images: Tensor) -> Iterator[tuple[str, Tensor]]:
        values = images.flip(1) - self.means
        for index, kind in enumerate((*KERNELS_3, *KERNELS_1)):
            if kind == "pool":
                values = F.max_pool2d(values, 2, ceil_mode=True)
                continue
            convolution = self.get_submodule(f"conv{index}")
            values = convolution(values)
            values = values if isinstance(convolution, _LeakyConv) else F.relu(values)
            yield f"conv{index}", values


class _LeakyConv(nn.Conv2d):
    """A 1x1 convolution and a leaky rectifier with a learned slope, `alpha`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)
        self.alpha = nn.Parameter(torch.zeros(1))

    def forward(self, values: Tensor) -> Tensor:
        return F.prelu(super().forward(values), self.alpha)
