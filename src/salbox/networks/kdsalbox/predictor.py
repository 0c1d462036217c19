"""KDSalBox's students: an image in, a map out, with their authors' weights."""

from __future__ import annotations

import math
from collections.abc import Collection

import cv2
import numpy as np
import torch
from skimage.transform import resize

from ...types import FloatMap, Pixels
from ..predictor import Predictor
from ..readers import PyTorchFile
from .card import SIGNATURE
from .network import KDSalBox

MAX_PIXELS = 4_000_000  # of an image as the network sees it: 2.4 GB of memory, PyTorch included


class KDSalBoxPredictor(Predictor[KDSalBox]):
    """A KDSalBox student with its weights: an image in, its map out; safe in threads.

    Reads a checkpoint of the authors' release, or one that their `train` wrote.
    """

    signature = SIGNATURE
    reads = PyTorchFile(within="student_model")
    max_pixels = MAX_PIXELS

    @classmethod
    def make(cls, names: Collection[str]) -> KDSalBox:
        """See `Predictor`."""
        return KDSalBox(["saliency"])

    def __call__(self, image: Pixels) -> FloatMap:
        """Return the map of an image, (H, W, 3) uint8: (H, W) float32 in 0..1.

        The network's map has sides that 32 divides. As in the authors' program it is brought to the image's size, not
        cropped, by scikit-image's `resize` with its defaults.

        Raises
        ------
        WeightsError
            If the weights make numbers that are none.
        """
        height, width = image.shape[:2]
        small = _within(image, self.max_pixels)
        with torch.inference_mode():
            encoded = self.network.encoder(self.network.normalize(self._tensor(small)))
            saliency = self._checked(torch.sigmoid(self.network.decoder.in_strips(encoded)))
        resized = resize(saliency, small.shape[:2])  # type: ignore[no-untyped-call]
        saliency = np.asarray(resized, np.float32)
        if small is image:
            return saliency
        return cv2.resize(saliency, (width, height), interpolation=cv2.INTER_LINEAR)


def _within(image: Pixels, pixels: int) -> Pixels:
    """Return the image, or a copy of at most so many pixels made with INTER_AREA."""
    height, width = image.shape[:2]
    if height * width <= pixels:
        return image
    scale = math.sqrt(pixels / (height * width))
    # A side of one pixel cannot shrink further; the other one has to.
    small_height = max(1, math.floor(height * scale))
    small_width = max(1, min(math.floor(width * scale), pixels // small_height))
    small_height = min(small_height, pixels // small_width)
    return cv2.resize(image, (small_width, small_height), interpolation=cv2.INTER_AREA)
