"""OpenSALICON: an image in, a map out, with its authors' weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import zoom
from torch import Tensor, nn

from ...formats.caffe import read_caffe
from ...imaging.scaling import min_max
from ...types import FloatMap, Pixels
from ..predictor import Predictor
from ..readers import ArrayFile, Layout
from .card import SIGNATURE
from .network import COARSE, FINE, Salicon

# What comes before the number of a layer in the authors' file: of the fine stream nothing.
PREFIXES = {"fine": "", "coarse": "sec_"}
READOUT = "saliency_map"


def stored_name(name: str) -> str:
    """Return what the authors call a tensor of the network, as `read_caffe` names it."""
    part, *layer, kind = name.split(".")
    authors = f"{PREFIXES[part]}{layer[0]}" if layer else READOUT
    return f"{authors}/{0 if kind == 'weight' else 1}"


class SaliconPredictor(Predictor[Salicon]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads the authors' .caffemodel.
    """

    architecture = Salicon
    signature = SIGNATURE
    reads = ArrayFile(read_caffe, Layout("OpenSALICON", stored_name))
    sizes = (FINE, COARSE)  # at which the streams look at an image

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
        fine, coarse = (self._input(image, size) for size in self.sizes)
        with torch.inference_mode():
            saliency = self._checked(self.network(fine, coarse))
        return by_splines(min_max(saliency), (image.shape[0], image.shape[1]))

    def graph(self) -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .graph import SaliconGraph

        return SaliconGraph(self.network, *self.sizes)

    def _input(self, image: Pixels, size: tuple[int, int]) -> Tensor:
        channels = [by_splines(image[:, :, channel], size) for channel in range(3)]
        return torch.from_numpy(np.stack(channels))[None].to(self.network.means)


def by_splines(values: npt.NDArray[np.uint8] | FloatMap, size: tuple[int, int]) -> FloatMap:
    """Return values brought to a size, (H, W), by cubic splines, the corners on each other: float32."""
    factors = tuple(new / old for new, old in zip(size, values.shape, strict=True))
    return np.asarray(zoom(values, factors, np.float32, order=3, mode="nearest"))
