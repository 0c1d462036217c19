"""GCPANet: an image in, the salient object out, with its authors' weights."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np
import torch
from torch import nn

from ...imaging.scaling import map_at
from ...types import FloatMap, Pixels
from ..layers import Normalize
from ..predictor import Predictor
from ..readers import PyTorchFile
from .card import SIGNATURE
from .network import SIZE, GCPANet

# Of DUTS's pixels, in 0..255, as the program has them.
MEAN, STD = (124.55, 118.90, 102.94), (56.77, 55.97, 57.50)


class GCPANetPredictor(Predictor[GCPANet]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads the authors' .pth.
    """

    signature = SIGNATURE
    reads = PyTorchFile(renamed={"bkbone.": "encoder."})
    size = SIZE

    @classmethod
    def make(cls, names: Collection[str]) -> GCPANet:
        """See `Predictor`."""
        network = GCPANet(["saliency"])
        network.normalize = Normalize([value / 255 for value in MEAN], [value / 255 for value in STD])
        return network

    def __call__(self, image: Pixels) -> FloatMap:
        """Return the probability that pixels are the salient object's: (H, W) float32 in 0..1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB

        Raises
        ------
        WeightsError
            If the weights make numbers that are none.
        """
        height, width = self.size
        resized = cv2.resize(image.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        with torch.inference_mode():
            logits = self._checked(self.network(self._tensor(resized)))
        # As in the program logits are enlarged, not probabilities.
        enlarged = map_at(logits, (image.shape[0], image.shape[1]), "score")
        return np.exp(-np.logaddexp(np.float32(0), -enlarged))

    def graph(self) -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .graph import GCPANetGraph

        return GCPANetGraph(self.network, self.size)
