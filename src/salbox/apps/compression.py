"""Photos in fewer bytes, with the bits where people look: JPEG, WebP and AVIF that any program reads."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, get_args

import numpy as np
from PIL import Image

from ..errors import SalboxError, UsageError, nearest
from ..imaging.image import MAX_PIXELS, ImageSource, pixels_of, read_image
from ..imaging.opening import Picture as OpenPicture
from ..imaging.opening import opened
from ..models.specs import AnyModel
from ..types import Pixels
from ._avif_coder import AvifCoder
from ._coders import BEST_QUALITY, Coder, FileFormat, Picture, block_weights
from ._file_notes import file_notes, fitting_jpeg
from ._fitting import TooLargeError, fit_to_quality, fit_to_size
from ._jpeg_coder import JpegCoder
from ._webp_coder import WebpCoder
from .attention import Attention, attend
from .compressed import Compressed
from .enlarging import bands

FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
SUFFIXES: dict[FileFormat, str] = {"jpeg": ".jpg", "webp": ".webp", "avif": ".avif"}
MIN_QUALITY = 30
_LONGEST = {"jpeg": 65500, "webp": 16383, "avif": 32768}  # pixels of a side that the encoders take

CODERS: dict[FileFormat, type[Coder]] = {"jpeg": JpegCoder, "webp": WebpCoder, "avif": AvifCoder}
_BY_ROWS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")  # modes whose pixels are converted one by one
_UNITS = {"": 1, "k": 1e3, "m": 1e6, "ki": 2**10, "mi": 2**20}
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(|k|m|ki|mi)b?\s*", re.IGNORECASE)


def compress(
    image: ImageSource,
    *,
    target_size: int | str | None = None,
    quality: int | None = None,
    file_format: FileFormat | None = None,
    min_quality: int = MIN_QUALITY,
    model: AnyModel = "gaze",
    attention: Attention | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Compressed:
    """Return a photo as a file that is truer where people look than a plain one of its size, or smaller.

    Parameters
    ----------
    image : path, bytes, file object, PIL image or array
    target_size : int or str, optional
        Bytes that the file may have at most: 200000, "200KB" (thousands) or "200KiB". The file is the truest to be had.
    quality : int, optional
        In its place, 1 to 95: the file is as true where people look as the encoder's own at this quality, and smaller.
    file_format : {"jpeg", "webp", "avif"}, optional
        By default the photo's own, of other kinds JPEG, with transparency WebP.
    min_quality : int
        The whole picture is no further from the photo than the encoder's own file at this quality.
    model : name, path, Model or function
        Says where people look.
    attention : Attention, optional
        In the model's place: what `salbox.apps.attend` returned for the photo.
    max_pixels : int
        Larger images are refused before they are decoded.

    Raises
    ------
    UsageError
        For options that do not fit together.
    ImageError
        If the image cannot be read.
    SalboxError
        If the photo cannot be made so small at the quality that is the least allowed, or the format has no such sides.

    Notes
    -----
    In a JPEG every coefficient is rounded to the whole number that costs least in squared error, weighted by the
    attention that its block gets, and bits together (Ramchandran and Vetterli 1994 choose coefficients so, without
    weights), in steps that are more even over the frequencies, and finer for colour, than libjpeg's. AVIF's encoder is
    given a map of bits. WebP is coded in four regions with quantizers of their own, by libvpx, which the extra `video`
    brings; without it, and with transparency, libwebp gets a picture whose blocks are coarse already where nobody
    looks. How strong that is, and the quality beside it, is found by trying, with large photos on tiles of them. A file
    of the photo's own format that is small enough is left as it is.

    Examples
    --------
    >>> import io, skimage.data
    >>> from PIL import Image
    >>> from salbox.apps import compress
    >>> found = compress(skimage.data.chelsea(), target_size="15KB")
    >>> len(found.data) <= 15000, Image.open(io.BytesIO(found.data)).size
    (True, (451, 300))
    >>> found.gain > 0.5, found.loss < 2  # dB against the plain JPEG of that size
    (True, True)
    """
    limit = None if target_size is None else parse_bytes(target_size)
    check_options(limit, quality, file_format, min_quality)
    if hasattr(image, "read") and not isinstance(image, (str, bytes, os.PathLike)):
        image = image.read()
    source = _read(image, file_format, max_pixels)
    if source.own is not None and limit is not None and len(source.own) <= limit:
        return _as_it_is(source.own, source.file_format)
    if (side := max(source.pixels.shape[:2])) > (longest := _LONGEST[source.file_format]):
        raise SalboxError(
            f"{_name(image)}: a side of {side} pixels, more than the {longest} that {source.file_format} has: "
            f"choose another format ({', '.join(each for each in FORMATS if _LONGEST[each] >= side) or 'none has it'})"
        )
    seen = attend(image, model, max_pixels=max_pixels) if attention is None else attention
    weights = block_weights(seen)
    height, width = source.pixels.shape[:2]
    if seen.shape != (height, width):
        raise UsageError(f"attention of an image of {seen.shape[1]}x{seen.shape[0]}; this one is {width}x{height}")
    coder = CODERS[source.file_format](Picture(source.pixels, weights, source.alpha, source.extra))
    if limit is not None:
        try:
            return fit_to_size(coder, source.file_format, limit, min_quality)
        except TooLargeError as error:
            raise SalboxError(f"{_name(image)}: {error}") from None
    found = fit_to_quality(coder, source.file_format, quality or BEST_QUALITY, min_quality)
    if source.own is not None and len(source.own) <= len(found.data):
        return _as_it_is(source.own, source.file_format)
    return found


def parse_bytes(size: int | str) -> int:
    """Return how many bytes a size means: a whole number, or a text such as "200KB" or "1.5MiB".

    Raises
    ------
    UsageError
        If it is none.

    Examples
    --------
    >>> from salbox.apps.compression import parse_bytes
    >>> parse_bytes("200KB"), parse_bytes("1.5MiB"), parse_bytes(1000)
    (200000, 1572864, 1000)
    """
    match = _SIZE.fullmatch(str(size))
    count = float(match[1]) * _UNITS[match[2].lower()] if match else 0
    if not 1 <= count < inf:
        raise UsageError(f"size '{size}': expected a number of bytes, such as 200KB or 1.5MB")
    return int(count)


@dataclass(frozen=True)
class _Source:
    """A photo that was read, what it is to be written as, and its file if that is of the same format."""

    pixels: Pixels
    file_format: FileFormat
    alpha: np.ndarray[Any, np.dtype[np.uint8]] | None
    extra: dict[str, Any]
    own: bytes | None


def check_options(limit: int | None, quality: int | None, file_format: str | None, min_quality: int) -> None:
    """Raise a UsageError if options of `compress` are out of range or do not fit together."""
    if (limit is None) == (quality is None):
        raise UsageError("compress: give a target size or a quality, one of the two")
    for name, value in (("quality", quality), ("min-quality", min_quality)):
        if value is not None and not 1 <= value <= BEST_QUALITY:
            raise UsageError(f"{name} {value}: expected a whole number in 1..{BEST_QUALITY}")
    if quality is not None and quality < min_quality:
        raise UsageError(f"quality {quality} is below the least that is allowed, min-quality {min_quality}")
    if file_format is not None and file_format not in FORMATS:
        hint = nearest(str(file_format), FORMATS)
        raise UsageError(f"no format '{file_format}'{hint} (formats: {', '.join(FORMATS)})")


def _read(image: ImageSource, file_format: FileFormat | None, max_pixels: int) -> _Source:
    if not isinstance(image, (str, bytes, os.PathLike)):
        return _Source(read_image(image, max_pixels=max_pixels), file_format or "jpeg", None, {}, None)
    with opened(image, max_pixels=max_pixels) as picture:
        kind = {"JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp", "AVIF": "avif"}.get(picture.kind)
        decoded = picture.decoded()
        has_alpha = decoded.has_transparency_data
        chosen: FileFormat = file_format or kind or ("webp" if has_alpha else "jpeg")  # type: ignore[assignment]
        alpha = None
        if has_alpha and chosen != "jpeg":
            layers = np.asarray(decoded.convert("RGBA"))
            pixels, alpha = np.ascontiguousarray(layers[:, :, :3]), np.ascontiguousarray(layers[:, :, 3])
        else:
            pixels = _pixels(picture, decoded)
        picture.warn_of_frames()
        is_gray = chosen == "jpeg" and decoded.mode in ("1", "L", "LA", "I;16", "I", "F")
        notes = file_notes(picture.image, is_gray=is_gray)
        extra = fitting_jpeg(notes) if chosen == "jpeg" else notes
        is_same = chosen == kind and picture.frames == 1
    own = (image if isinstance(image, bytes) else Path(image).read_bytes()) if is_same else None
    return _Source(pixels, chosen, alpha, extra, own)


def _pixels(picture: OpenPicture, decoded: Image.Image) -> Pixels:
    """Return the pixels of a decoded picture, some rows at a time: a large one is held once as Pillow has it."""
    if decoded.mode not in _BY_ROWS:
        return pixels_of(picture, decoded)
    pixels = np.empty((decoded.height, decoded.width, 3), np.uint8)
    for top, bottom in bands((decoded.height, decoded.width)):
        pixels[top:bottom] = pixels_of(picture, decoded.crop((0, top, decoded.width, bottom)))
    return pixels


def _name(image: ImageSource) -> str:
    return str(image) if isinstance(image, (str, os.PathLike)) else "image"


def _as_it_is(data: bytes, file_format: FileFormat) -> Compressed:
    return Compressed(data, file_format, 0, 0.0, 0, len(data))
