"""What a cutout is laid on: one colour, another picture, or the photo itself, blurred."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageColor

from ..errors import UsageError, nearest
from ..imaging.image import MAX_PIXELS, read_image
from ..paths import user_path
from ..types import FloatMap, Pixels, Shape
from .enlarging import enlarged_rows

BLUR = "blur"
_BLUR = 0.02  # standard deviation as a share of the longer side
_TINY = 1e-4

Rows = Callable[[int, int], FloatMap]
"""Takes the first row and the row behind the last; returns (n, W, 3) float32 in 0..255."""


@dataclass(frozen=True)
class Background:
    """What a cutout is laid on.

    Attributes
    ----------
    color : (int, int, int), optional
    picture : (h, w, 3) uint8, optional
        It covers the photo: the middle of it is taken, of the photo's shape.
    path : Path, optional
        Of the picture.

    Without either the photo is laid on its own background, blurred.
    """

    color: tuple[int, int, int] | None = None
    picture: Pixels | None = None
    path: Path | None = None

    def rows(self, shape: Shape, photo: Pixels, alpha: FloatMap) -> Rows:
        """Return what gives rows of the background of a photo, (H, W).

        Parameters
        ----------
        shape : (int, int)
        photo : (h, w, 3) uint8
            A smaller copy of the photo, for the blurred one.
        alpha : (h, w) float32
            How much of each pixel of the copy is the object.
        """
        if self.color is not None:
            row = np.broadcast_to(np.array(self.color, np.float32), (shape[1], 3))
            return lambda top, bottom: np.broadcast_to(row, (bottom - top, *row.shape))
        source = _blurred(photo, alpha) if self.picture is None else _covering(self.picture, shape)
        return lambda top, bottom: enlarged_rows(source, top, bottom, shape)


def parse_background(text: str, *, max_pixels: int = MAX_PIXELS) -> Background:
    """Return the background that a text names: "blur", a colour as CSS has it, or the path of a picture.

    Raises
    ------
    UsageError
        If it is none of these.
    ImageError
        If the picture cannot be read.
    """
    if text == BLUR:
        return Background()
    try:
        color = ImageColor.getrgb(text)
    except ValueError:
        path = user_path(text)
        if path.is_file():
            return Background(picture=read_image(path, max_pixels=max_pixels), path=path)
        hint = nearest(text, [BLUR, *ImageColor.colormap])
        raise UsageError(
            f"background '{text}': neither blur, nor a colour (white, '#ff8800', 'rgb(255,136,0)'), nor a picture's "
            f"file{hint}"
        ) from None
    if len(color) != 3:
        raise UsageError(f"background '{text}': a colour without transparency, please")
    return Background(color=color)


def _covering(picture: Pixels, shape: Shape) -> Pixels:
    """Return the middle of a picture that has a photo's shape, shrunk to the photo's size if it is larger."""
    height, width = picture.shape[:2]
    scale = max(shape[0] / height, shape[1] / width)
    rows, columns = min(height, math.ceil(shape[0] / scale)), min(width, math.ceil(shape[1] / scale))
    top, left = (height - rows) // 2, (width - columns) // 2
    middle = picture[top : top + rows, left : left + columns]
    return middle if scale >= 1 else cv2.resize(middle, shape[::-1], interpolation=cv2.INTER_AREA)


def _blurred(photo: Pixels, alpha: FloatMap) -> FloatMap:
    """Return the background of a photo, blurred, without the object's colours: (h, w, 3) float32."""
    sigma = max(1.0, _BLUR * max(photo.shape[:2]))
    weights = (1 - alpha).astype(np.float32)
    total = cv2.GaussianBlur(weights, (0, 0), sigma)[..., None]
    mean = cv2.GaussianBlur(photo * weights[..., None], (0, 0), sigma)
    everything = cv2.GaussianBlur(photo.astype(np.float32), (0, 0), sigma)
    # Deep inside the object there is no background to go by: there its own colours, which it hides.
    share = np.minimum(total / 0.01, 1)
    return share * mean / np.maximum(total, _TINY) + (1 - share) * everything
