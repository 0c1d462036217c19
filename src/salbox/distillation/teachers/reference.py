"""The sizes that teachers and their maps have: images at reference size, maps with their longest side at 320."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ...imaging.scaling import REFERENCE_SIZE, at_size
from ...models.registry import CLASSICAL
from ...types import FloatMap, Pixels

MAP_SIDE = 320  # longest side of a stored map: more than any student's output


def at_reference_size(image: Pixels) -> Pixels:
    """Return an image whose longest side is 640: (h, w, 3) uint8.

    Shrunk with OpenCV's INTER_AREA, enlarged with its INTER_CUBIC; an image of that size comes back as it is.
    """
    return image if max(image.shape[:2]) == REFERENCE_SIZE else at_size(image, REFERENCE_SIZE)


def at_map_size(saliency: npt.NDArray[np.floating], shape: tuple[int, int]) -> FloatMap:
    """Return a map at the size it is stored in: (h, w) float32, the longest side 320.

    Parameters
    ----------
    saliency : (H, W) array of floats
        Shrunk with INTER_AREA; the map of a smaller image is enlarged bilinearly.
    shape : (int, int)
        Height and width of the image, whose aspect the result has.
    """
    height, width = scaled_size(*shape, MAP_SIDE)
    if saliency.shape == (height, width):
        return saliency.astype(np.float32)
    method = cv2.INTER_AREA if max(saliency.shape) > MAP_SIDE else cv2.INTER_LINEAR
    return cv2.resize(saliency.astype(np.float64), (width, height), interpolation=method).astype(np.float32)


def scaled_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """Return (height, width) scaled so that the longer one is `longest`; none is below 1."""
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def is_classical(model: str) -> bool:
    """Return whether a model is one of the classical algorithms: as teachers they see images at reference size."""
    return model in CLASSICAL
