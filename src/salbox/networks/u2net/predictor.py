"""U²-Net: an image in, the salient object out, with its authors' weights."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import nn

from ...imaging.scaling import map_at
from ...runtime.rembg import scaled
from ...types import FloatMap, Pixels
from ..predictor import Predictor
from ..readers import PyTorchFile
from .card import SIGNATURE
from .network import SIZE, U2Net, U2NetP, brightened

ENCODER = {f"{name}.": f"encoder.{name}." for name, *_ in U2Net.down}  # what the file has at the top


class U2NetPredictor(Predictor[U2Net]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads the authors' .pth.

    Attributes
    ----------
    architecture : type
        Of the class: the network.
    """

    architecture: ClassVar[type[U2Net]] = U2Net
    signature = SIGNATURE
    reads = PyTorchFile(renamed=ENCODER)
    size = SIZE

    @classmethod
    def make(cls, names: Collection[str]) -> U2Net:
        """See `Predictor`."""
        return cls.architecture(["saliency"])

    def __call__(self, image: Pixels, scaling: str = "none") -> FloatMap:
        """Return the probability that pixels are the salient object's: (H, W) float32 in 0..1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        scaling : {"none", "min-max"}
            "min-max" stretches the map to 0..1, as the authors' program does.

        Raises
        ------
        WeightsError
            If the weights make numbers that are none.
        """
        height, width = self.size
        resized = cv2.resize(image.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        with torch.inference_mode():
            coarse = self._checked(self.network.maps(brightened(self._tensor(resized))))
        return scaled(map_at(coarse, (image.shape[0], image.shape[1]), "probability"), scaling)

    def graph(self, scaling: str = "none") -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .graph import U2NetGraph

        return U2NetGraph(self.network, self.size, scaling)


class U2NetPPredictor(U2NetPredictor):
    """The same of U²-Net-p."""

    architecture = U2NetP
