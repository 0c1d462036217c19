"""OpenSALICON, the open implementation (Thomas 2016) of SALICON (Huang, Shen, Boix and Zhao 2015).

Two VGG-16 with weights of their own look at the image at two sizes. The coarse one's features are enlarged to the fine
one's, and a 1x1 convolution reads the map off both.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy.ndimage import zoom
from torch import Tensor, nn

from ..image import Pixels
from ._device import torch_device
from .checkpoints import load_tensors
from .formats.caffe import read_caffe
from .formats.stored import Weights, collect
from .known_files import check_model
from .official.vgg16 import MEANS_BGR, Vgg16
from .opened import Opened

FloatMap = npt.NDArray[np.float32]

FINE, COARSE = (1200, 1600), (600, 800)  # height and width at which the streams look at images
RANGE = 255.0  # that pixels are divided by, once the means are off

# What comes before the number of a layer in the authors' file: of the fine stream nothing.
PREFIXES = {"fine": "", "coarse": "sec_"}
READOUT = "saliency_map"


class Readout(nn.Module):
    """What follows the two streams: a 1x1 convolution over both."""

    def __init__(self, channels: int, outputs: int = 1) -> None:
        super().__init__()
        self.readout = nn.Conv2d(2 * channels, outputs, 1)

    def joined(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Return the coarse stream's features enlarged, and the fine one's behind them: (N, 2 channels, h, w)."""
        size = fine.shape[-2:]
        enlarged = F.interpolate(coarse, size=size, mode="bilinear", align_corners=True)
        return torch.cat([enlarged, fine], dim=1)

    def logits(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Return the maps before their sigmoid, of both streams' features: (N, outputs, h, w)."""
        logits: Tensor = self.readout(self.joined(fine, coarse))
        return logits


class Salicon(Readout):
    """The network."""

    means: Tensor

    def __init__(self) -> None:
        super().__init__(Vgg16.channels)
        self.register_buffer("means", torch.tensor(MEANS_BGR).reshape(1, 3, 1, 1), persistent=False)
        # Caffe's pools round up.
        self.fine = Vgg16([nn.MaxPool2d(2, ceil_mode=True) for _ in range(5)])
        self.coarse = Vgg16([nn.MaxPool2d(2, ceil_mode=True) for _ in range(5)])

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Return maps, each cell in 0..1: (N, 1, ceil(H / 32), ceil(W / 32)).

        Parameters
        ----------
        fine, coarse : (N, 3, H, W) and (N, 3, h, w) float32
            RGB, 0..255: the image at 1200 by 1600, and at half that size.
        """
        return torch.sigmoid(self.logits(self.fine(self._normed(fine)), self.coarse(self._normed(coarse))))

    def _normed(self, images: Tensor) -> Tensor:
        return (images.flip(1) - self.means) / RANGE


class SaliconModel(Opened[Salicon]):
    """The network with its weights, an image in and a map out; safe in threads."""

    def __call__(self, image: Pixels) -> FloatMap:
        """Return what the authors' `compute_saliency` returns: (H, W) float32, about 0..1.

        The network's map is scaled to 0..1 and then enlarged by cubic splines, which can leave that range.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB

        Raises
        ------
        WeightsError
            If the weights make numbers too large for a map.
        """
        fine, coarse = (self._seen(image, size) for size in (FINE, COARSE))
        with torch.inference_mode():
            saliency = self._checked(self.network(fine, coarse))
        raised = saliency - saliency.min()
        highest = raised.max()
        return by_splines(raised / highest if highest > 0 else raised, (image.shape[0], image.shape[1]))

    def whole(self) -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .whole.salicon import WholeSalicon

        return WholeSalicon(self.network, FINE, COARSE)

    def _seen(self, image: Pixels, size: tuple[int, int]) -> Tensor:
        channels = [by_splines(image[:, :, channel], size) for channel in range(3)]
        return torch.from_numpy(np.stack(channels))[None].to(self.network.means)


def by_splines(values: npt.NDArray[np.uint8] | FloatMap, size: tuple[int, int]) -> FloatMap:
    """Return values brought to a size, (H, W), by cubic splines, the corners on each other: float32."""
    factors = tuple(new / old for new, old in zip(size, values.shape, strict=True))
    return np.asarray(zoom(values, factors, np.float32, order=3, mode="nearest"))


def open_salicon(weights: Path, device: str = "cpu") -> SaliconModel:
    """Return OpenSALICON with weights of its authors.

    Parameters
    ----------
    weights : Path
        A .caffemodel.
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
    network = Salicon()
    shapes = {stored_name(name): tuple(value.shape) for name, value in network.state_dict().items()}
    stored = read_caffe(weights)
    check_model(stored, "salicon", weights)
    load_salicon(network, collect(stored, shapes, "OpenSALICON", weights), weights)
    return SaliconModel(network.to(place), str(weights))


def load_salicon(network: Salicon, arrays: Weights, where: Path) -> None:
    """Put arrays, by the authors' names, in the place of a network's own."""
    tensors = {name: torch.from_numpy(arrays[stored_name(name)]) for name in network.state_dict()}
    load_tensors(network, tensors, where)


def stored_name(name: str) -> str:
    """Return what the authors call a tensor of the network, as `read_caffe` names it."""
    part, *layer, kind = name.split(".")
    authors = f"{PREFIXES[part]}{layer[0]}" if layer else READOUT
    return f"{authors}/{0 if kind == 'weight' else 1}"
