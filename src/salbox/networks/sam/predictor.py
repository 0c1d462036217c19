"""SAM: an image in, a map out, with its authors' weights."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import torch
from torch import nn

from ...types import FloatMap, Pixels
from ..ops.letterbox import fit, unfit
from ..predictor import Predictor
from .card import SIGNATURE
from .files import SamFile, encoder_of
from .network import REACH, SIGMA, SIZE, Sam


class SamPredictor(Predictor[Sam]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads an .h5 that Keras 1 wrote on Theano, of SAM-ResNet or SAM-VGG; its content tells which.
    """

    signature = SIGNATURE
    reads = SamFile()
    size = SIZE  # of the frame that an image is put into

    @classmethod
    def make(cls, names: Collection[str]) -> Sam:
        """See `Predictor`."""
        return Sam(encoder_of(names))

    def __call__(self, image: Pixels) -> FloatMap:
        """Return the map that the authors' program writes, over 255: (H, W) float32, its maximum is 1.

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
        saliency = unfit(_over_maximum(saliency), (image.shape[0], image.shape[1]))
        side = 2 * REACH + 1
        return _over_maximum(cv2.GaussianBlur(saliency, (side, side), SIGMA, borderType=cv2.BORDER_REFLECT))

    def graph(self) -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .graph import SamGraph

        return SamGraph(self.network, self.size, SIGMA, REACH)


def _over_maximum(saliency: FloatMap) -> FloatMap:
    """Return a map divided by its maximum; one of zeros stays."""
    highest = saliency.max()
    return saliency / highest if highest > 0 else saliency
