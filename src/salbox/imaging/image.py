"""Reading: whatever people have becomes an image, (H, W, 3) uint8 RGB."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import ImageError
from ..types import Pixels, Shape
from . import _tiff
from .arrays import from_array
from .opening import MAX_PIXELS as MAX_PIXELS
from .opening import SUFFIXES as SUFFIXES
from .opening import Picture, broken_named, check_size, opened

ImageSource: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | npt.NDArray[Any]"


def read_image(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Return an image as a contiguous (H, W, 3) uint8 RGB array.

    Parameters
    ----------
    source : path, bytes, file object, PIL image or array
        Files may be JPEG, PNG, WebP, TIFF, GIF, BMP, PPM, JPEG 2000, AVIF and what else Pillow reads safely: the EXIF
        orientation is applied, transparency is laid over white, 16-bit values are reduced to 8 bits, of several frames
        the first is taken, with an `ImageWarning`. Arrays have the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) and
        the dtype uint8, uint16 (0..65535), bool or float (0..1).
    max_pixels : int
        Larger images are refused before they are decoded.

    Raises
    ------
    ImageError
        If it is not an image, broken, empty or too large; the message says what and where.

    Examples
    --------
    >>> import numpy as np, salbox
    >>> salbox.read_image(np.array([[0.0, 1.0]])).tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    >>> from PIL import Image
    >>> pixels = salbox.read_image(Image.new("RGBA", (640, 480)))  # fully transparent, so white
    >>> pixels.shape, str(pixels.dtype), int(pixels.min())
    ((480, 640, 3), 'uint8', 255)
    """
    if isinstance(source, np.ndarray):
        check_size((source.shape[1], source.shape[0]) if source.ndim >= 2 else (0, 0), max_pixels, "array")
        return from_array(source)
    if isinstance(source, Image.Image):
        check_size(source.size, max_pixels, "PIL image")
        return _pixels(Picture(source, "PIL image"))
    with opened(source, max_pixels=max_pixels) as picture:
        pixels = _pixels(picture)
        picture.warn_of_frames()
        return pixels


def read_unturned(path: Path, *, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Return an image as `read_image` does, but for the orientation that its file states, which is not followed."""
    with opened(path, max_pixels=max_pixels) as picture:
        return _pixels(picture, is_turned=False)


def image_shape(path: Path, *, is_turned: bool = True, max_pixels: int = MAX_PIXELS) -> Shape:
    """Return a picture's (H, W) as `read_image` will give it, from the file's head alone.

    With `is_turned` false an orientation that the file states does not count.

    Raises
    ------
    ImageError
        If it is not a picture, or too large a one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from salbox.datasets import image_shape
    >>> path = Path(tempfile.mkdtemp(), "photo.png")
    >>> Image.new("RGB", (640, 480)).save(path)
    >>> image_shape(path)
    (480, 640)
    """
    with opened(path, max_pixels=max_pixels) as picture:
        return picture.shape(is_turned=is_turned)


def _pixels(picture: Picture, *, is_turned: bool = True) -> Pixels:
    return pixels_of(picture, picture.decoded(is_turned=is_turned))


def pixels_of(picture: Picture, image: Image.Image) -> Pixels:
    """Return the pixels of an open picture as `read_image` gives them, of what was decoded of it."""
    with broken_named(picture.where):
        if _tiff.has_signed_samples(picture.image):
            raise ImageError("signed whole numbers have no agreed brightness")
        return _to_rgb(image)


def _to_rgb(image: Image.Image) -> Pixels:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image)
        if image.mode != "F":
            if values.min() < 0 or values.max() > 65535:
                raise ImageError("32-bit values outside 0..65535 have no agreed brightness")
            values = values.astype(np.uint16)
        pixels = from_array(values)
        clear = image.info.get("transparency")  # of a 16-bit PNG: the grey value that is nothing
        if isinstance(clear, int):
            pixels[values == clear] = 255
        return pixels
    if image.has_transparency_data:
        image = image.convert("LA") if image.mode == "La" else image
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.ascontiguousarray(np.asarray(image.convert("RGB")))
