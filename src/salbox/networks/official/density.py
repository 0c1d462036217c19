"""DeepGaze networks with their weights: an image and a centre bias in, a log density of the image's size out."""

from __future__ import annotations

from pathlib import Path

import cv2
import torch
from torch import nn

from ...errors import WeightsError
from ...image import Pixels
from ...scaling import normalized_log
from ...students.preprocessing import Preprocessing
from ..center_bias import Source
from ..center_bias import center_bias as bias_of_size
from ..opened import FloatMap, Opened
from .deepgaze import WIDEST, GaussianBlur

LARGEST = (2000, 2000)  # height and width: as many pixels an image has, at most, as the network sees it


class OpenDensity(Opened[nn.Module]):
    """What is called with an image.

    Attributes
    ----------
    network : nn.Module
        Takes images and centre biases, gives log densities; in evaluation mode, on its device.
    smallest : int
        The shortest side, in pixels, that the network can look at.
    """

    smallest = 1

    def __call__(self, image: Pixels, center_bias: Source = "osie") -> FloatMap:
        """Return the log density of fixations: (H, W) float32, exp sums to 1.

        An image of more pixels than `LARGEST` has is looked at as a copy of so many, one with a side below `smallest`
        as an enlarged one; their maps come back bilinearly.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        center_bias : "osie", "uniform", path or array
            See `salbox.networks.center_bias.center_bias`.

        Raises
        ------
        WeightsError
            If the weights make numbers that are none.
        """
        seen = self.preprocessing.prepare(image)
        pixels = self._tensor(seen)
        prior = torch.from_numpy(bias_of_size(center_bias, seen.shape[0], seen.shape[1]))[None, None]
        with torch.inference_mode():
            saliency = self._checked(self.network(pixels, prior.to(pixels.device)))
        if seen is image:
            return saliency
        return normalized_log(cv2.resize(saliency, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))

    @property
    def preprocessing(self) -> Preprocessing:
        """The size at which the network looks at images."""
        return Preprocessing("bounded", *LARGEST, multiple=self.smallest)

    def whole(self, center_bias: Source = "osie") -> nn.Module:
        """Return the network with its centre bias as one graph, to be exported; see `WholeDensity`."""
        from ..whole.density import WholeDensity

        return WholeDensity(self.network, center_bias)


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
