"""attention-center: an image in, a map out, with weights of its release."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...errors import WeightsError
from ...types import FloatMap, Pixels
from ..predictor import Predictor
from ..readers import NumpyFile
from .network import AttentionCenter

HEIGHT, WIDTH = 480, 640  # of the image that the network sees


class AttentionCenterPredictor(Predictor[AttentionCenter]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads an .npz with arrays named as in the release, `MobilenetV3.expanded_conv_1.expand.w` and so on: w and b of a
    convolution, gamma and beta of its normalisation.
    """

    architecture = AttentionCenter
    reads = NumpyFile("attention-center")

    def __call__(self, image: Pixels, sharpness: float = 0.5) -> FloatMap:
        """Return exp(sharpness * logit) at the image's size: (H, W) float32, positive.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        sharpness : float
            What the logit is multiplied by; more of it leaves fewer peaks.

        Raises
        ------
        WeightsError
            If the weights, or `sharpness`, make numbers too large for a map.
        """
        return self._to_map(self.network(self._input(image)), image, sharpness)

    def with_features(self, image: Pixels, sharpness: float = 0.5) -> tuple[FloatMap, dict[str, Tensor]]:
        """Return the map, and the network's features of the image at 480 by 640: {name: (1, C, h, w)}."""
        with torch.no_grad():
            features = self.network.features(self._input(image))
            logit = self.network.combine(features, (HEIGHT, WIDTH))
        return self._to_map(logit, image, sharpness), features

    def _input(self, image: Pixels) -> Tensor:
        resized = Image.fromarray(image).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
        return self._tensor(np.asarray(resized))

    def _to_map(self, logit: Tensor, image: Pixels, sharpness: float) -> FloatMap:
        with np.errstate(over="ignore"):  # checked below
            score = np.exp(sharpness * logit[0, 0].detach().cpu().double().numpy())
        if not score.max() < np.finfo(np.float32).max:  # also catches NaN
            raise WeightsError(f"{self._where}: the weights make numbers too large for a map with {sharpness=:g}")
        height, width = image.shape[:2]
        shrinks = height <= HEIGHT and width <= WIDTH
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(score.astype(np.float32), (width, height), interpolation=interpolation)
