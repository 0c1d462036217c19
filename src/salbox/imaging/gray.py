"""Grey pictures whose values are numbers: saliency maps, masks, and classes of pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import ImageError
from .arrays import to_uint8
from .opening import Picture, opened

HALF = 128  # of an 8-bit mask, above it is the object; PySODMetrics' prepare_data

_MOST_LABELS = 40  # objects or classes; PASCAL VOC has 20 classes, and fewer objects on a photo

_LOSSLESS = ("PNG", "TIFF", "BMP", "GIF", "PPM")  # kinds that keep numbers
_NUMBER_MODES = ("1", "L", "P", "I")  # and I;16, whose values can be numbers of classes
_STEPS = {"L;2": 85, "L;4": 17}  # what Pillow multiplies values of few bits with, so that their largest is white


def read_gray(path: Path) -> npt.NDArray[Any]:
    """Return a grey picture, (H, W), upright: uint8 as it is stored, deeper ones as float32.

    A map stored as RGB with equal channels is grey too. Where an alpha channel is not opaque throughout, it is the map
    if all colours are equal, and of no account if black is where it is transparent.

    Raises
    ------
    ImageError
        If it cannot be read, is a colour picture, or holds one map in its grey values and another in its alpha.
    """
    values = _grays(path)
    return values.astype(np.float32) if values.dtype != np.uint8 else values


def read_mask(path: Path, *, is_graded: bool = False) -> npt.NDArray[Any]:
    """Return an object mask, (H, W): uint8, more than 128 of which is the object; or bool; floats as they are.

    Parameters
    ----------
    path : Path
        A grey picture; with 16 bits it is brought to 8. One of 0 and 1 alone gives bool.
    is_graded : bool
        Whether its greys are shares of people who chose a pixel, so that one without any above half of white is a mask
        without an object.

    Raises
    ------
    ImageError
        If it cannot be read, is a colour picture, is not black and has no value above half of white, as pictures of
        labels (all of it would count as background), or has labels with a border of 255 around them.
    """
    return as_gray_mask(_grays(path), str(path), is_graded=is_graded)


def as_gray_mask(values: npt.NDArray[Any], where: str, *, is_graded: bool = False) -> npt.NDArray[Any]:
    """Return an array of a mask's values as `read_mask` does those of a picture; whole numbers count as 8 bits."""
    if values.dtype.kind not in "iu":
        return values
    if values.dtype.kind == "i" or values.dtype.itemsize > 2:
        if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
            raise ImageError(f"{where}: a mask of values in {values.min()}..{values.max()}, expected 0 and 255")
        values = values.astype(np.uint8 if values.max() <= np.iinfo(np.uint8).max else np.uint16)
    highest, white = int(values.max()), int(np.iinfo(values.dtype).max)
    if highest <= 1:  # some programs write so; as grey values these would all be background
        return values > 0
    reduced = to_uint8(values)
    if is_graded:
        return reduced if reduced.max() > HALF else reduced > HALF
    if _are_labels(reduced):
        raise ImageError(
            f"{where}: labels with a border of 255 around the objects, as PASCAL VOC has them: only the border would "
            "be the object; make the object 255 and the rest 0"
        )
    if reduced.max() > HALF:
        return reduced
    raise ImageError(
        f"{where}: a mask with no value above half of white, though it is not black (largest {highest} of {white}): "
        f"labels are no mask; make the object {white} and the rest 0"
    )


def _are_labels(gray: npt.NDArray[np.uint8]) -> bool:
    """Return whether grey values are numbers of objects or classes, with 255 where none was decided.

    Then more pixels are low numbers, a few different ones, than are 255, and nothing lies between. The edges of a mask
    that was scaled or saved as JPEG have values in between, and are fewer than its inside.
    """
    counts = np.bincount(gray.ravel(), minlength=256)
    numbers = counts[1 : HALF + 1]
    is_apart = not counts[_MOST_LABELS + 1 : 255].any()
    return bool(is_apart and counts[255] and numbers.sum() > counts[255])


def read_class_numbers(path: Path) -> npt.NDArray[np.int64]:
    """Return the class of each pixel, (H, W), as a picture stores it: its values, not its palette's colours.

    Raises
    ------
    ImageError
        If it cannot be read, is a colour picture, or of a kind that does not keep numbers.
    """
    with opened(path) as picture:
        if picture.kind not in _LOSSLESS:
            raise ImageError(f"{path}: a picture of the kind {picture.kind}, which does not keep class numbers")
        step = _step(picture.image)
        image = picture.decoded()
        if image.mode not in _NUMBER_MODES and not image.mode.startswith("I;16"):
            raise ImageError(f"{path}: a picture of mode {image.mode}, expected one whose values are class numbers")
        return np.asarray(image).astype(np.int64) // step


def _step(image: Image.Image) -> int:
    tiles = getattr(image, "tile", None)
    arguments = tiles[0][3] if tiles else ""
    raw = arguments if isinstance(arguments, str) else arguments[0] if arguments else ""
    return _STEPS.get(raw, 1)


def _grays(path: Path) -> npt.NDArray[Any]:
    """Return a grey picture's values, (H, W): uint8, uint16, int32 or float32."""
    with opened(path) as picture:
        values = _values(picture)
        picture.warn_of_frames()
        return values


def _values(picture: Picture) -> npt.NDArray[Any]:
    image = picture.decoded()
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("I", "F"):
        return np.asarray(image)
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return np.asarray(image.convert("L"))
    image = image.convert("LA") if image.mode == "La" else image
    channels = np.asarray(image.convert("RGBA"))
    gray, alpha = channels[:, :, 0], channels[:, :, 3]
    if not (channels[:, :, :3] == channels[:, :, :1]).all():
        raise ImageError(f"{picture.where}: a colour picture, expected a grey one")
    if (alpha == 255).all():
        return gray
    if (gray == gray[0, 0]).all():
        return alpha
    if (gray[alpha < 255] == 0).all():
        return gray
    raise ImageError(
        f"{picture.where}: a grey picture that is transparent in parts: which of the two is meant? Save one of them"
    )
