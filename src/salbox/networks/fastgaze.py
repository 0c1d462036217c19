"""FastGaze: faster gaze prediction with dense networks and Fisher pruning (Theis, Korshunova, Tejani and Huszar 2018).

A chain of convolutions that its authors distilled from DeepGaze II and pruned to 121,000 numbers. It gives the log of
a density of fixations on a grid of a sixteenth of its input, which a Gaussian then smooths.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import sqrt
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ..errors import WeightsError
from ..image import Pixels
from ._device import torch_device
from ._npz import read_weights
from .opened import Opened

FloatMap = npt.NDArray[np.float32]

# Outputs of the layers as released; "pool" halves both sides, rounding up.
KERNELS_3 = (43, 44, "pool", 49, 56, "pool", 44, 38, "pool", 31, 20, "pool", 18, 10)
KERNELS_1 = (7, 7, 2, 1)

MEANS_BGR = (103.939, 116.779, 123.68)  # of ImageNet, subtracted as in VGG
WIDTH = 400  # of the image that the network sees
MAX_PIXELS = 4 * WIDTH * WIDTH  # that it sees; what is taller than four times its width becomes narrower

WIDEST_BLUR = 30.0  # pixels; a wider Gaussian is applied on a coarser grid, where it is this wide


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


class FastGazeModel(Opened[FastGaze]):
    """The network with its weights, an image in and a map out; safe in threads."""

    def __call__(self, image: Pixels, blur: float = 0.025) -> FloatMap:
        """Return exp of the network's log density, smoothed: (H, W) float32, positive.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        blur : float
            Standard deviation of the Gaussian, as a fraction of the image's width.

        Raises
        ------
        WeightsError
            If the weights make numbers too large for a map.
        """
        return self._to_map(self.network(self._input(image)), image, blur)

    def with_features(self, image: Pixels, blur: float = 0.025) -> tuple[FloatMap, dict[str, Tensor]]:
        """Return the map, and the network's features of the image it was shown: {name: (1, C, h, w)}."""
        with torch.no_grad():
            features = self.network.features(self._input(image))
        return self._to_map(list(features.values())[-1], image, blur), features

    def _input(self, image: Pixels) -> Tensor:
        # Pillow's bilinear filter is the one the reference maps were made with; others move the output by per cents.
        seen = Image.fromarray(image).resize(seen_size(*image.shape[:2])[::-1], Image.Resampling.BILINEAR)
        return self._tensor(np.asarray(seen))

    def _to_map(self, log_density: Tensor, image: Pixels, blur: float) -> FloatMap:
        with np.errstate(over="ignore"):  # checked below
            density = np.exp(log_density[0, 0].detach().cpu().double().numpy())
        if not density.max() < np.finfo(np.float32).max:  # also catches NaN
            raise WeightsError(f"{self._where}: the weights make numbers too large for a map")
        height, width = image.shape[:2]
        return enlarged_and_blurred(density.astype(np.float32), (height, width), blur * width)


def seen_size(height: int, width: int) -> tuple[int, int]:
    """Return the size, (h, w), at which the network sees an image: 400 wide, narrower if it is very tall."""
    scale = min(WIDTH / width, sqrt(MAX_PIXELS / (height * width)))
    columns = max(1, round(width * scale))
    return max(1, min(round(height * columns / width), MAX_PIXELS // columns)), columns


def enlarged_and_blurred(coarse: FloatMap, shape: tuple[int, int], sigma: float) -> FloatMap:
    """Return a small map brought to a shape, (H, W), bilinearly, then smoothed by a Gaussian of `sigma` pixels.

    A Gaussian wider than `WIDEST_BLUR` is applied on a grid on which it is that wide, so that a large image takes no
    longer; that changes the map by less than a thousandth of its range.
    """
    height, width = shape
    shrink = min(1.0, WIDEST_BLUR / sigma) if sigma > 0 else 1.0
    grid = max(1, round(width * shrink)), max(1, round(height * shrink))
    fine = cv2.resize(coarse, grid, interpolation=cv2.INTER_LINEAR)
    if sigma > 0:
        fine = cv2.GaussianBlur(
            fine, (0, 0), sigma * grid[0] / width, sigmaY=sigma * grid[1] / height, borderType=cv2.BORDER_REFLECT
        )
    return fine if grid == (width, height) else cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR)


def open_fastgaze(weights: Path, device: str = "cpu") -> FastGazeModel:
    """Return FastGaze with weights from an .npz.

    Parameters
    ----------
    weights : path
        Arrays `convK.weight`, `convK.bias` and, of the last four, `convK.alpha`, the slope below zero.
    device : str
        "cpu", "cuda", "cuda:1", ..

    Raises
    ------
    WeightsError
        If it is not such a file.
    UsageError
        If there is no such device.
    """
    place = torch_device(device)
    network = FastGaze()
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    arrays = read_weights(weights, shapes, "fastgaze")
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return FastGazeModel(network.to(place), str(weights))
