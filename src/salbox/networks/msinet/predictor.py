"""MSI-Net: an image in, a map out, with its authors' weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from ...errors import UsageError
from ...formats.tensorflow import read_tensorflow
from ...types import FloatMap, Pixels
from ..ops.tensorflow_resize import resize
from ..predictor import Predictor
from ..readers import AS_TENSORFLOW, ArrayFile, Layout
from .card import SIGNATURE
from .network import FILL, SIZES, MSINet

# Of an optimiser, in checkpoints that training wrote; the map does not depend on them.
IGNORED_ENDS = ("/Adam", "/Adam_1")
IGNORED = frozenset({"beta1_power", "beta2_power", "global_step"})
# Weights are called so; a graph's other constants (means, sides, axes) are part of the program, written anew here.
WEIGHTS_ENDS = ("/kernel", "/bias")


def stored_name(name: str) -> str:
    """Return what the authors call a tensor of the network, "encoder.conv1_1.weight" for example."""
    part, layer, kind = name.split(".")
    scope = layer.split("_")[0] if part == "encoder" else part
    return f"{scope}/{layer}/{'kernel' if kind == 'weight' else 'bias'}"


def _is_ignored(name: str) -> bool:
    return name in IGNORED or name.endswith(IGNORED_ENDS) or not name.endswith(WEIGHTS_ENDS)


class MSINetPredictor(Predictor[MSINet]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads a frozen graph (.pb), or a checkpoint's .index with its .data beside it.
    """

    architecture = MSINet
    signature = SIGNATURE
    reads = ArrayFile(read_tensorflow, Layout("MSI-Net", stored_name, AS_TENSORFLOW, _is_ignored))
    sizes = SIZES  # at which an image is looked at, by data set

    def __call__(self, image: Pixels, dataset: str = "salicon") -> FloatMap:
        """Return the map that the authors' program writes, not rounded to 8 bits: (H, W) float32 in 0..1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        dataset : str
            What the weights were trained on, a key of `sizes`; it decides at which size the network looks.

        Raises
        ------
        UsageError
            If there is no such data set.
        WeightsError
            If the weights make numbers too large for a map.
        """
        if dataset not in self.sizes:
            raise UsageError(f"dataset '{dataset}': expected one of {', '.join(self.sizes)}")
        with torch.inference_mode():
            logits = self.network(self._tensor(framed(image, self.sizes[dataset])))
            saliency = self._checked(self.network.scaled(logits))
        return unframed(saliency, (image.shape[0], image.shape[1]))

    def graph(self, dataset: str = "salicon") -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .graph import MSINetGraph

        return MSINetGraph(self.network, self.sizes[dataset])


def framed(image: Pixels, size: tuple[int, int]) -> FloatMap:
    """Return an image in the middle of a frame, its shape kept: (h, w, 3) float32 in 0..255."""
    inner = _sides(image.shape[:2], min(size[0] / image.shape[0], size[1] / image.shape[1]))
    result = np.full((*size, 3), FILL, np.float32)
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    resized = resize(image, inner, (0, 0), inner)
    result[top : top + inner[0], left : left + inner[1]] = np.clip(resized, 0, 255)
    return result


def unframed(saliency: FloatMap, shape: tuple[int, int]) -> FloatMap:
    """Return the map of a frame enlarged or shrunk until it covers an image, its middle cut out: (H, W) float32."""
    size = (saliency.shape[0], saliency.shape[1])
    covering = _sides(size, max(shape[0] / size[0], shape[1] / size[1]))
    start = ((covering[0] - shape[0]) // 2, (covering[1] - shape[1]) // 2)
    return np.clip(resize(saliency[:, :, None], covering, start, shape)[:, :, 0], 0, 1)


def _sides(sides: tuple[int, ...], ratio: float) -> tuple[int, int]:
    height, width = (max(1, int(np.rint(side * ratio))) for side in sides)
    return height, width
