"""SAMNet: an image in, the salient object out, with its authors' weights."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np
import torch
from torch import nn

from ...imaging.scaling import map_at
from ...types import FloatMap, Pixels
from ..predictor import Predictor
from ..readers import PyTorchFile
from .blocks import enlarged
from .card import SIGNATURE
from .network import SIZE, SAMNet

NAMES = {"context_path.": "encoder.", "heads.": "readouts."}  # the file's, and the network's


class SAMNetPredictor(Predictor[SAMNet]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads the authors' .pth.
    """

    signature = SIGNATURE
    reads = PyTorchFile(renamed=NAMES)
    size = SIZE

    @classmethod
    def make(cls, names: Collection[str]) -> SAMNet:
        """See `Predictor`."""
        return SAMNet(["saliency"])

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
            images = self._tensor(resized)
            read = self.network.decoder_readout(self.network.decoder_features(images))
            coarse = self._checked(enlarged(read.sigmoid(), images))
        return map_at(coarse, (image.shape[0], image.shape[1]), "probability")

    def graph(self) -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .graph import SAMNetGraph

        return SAMNetGraph(self.network, self.size)
