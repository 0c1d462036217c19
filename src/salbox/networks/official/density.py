"""DeepGaze networks with their weights: an image and a centre bias in, a log density of the image's size out."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import torch
from torch import nn

from ...errors import WeightsError
from ...image import Pixels
from ..center_bias import Source, center_bias, normalised
from ..opened import FloatMap, Opened
from .deepgaze import WIDEST, GaussianBlur

MAX_PIXELS = 4_000_000  # of an image as the network sees it


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

    def density(self, image: Pixels, bias: Source) -> FloatMap:
        """Return the log density of an image: (H, W) float32, exp sums to 1.

        An image of more than `MAX_PIXELS` is looked at as a copy of so many (INTER_AREA), one with a side below
        `smallest` as an enlarged one; their maps come back bilinearly.

        Raises
        ------
        WeightsError
            If the weights make numbers that are none.
        """
        height, width = seen_size(image.shape[0], image.shape[1], self.smallest)
        shrinks = height * width < image.shape[0] * image.shape[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
        seen = image if image.shape[:2] == (height, width) else cv2.resize(image, (width, height), interpolation=how)
        pixels = self._tensor(seen)
        prior = torch.from_numpy(center_bias(bias, height, width))[None, None]
        with torch.inference_mode():
            saliency = self._checked(self.network(pixels, prior.to(pixels.device)))
        if seen is image:
            return saliency
        return normalised(cv2.resize(saliency, image.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def seen_size(height: int, width: int, smallest: int) -> tuple[int, int]:
    """Return the size, (h, w), at which a network sees an image: its own unless it is too large or too small."""
    if height * width > MAX_PIXELS:
        scale = math.sqrt(MAX_PIXELS / (height * width))
        height, width = math.floor(height * scale), math.floor(width * scale)
    height, width = max(smallest, height), max(smallest, width)
    # A side that could not shrink leaves less for the other.
    return min(height, MAX_PIXELS // smallest), min(width, MAX_PIXELS // smallest)


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
