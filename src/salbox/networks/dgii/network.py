"""DeepGaze II: reading fixations from deep features trained on object recognition (Kümmerer, Wallis and Bethge 2016).

VGG-19 as it was trained to name objects, four 1x1 convolutions on its last stage, a blur and a centre bias: the log of
a density of fixations. Its authors' repository of DeepGaze networks holds its parts, but neither a file of weights nor
the network put together; the names of the readout's weights here are those of that repository's other networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional

from ..deepgaze.layers import Bias, Finalizer, gathered, halve
from ..deepgaze.vgg19 import VGG19
from ..layers import resize_like

LAYERS = ("conv5_1", "relu5_1", "relu5_2", "conv5_3", "relu5_4")  # of VGG-19, 512 channels each
WIDTHS = (16, 32, 2, 1)  # of the readout
READOUT_FACTOR = 8  # of the halved image to the readout
SMALLEST = 2  # pixels, a side that can be halved


class DeepGazeII(nn.Module):
    """The network.

    References
    ----------
    Kümmerer, Wallis, Gatys and Bethge: Understanding low- and high-level contributions to fixation prediction. ICCV
    2017, section 3; at first Kümmerer, Wallis and Bethge, arXiv:1610.01563.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = Features()
        self.readout_network = Readout(512 * len(LAYERS))
        self.finalizer = Finalizer()

    def forward(self, images: Tensor, center_bias: Tensor) -> Tensor:
        """Return log densities: (N, 1, H, W), exp sums to 1.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255, at about 35 pixels a degree of visual angle.
        center_bias : (N, 1, H, W) float32
            Log density.
        """
        readout = self.readout_network(self.features(images)["gathered"])
        density: Tensor = self.finalizer(readout, center_bias)
        return density


class Features(nn.Module):
    """VGG-19 on every second pixel, by the name that it has in the authors' other networks."""

    def __init__(self) -> None:
        super().__init__()
        self.features = VGG19()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return `LAYERS`, and "gathered", which the map is read off: all side by side, an eighth of the halved size.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255.
        """
        halved = halve(images)
        found: dict[str, Tensor] = self.features(halved, LAYERS)
        return {**found, "gathered": gathered([found[name] for name in LAYERS], halved, READOUT_FACTOR)}


class Readout(nn.Module):
    """1x1 convolutions, each with a bias and a ReLU or what is in its place.

    Parameters
    ----------
    inputs : int
    widths : sequence of int
        Channels that each gives.
    activation : callable
    """

    def __init__(
        self, inputs: int, widths: Sequence[int] = WIDTHS, activation: Callable[[Tensor], Tensor] = functional.relu
    ) -> None:
        super().__init__()
        self._layers, self._activation = len(widths), activation
        for index, outputs in enumerate(widths):
            self.add_module(f"conv{index}", nn.Conv2d(inputs, outputs, 1, bias=False))
            self.add_module(f"bias{index}", Bias(outputs))
            inputs = outputs

    def forward(self, values: Tensor) -> Tensor:
        """Return maps, (N, C, h, w), of features."""
        return self._after_first(self.get_submodule("conv0")(values))

    def of_strides(self, taps: Sequence[Tensor]) -> Tensor:
        """Return the maps of features side by side, all enlarged to the first: at the size of the first.

        The first layer comes before the enlarging here: linear both, they can change places, and few channels are
        enlarged in place of many.
        """
        kernels = self.get_parameter("conv0.weight").split([tap.shape[1] for tap in taps], dim=1)
        first, *coarse = [functional.conv2d(tap, kernel) for tap, kernel in zip(taps, kernels, strict=True)]
        return self._after_first(sum((resize_like(each, first) for each in coarse), first))

    def _after_first(self, convolved: Tensor) -> Tensor:
        """Return the maps, given what the first convolution gives."""
        for index in range(self._layers):
            if index > 0:
                convolved = self.get_submodule(f"conv{index}")(convolved)
            convolved = self._activation(self.get_submodule(f"bias{index}")(convolved))
        return convolved
