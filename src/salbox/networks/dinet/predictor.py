"""DINet: an image in, a map out, with its authors' weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from ...errors import WeightsError
from ...formats.keras import Layer
from ...formats.stored import StoredArray
from ...imaging.scaling import min_max
from ...types import FloatMap, Pixels
from ..ops.letterbox import fit, unfit
from ..predictor import Predictor
from ..readers import AS_TENSORFLOW, KerasFile, Layout
from .card import SIGNATURE
from .network import SIZE, DINet

# What Keras calls the numbers of a normalisation: its own words to PyTorch's.
NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
_COUNTED = re.compile(r"conv2d_(\d+)/")


def stored_name(name: str) -> str:
    """Return what Keras calls a tensor of the network."""
    layer, kind = name.removeprefix("encoder.").split(".")
    if not layer.startswith("bn"):
        return f"{layer}/kernel"
    return f"{layer}/{next(theirs for theirs, ours in NORM.items() if ours == kind)}"


def _by_name(layers: Sequence[Layer], where: Path) -> dict[str, StoredArray]:
    """Return a file's arrays by name; the names are unique, the order differs with how the file was written.

    Keras counts convolutions that have no name of their own within a session. The counts may begin anywhere, so they
    are replaced by 1, 2, .. in their order.
    """
    found: dict[str, StoredArray] = {}
    for layer in layers:
        for name, array in layer.arrays.items():
            plain = name.split(":")[0]
            if plain in found:
                raise WeightsError(f"{where}: holds '{plain[:80]}' twice")
            found[plain] = array
    counts = sorted({int(match[1]) for name in found if (match := _COUNTED.match(name))})
    places = {count: place for place, count in enumerate(counts, start=1)}
    return {_COUNTED.sub(lambda match: f"conv2d_{places[int(match[1])]}/", name): a for name, a in found.items()}


class DINetPredictor(Predictor[DINet]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads an .h5 that Keras wrote, of the whole model or of its weights.
    """

    architecture = DINet
    signature = SIGNATURE
    reads = KerasFile(_by_name, Layout("DINet", stored_name, AS_TENSORFLOW))
    size = SIZE  # of the frame that an image is put into

    def __call__(self, image: Pixels) -> FloatMap:
        """Return the map that the authors' program writes, over 255: (H, W) float32, scaled to 0..1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB

        Raises
        ------
        WeightsError
            If the weights make numbers too large for a map.
        """
        # The program's frame is black before the means go off it.
        with torch.inference_mode():
            saliency = self._checked(self.network(self._tensor(fit(image, *self.size))))
        return min_max(unfit(saliency, (image.shape[0], image.shape[1])))

    def graph(self) -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .graph import DINetGraph

        return DINetGraph(self.network, self.size)
