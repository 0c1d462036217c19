"""TranSalNet: an image in, a map out, with its authors' weights."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import torch
from torch import nn

from ...types import FloatMap, Pixels
from ..backbones.densenet161 import DenseNet161
from ..backbones.resnet50 import ResNet50
from ..ops.letterbox import fit, unfit
from ..predictor import Predictor
from .card import SIGNATURE
from .network import FILL, HEIGHT, WIDTH, TranSalNet


class TranSalNetPredictor(Predictor[TranSalNet]):
    """The network with its weights: an image in, its map out; safe in threads.

    Reads the files of the authors' release, `TranSalNet_Res.pth` and `TranSalNet_Dense.pth`; their content tells which.
    """

    signature = SIGNATURE
    size = (HEIGHT, WIDTH)  # of the frame that an image is put into

    @classmethod
    def make(cls, names: Collection[str]) -> TranSalNet:
        """See `Predictor`."""
        dense = any(name.startswith("encoder.encoder.4.denselayer") for name in names)
        return TranSalNet(DenseNet161() if dense else ResNet50(), cls.size)

    def __call__(self, image: Pixels, channel_order: Literal["RGB", "BGR"] = "RGB") -> FloatMap:
        """Return the map of an image: (H, W) float32 in 0..1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        channel_order : {"RGB", "BGR"}
            In which the network gets its channels: RGB as it was trained, or BGR as the authors' notebook for testing
            gives them.

        Raises
        ------
        WeightsError
            If the weights make numbers that are none.
        """
        framed = fit(image, *self.size, FILL)
        if channel_order == "BGR":
            framed = framed[:, :, ::-1]
        with torch.inference_mode():
            saliency = self._checked(self.network.maps(self._tensor(framed)))
        height, width = image.shape[:2]
        return unfit(saliency, (height, width))

    def graph(self, channel_order: Literal["RGB", "BGR"] = "RGB") -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .graph import TranSalNetGraph

        return TranSalNetGraph(self.network, self.size, FILL, swapped=channel_order == "BGR")
