"""A model that takes red for the object, and photos of red shapes whose alpha is known."""

from __future__ import annotations

import cv2
import numpy as np

from salbox.models.model import Model
from salbox.models.own import make_own_model

RED = """
import numpy as np
import salbox

@salbox.register("redness", card={"task": "object", "output": "probability"})
def redness(image):
    values = image.astype(np.float32)
    return np.clip((values[..., 0] - values[..., 1]) / 180, 0, 1)
"""
# What `monkeypatch.setattr` is given so that PyMatting, which takes seconds to begin, is not used where it is there.
LIGHT = ("salbox.apps.matting.has_pymatting", "salbox.apps.matting_colors.has_pymatting")

FRONT, BACK = (220, 40, 30), (60, 90, 70)


def object_model_of(function, name: str = "redness") -> Model:
    """Return a function, of an image to probabilities, as a loaded object model."""
    own = make_own_model(name, function, {"task": "object", "output": "probability"})
    return own.open(own.card, {}, None, "cpu")


def _red(image: np.ndarray) -> np.ndarray:
    """Return how red pixels are, 0 to 1: of `FRONT` 1, of `BACK` 0."""
    values = image.astype(np.float32)
    return np.clip((values[..., 0] - values[..., 1]) / 180, 0, 1)


red = object_model_of(_red)


def drawn(height: int, width: int, draw) -> np.ndarray:
    """Return the alpha, (H, W) float32, of what a function draws with 1 into a picture four times as large."""
    large = np.zeros((4 * height, 4 * width), np.float32)
    draw(large)
    return cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)


def mixed(alpha: np.ndarray, front=FRONT, back=BACK) -> np.ndarray:
    """Return a photo, (H, W, 3) uint8, of an object with this alpha."""
    share = alpha[..., None]
    return np.rint(share * np.array(front) + (1 - share) * np.array(back)).astype(np.uint8)


def ring(large: np.ndarray) -> None:
    """Draw a ring in the middle."""
    height, width = large.shape
    cv2.circle(large, (width // 2, height // 2), int(0.36 * height), 1.0, -1)
    cv2.circle(large, (width // 2, height // 2), int(0.2 * height), 0.0, -1)


def two_discs(large: np.ndarray) -> None:
    """Draw a disc on the left, and a smaller one on the right."""
    height, width = large.shape
    cv2.circle(large, (int(0.3 * width), height // 2), int(0.25 * height), 1.0, -1)
    cv2.circle(large, (int(0.78 * width), height // 2), int(0.15 * height), 1.0, -1)


def comb(large: np.ndarray) -> None:
    """Draw a bar with thin teeth."""
    height, width = large.shape
    large[height // 5 : 2 * height // 5, width // 6 : 5 * width // 6] = 1
    for left in range(width // 6, 5 * width // 6, width // 12):
        large[2 * height // 5 : 4 * height // 5, left : left + width // 40] = 1
