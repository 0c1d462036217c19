"""FastGaze: an image in, a log density out, with its authors' weights."""

from __future__ import annotations

from math import sqrt

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...errors import WeightsError
from ...types import FloatMap, Pixels
from ..predictor import Predictor
from ..readers import NumpyFile
from .network import WIDTH, FastGaze

MAX_PIXELS = 4 * WIDTH * WIDTH  # that it sees; what is taller than four times its width becomes narrower

WIDEST_BLUR = 30.0  # pixels; a wider Gaussian is applied on a coarser grid, where it is this wide


class FastGazePredictor(Predictor[FastGaze]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads an .npz with the arrays `convK.weight`, `convK.bias` and, of the last four, `convK.alpha`, the slope below
    zero.
    """

    architecture = FastGaze
    reads = NumpyFile("fastgaze")

    def __call__(self, image: Pixels, blur: float = 0.025) -> FloatMap:
        """Return exp of the network's log density, smoothed: (H, W) float32, positive.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        blur : float
            Standard deviation of the Gaussian, as a fraction of the image's width.

        Raises
        ------
        WeightsError
            If the weights make numbers too large for a map.
        """
        return self._to_map(self.network(self._input(image)), image, blur)

    def with_features(self, image: Pixels, blur: float = 0.025) -> tuple[FloatMap, dict[str, Tensor]]:
        """Return the map, and the network's features of the image at its input's size: {name: (1, C, h, w)}."""
        with torch.no_grad():
            features = self.network.features(self._input(image))
        return self._to_map(list(features.values())[-1], image, blur), features

    def _input(self, image: Pixels) -> Tensor:
        # Pillow's bilinear filter is the one the reference maps were made with; others move the output by per cents.
        resized = Image.fromarray(image).resize(input_size(*image.shape[:2])[::-1], Image.Resampling.BILINEAR)
        return self._tensor(np.asarray(resized))

    def _to_map(self, log_density: Tensor, image: Pixels, blur: float) -> FloatMap:
        with np.errstate(over="ignore"):  # checked below
            density = np.exp(log_density[0, 0].detach().cpu().double().numpy())
        if not density.max() < np.finfo(np.float32).max:  # also catches NaN
            raise WeightsError(f"{self._where}: the weights make numbers too large for a map")
        height, width = image.shape[:2]
        return enlarged_and_blurred(density.astype(np.float32), (height, width), blur * width)


def input_size(height: int, width: int) -> tuple[int, int]:
    """Return the size, (h, w), at which the network sees an image: 400 wide, narrower if it is very tall."""
    scale = min(WIDTH / width, sqrt(MAX_PIXELS / (height * width)))
    columns = max(1, round(width * scale))
    return max(1, min(round(height * columns / width), MAX_PIXELS // columns)), columns


def enlarged_and_blurred(coarse: FloatMap, shape: tuple[int, int], sigma: float) -> FloatMap:
    """Return a small map brought to a shape, (H, W), bilinearly, then smoothed by a Gaussian of `sigma` pixels.

    A Gaussian wider than `WIDEST_BLUR` is applied on a grid on which it is that wide, so that a large image takes no
    longer; that changes the map by less than a thousandth of its range.
    """
    height, width = shape
    shrink = min(1.0, WIDEST_BLUR / sigma) if sigma > 0 else 1.0
    grid = max(1, round(width * shrink)), max(1, round(height * shrink))
    fine = cv2.resize(coarse, grid, interpolation=cv2.INTER_LINEAR)
    if sigma > 0:
        fine = cv2.GaussianBlur(
            fine, (0, 0), sigma * grid[0] / width, sigmaY=sigma * grid[1] / height, borderType=cv2.BORDER_REFLECT
        )
    return fine if grid == (width, height) else cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR)
