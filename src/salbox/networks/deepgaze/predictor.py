"""DeepGaze networks with their weights: an image and a centre bias in, a log density of the image's size out."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import cv2
import torch
from torch import nn

from ...errors import WeightsError
from ...imaging.scaling import normalized_log
from ...runtime.preprocessing import Preprocessing
from ...types import FloatMap, Pixels
from ..predictor import Predictor
from .center_bias import Source
from .center_bias import center_bias as bias_of_size
from .layers import WIDEST, GaussianBlur

LARGEST = (2000, 2000)


class DensityPredictor(Predictor[nn.Module]):
    """What is called with an image.

    Attributes
    ----------
    network : nn.Module
        Takes images and centre biases, gives log densities; in evaluation mode, on its device.
    smallest : int
        The shortest side, in pixels, that the network can look at.
    largest : (int, int)
        Height and width: as many pixels an image has, at most, as the network looks at it.
    """

    smallest = 1
    largest = LARGEST

    @classmethod
    def load(cls, weights: Path, device: str = "cpu") -> Self:
        """See `Predictor`."""
        predictor = super().load(weights, device)
        check_blurs(predictor.network, weights)
        return predictor

    def __call__(self, image: Pixels, center_bias: Source = "osie") -> FloatMap:
        """Return the log density of fixations: (H, W) float32, exp sums to 1.

        An image of more pixels than `largest` has is looked at as a copy of so many, one with a side below `smallest`
        as an enlarged one; their maps come back bilinearly.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        center_bias : "osie", "uniform", path or array
            See `salbox.networks.deepgaze.center_bias.center_bias`.

        Raises
        ------
        WeightsError
            If the weights make numbers that are none.
        """
        prepared = self.preprocessing.prepare(image)
        pixels = self._tensor(prepared)
        prior = torch.from_numpy(bias_of_size(center_bias, *prepared.shape[:2]))[None, None]
        with torch.inference_mode():
            saliency = self._checked(self.network(pixels, prior.to(pixels.device)))
        if prepared is image:
            return saliency
        return normalized_log(cv2.resize(saliency, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))

    @property
    def preprocessing(self) -> Preprocessing:
        """The size at which the network looks at images."""
        return Preprocessing("bounded", *self.largest, multiple=self.smallest)

    def graph(self, center_bias: Source = "osie") -> nn.Module:
        """Return the network with its centre bias as one graph, to be exported; see `DensityGraph`."""
        from .graph import DensityGraph

        return DensityGraph(self.network, center_bias)


def check_blurs(network: nn.Module, where: Path) -> None:
    """Refuse weights whose blurs would have kernels of any size.

    Raises
    ------
    WeightsError
        If a standard deviation is not in 0..`WIDEST` pixels.
    """
    for name, module in network.named_modules():
        if not isinstance(module, GaussianBlur):
            continue
        sigma = float(module.sigma.detach())
        if not 0 < sigma <= WIDEST:
            raise WeightsError(
                f"{where}: '{name}.sigma' is {sigma:g}, expected more than 0 and at most {WIDEST:g} pixels"
            )
