"""Reading: whatever people have becomes an image, (H, W, 3) uint8 RGB."""

from __future__ import annotations

import io
import os
import threading
import warnings
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import ImageError, ImageWarning
from ..types import Pixels

ImageSource: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | npt.NDArray[Any]"

MAX_PIXELS = 100_000_000

# What is opened, by content. Pillow knows more, some of which it hands to other programs (EPS to Ghostscript).
_KINDS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "PPM", "JPEG2000", "AVIF", "HEIF", "ICO", "TGA")

# Suffixes that a folder is searched for; reading itself goes by content.
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".ppm", ".pgm", ".jp2", ".avif"}
    | {".heic", ".heif", ".tga"}
)

_open_lock = threading.Lock()


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
        _check_size(source.shape[1::-1] if source.ndim >= 2 else (0, 0), max_pixels, "array")
        return _from_array(source)
    if isinstance(source, Image.Image):
        _check_size(source.size, max_pixels, "PIL image")
        return _decode(source, "PIL image")
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_file(io.BytesIO(source), f"{len(source)} bytes in memory", max_pixels)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        try:
            with path.open("rb") as file:
                return _from_file(file, str(path), max_pixels)
        except IsADirectoryError:
            raise ImageError(f"{path}: is a folder, not an image") from None
        except FileNotFoundError:
            raise ImageError(f"{path}: no such file") from None
        except OSError as error:
            raise ImageError(f"{path}: cannot be opened ({error.strerror or error})") from None
        except ValueError as error:
            raise error if isinstance(error, ImageError) else ImageError(f"{path!r}: {error}") from None
    if hasattr(source, "read"):
        return _from_file(source, str(getattr(source, "name", "file object")), max_pixels)
    raise ImageError(f"cannot read an image from {type(source).__name__}: give a path, bytes, PIL image or array")


def _from_file(file: IO[bytes], where: str, max_pixels: int) -> Pixels:
    if not file.seekable():
        file = io.BytesIO(file.read())
    if not file.read(1):
        raise ImageError(f"{where}: empty file")
    file.seek(0)
    try:
        image = _open(file)
    except UnidentifiedImageError:
        raise ImageError(f"{where}: not an image, or of a kind that is not supported") from None
    except Exception as error:  # Pillow's format plugins raise nearly anything on malformed headers
        raise ImageError(f"{where}: broken image ({_one_line(error)})") from None
    with image:
        _check_size(image.size, max_pixels, where)
        pixels = _decode(image, where)
        _warn_of_frames(image, where)
        return pixels


def _open(file: IO[bytes]) -> Image.Image:
    """Open without Pillow's own size limit, which is global; `_check_size` applies ours before decoding."""
    with _open_lock:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=_kinds())
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@lru_cache(maxsize=1)
def _kinds() -> list[str]:
    Image.init()
    return [kind for kind in _KINDS if kind in Image.OPEN]


def _warn_of_frames(image: Image.Image, where: str) -> None:
    """Say so if only the first of several frames was taken (MPO holds a photo's own previews, not frames)."""
    try:
        frames = getattr(image, "n_frames", 1) if image.format != "MPO" else 1
    except Exception:  # broken beyond the first frame, which could be read
        frames = 1
    if frames > 1:
        warnings.warn(f"{where}: has {frames} frames; the first is taken", ImageWarning, stacklevel=4)


def _decode(image: Image.Image, where: str) -> Pixels:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.load()
            image = ImageOps.exif_transpose(image)
            return _to_rgb(image)
    except ImageError as error:
        raise ImageError(f"{where}: {error}") from None
    except Exception as error:  # truncated or corrupt data surfaces as OSError, SyntaxError, ValueError, struct.error
        raise ImageError(f"{where}: broken image ({_one_line(error)})") from None


def _to_rgb(image: Image.Image) -> Pixels:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image)
        if image.mode != "F":
            if values.min() < 0 or values.max() > 65535:
                raise ImageError("32-bit values outside 0..65535 have no agreed brightness")
            values = values.astype(np.uint16)
        return _from_array(values)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.ascontiguousarray(np.asarray(image.convert("RGB")))


def _from_array(array: npt.NDArray[Any]) -> Pixels:
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ImageError(f"array of shape {array.shape}: expected (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)")
    pixels = _to_uint8(array)
    if pixels.shape[2] == 4:
        alpha = pixels[:, :, 3:].astype(np.uint16)
        pixels = ((pixels[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels)


def _to_uint8(array: npt.NDArray[Any]) -> Pixels:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        if not (array.min() >= 0 and array.max() <= 1):  # also catches NaN
            raise ImageError(f"float array with values in {array.min():g}..{array.max():g}: expected 0..1")
        return np.rint(array * 255.0).astype(np.uint8)
    raise ImageError(f"array of dtype {array.dtype}: expected uint8, uint16, bool or float in 0..1")


def _check_size(size: tuple[int, ...], max_pixels: int, where: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{where}: an image of {width}x{height} has no pixels")
    if width * height > max_pixels:
        raise ImageError(
            f"{where}: {width}x{height} is {width * height / 1e6:.0f} megapixels, more than the limit of "
            f"{max_pixels / 1e6:g} (max_pixels, --max-pixels)"
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
