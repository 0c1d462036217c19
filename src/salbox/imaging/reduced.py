"""Reading an image only as large as it is needed: one of any size at the cost of a small one, where its kind can."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from ..types import Pixels, Shape
from .image import ImageSource, pixels_of, read_image
from .opening import MAX_PIXELS, Picture, broken_named, check_size, opened
from .scaling import smaller_copy

# Modes that Pillow averages; a palette's numbers are none that have a mean, and 16 bits it does not take.
_AVERAGED = ("L", "LA", "RGB", "RGBA", "CMYK")


def read_reduced(source: ImageSource, longest_side: int, *, max_pixels: int = MAX_PIXELS) -> tuple[Pixels, Shape]:
    """Return a copy of an image whose longest side is at most this, (h, w, 3) uint8 RGB, and the image's own (H, W).

    A JPEG is decoded at the eighth, quarter or half of its size that is just large enough; of other files the pixels
    are averaged before they are converted. Neither needs the memory of a full-size array, and the copy differs from a
    reduced `read_image` by about what JPEG itself changes.

    Parameters
    ----------
    source : path, bytes, file object, PIL image or array
        See `salbox.read_image`.
    longest_side : int
        In pixels. A smaller image comes as it is.
    max_pixels : int
        Larger images are refused before they are decoded.

    Raises
    ------
    ImageError
        If it is not an image, broken, empty or too large.

    Examples
    --------
    >>> from PIL import Image
    >>> from salbox.imaging.reduced import read_reduced
    >>> pixels, shape = read_reduced(Image.new("RGB", (4000, 3000)), 640)
    >>> pixels.shape, shape
    ((480, 640, 3), (3000, 4000))
    """
    if isinstance(source, np.ndarray):
        pixels = read_image(source, max_pixels=max_pixels)
        return smaller_copy(pixels, longest_side), pixels.shape[:2]
    if isinstance(source, Image.Image):
        check_size(source.size, max_pixels, "PIL image")
        return _reduced(Picture(source, "PIL image"), longest_side, is_ours=False)
    with opened(source, max_pixels=max_pixels) as picture:
        found = _reduced(picture, longest_side)
        picture.warn_of_frames()
        return found


def _reduced(picture: Picture, longest_side: int, *, is_ours: bool = True) -> tuple[Pixels, Shape]:
    """Return the copy and the image's own shape; what somebody else has open stays as it is."""
    shape = picture.shape()
    scale = longest_side / max(shape)
    if is_ours and isinstance(picture.image, JpegImageFile) and scale < 1:
        # Nothing smaller than asked for: Pillow takes the least of its sizes that is no smaller.
        width, height = picture.image.size
        picture.image.draft(None, (max(1, round(width * scale)), max(1, round(height * scale))))
    image = picture.decoded()
    with broken_named(picture.where):
        factor = int(max(image.size) / (2 * longest_side))  # twice as large: the rest is averaged exactly
        if image.mode in _AVERAGED and "transparency" not in image.info and factor > 1:
            image = image.reduce(factor)
    pixels = pixels_of(picture, image)
    if scale >= 1:
        return pixels, shape
    # What a decoder rounded in halving does not show in the copy's shape.
    size = (max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), shape
