"""Photos in fewer bytes, with the bits where people look: JPEG, WebP and AVIF that any program reads."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, log10
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ..errors import SalboxError, UsageError, nearest
from ..imaging.image import MAX_PIXELS, ImageSource, pixels_of, read_image
from ..imaging.opening import opened
from ..models.specs import AnyModel
from ._coders import Coder, Errors, FileFormat, Picture, block_weights
from ._file_notes import file_notes, fitting_jpeg
from ._jpeg_coder import JpegCoder
from ._smoothing_coders import AvifCoder, WebpCoder
from .attention import Attention, attend

FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
SUFFIXES: dict[FileFormat, str] = {"jpeg": ".jpg", "webp": ".webp", "avif": ".avif"}
MIN_QUALITY = 30
BEST_QUALITY = 95  # what is above it costs bytes that nobody sees

CODERS: dict[FileFormat, type[Coder]] = {"jpeg": JpegCoder, "webp": WebpCoder, "avif": AvifCoder}
_MAX_LOSS = 2.0  # dB of the whole picture, against the plain file

# Of the search for a strength.
_FIRST, _LAST = 0.1, 100.0
_STEPS = 7
_NEAR = 0.99  # of the size that is allowed, which is near enough

_UNITS = {"": 1, "k": 1e3, "m": 1e6, "ki": 2**10, "mi": 2**20}
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(|k|m|ki|mi)b?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Compressed:
    """A photo as a file; what `compress` returns.

    Attributes
    ----------
    data : bytes
    file_format : {"jpeg", "webp", "avif"}
    quality : int
        At which its encoder ran; 0 if the file is the one that was given.
    strength : float
        How much was taken from what nobody looks at; 0 if nothing was.
    plain_quality, plain_bytes : int
        Of the encoder's own file that it stands beside: the best one of the size, or the one of the quality.
    gain : float
        In dB, the peak signal-to-noise ratio where the model says that people look, above that of the plain file.
    loss : float
        In dB, that of the whole picture, below that of the plain file.
    """

    data: bytes
    file_format: FileFormat
    quality: int
    strength: float
    plain_quality: int
    plain_bytes: int
    gain: float = 0.0
    loss: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers, ready for JSON, with the number of bytes in the place of the bytes."""
        fields = {name: value for name, value in vars(self).items() if name != "data"}
        return {"bytes": len(self.data), **fields}


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
        If the photo cannot be made so small at the quality that is the least allowed.

    Notes
    -----
    In a JPEG every coefficient is rounded to the whole number that costs least in squared error, weighted by the
    attention that its block gets, and bits together (Ramchandran and Vetterli 1994 choose coefficients so, without
    weights); before the encoders of WebP and AVIF run, small coefficients are left out. The strength of it is chosen by
    bisection. A file of the photo's own format that is small enough is left as it is.

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
    seen = attend(image, model, max_pixels=max_pixels) if attention is None else attention
    weights = block_weights(seen)
    height, width = source.pixels.shape[:2]
    if seen.shape != (height, width):
        raise UsageError(f"attention of an image of {seen.shape[1]}x{seen.shape[0]}; this one is {width}x{height}")
    coder = CODERS[source.file_format](Picture(source.pixels, weights, source.alpha, source.extra))
    if limit is not None:
        try:
            return _fit_to_size(coder, source.file_format, limit, min_quality)
        except _TooLargeError as error:
            raise SalboxError(f"{image if isinstance(image, (str, os.PathLike)) else 'image'}: {error}") from None
    found = _fit_to_quality(coder, source.file_format, quality or BEST_QUALITY, min_quality)
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


class _TooLargeError(Exception):
    """A picture takes more bytes than it may."""


@dataclass(frozen=True)
class _Source:
    """A photo that was read, what it is to be written as, and its file if that is of the same format."""

    pixels: np.ndarray[Any, np.dtype[np.uint8]]
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
            pixels = pixels_of(picture, decoded)
        picture.warn_of_frames()
        is_gray = chosen == "jpeg" and decoded.mode in ("1", "L", "LA", "I;16", "I", "F")
        notes = file_notes(picture.image, is_gray=is_gray)
        extra = fitting_jpeg(notes) if chosen == "jpeg" else notes
        is_same = chosen == kind and picture.frames == 1
    own = (image if isinstance(image, bytes) else Path(image).read_bytes()) if is_same else None
    return _Source(pixels, chosen, alpha, extra, own)


def _as_it_is(data: bytes, file_format: FileFormat) -> Compressed:
    return Compressed(data, file_format, 0, 0.0, 0, len(data))


def _fit_to_size(coder: Coder, file_format: FileFormat, limit: int, min_quality: int) -> Compressed:
    """Return the file of at most so many bytes that is truest where people look."""
    least = coder.plain(min_quality)
    if len(least) > limit:
        raise _TooLargeError(
            f"takes {len(least)} bytes at quality {min_quality}, more than the {limit} allowed: "
            "allow a lower quality (--min-quality), a larger size, or shrink the photo first"
        )
    quality, plain = _best_plain(coder, limit, (min_quality, least))
    base = coder.errors(plain)
    most = min(base.plain * 10 ** (_MAX_LOSS / 10), coder.errors(least).plain)
    for rise in coder.rises:
        raised = min(quality + rise, BEST_QUALITY)
        if raised == quality:
            break
        found = _least_strength(coder, raised, limit)
        if found is None:
            continue
        strength, data = found
        errors = coder.errors(data)
        if errors.weighted < base.weighted and errors.plain <= most:
            return _beside(data, file_format, raised, strength, (quality, plain), base, errors)
    return Compressed(plain, file_format, quality, 0.0, quality, len(plain))


def _fit_to_quality(coder: Coder, file_format: FileFormat, quality: int, min_quality: int) -> Compressed:
    """Return the smallest file that is as true where people look as the plain one at a quality."""
    plain = coder.plain(quality)
    base = coder.errors(plain)
    most = min(base.plain * 10 ** (_MAX_LOSS / 10), coder.errors(coder.plain(min_quality)).plain)
    best = Compressed(plain, file_format, quality, 0.0, quality, len(plain))
    for rise in coder.rises:
        raised = min(quality + rise, BEST_QUALITY)
        if raised == quality:
            break

        def is_true(errors: Errors) -> bool:
            return errors.weighted <= base.weighted and errors.plain <= most

        found = _greatest_strength(coder, raised, is_true)
        if found is not None and len(found[1]) < len(best.data):
            strength, data, errors = found
            best = _beside(data, file_format, raised, strength, (quality, plain), base, errors)
    return best


def _best_plain(coder: Coder, limit: int, least: tuple[int, bytes]) -> tuple[int, bytes]:
    """Return the highest quality whose plain file is small enough, with the file; `least` is one that is."""
    low, data = least
    high = BEST_QUALITY + 1
    while high - low > 1:
        middle = (low + high) // 2
        tried = coder.plain(middle)
        if len(tried) <= limit:
            low, data = middle, tried
        else:
            high = middle
    return low, data


def _least_strength(coder: Coder, quality: int, limit: int) -> tuple[float, bytes] | None:
    """Return about the least strength whose file is small enough, with the file; None if none is."""
    low, high = 0.0, _FIRST
    while len(data := coder.encode(quality, high)) > limit:
        low, high = high, 3 * high
        if high > _LAST:
            return None
    for _ in range(_STEPS):
        if len(data) >= _NEAR * limit:
            break
        middle = _between(low, high)
        tried = coder.encode(quality, middle)
        if len(tried) <= limit:
            high, data = middle, tried
        else:
            low = middle
    return high, data


def _greatest_strength(
    coder: Coder, quality: int, is_true: Callable[[Errors], bool]
) -> tuple[float, bytes, Errors] | None:
    """Return about the greatest strength whose file is true enough, with the file; None if none is."""
    best = None
    low, high = 0.0, _FIRST
    for _ in range(_STEPS):
        data = coder.encode(quality, high)
        errors = coder.errors(data)
        if not is_true(errors) or high > _LAST:
            break
        best = high, data, errors
        low, high = high, 3 * high
    for _ in range(_STEPS):
        middle = _between(low, high)
        data = coder.encode(quality, middle)
        errors = coder.errors(data)
        if is_true(errors):
            low, best = middle, (middle, data, errors)
        else:
            high = middle
    return best


def _between(low: float, high: float) -> float:
    return (low * high) ** 0.5 if low > 0 else high / 4


def _beside(
    data: bytes,
    file_format: FileFormat,
    quality: int,
    strength: float,
    plain: tuple[int, bytes],
    base: Errors,
    errors: Errors,
) -> Compressed:
    """Return a file with its figures beside those of the plain one."""
    gain, loss = _decibels(base.weighted, errors.weighted), _decibels(errors.plain, base.plain)
    return Compressed(data, file_format, quality, strength, plain[0], len(plain[1]), gain, loss)


def _decibels(errors: float, others: float) -> float:
    """Return by how many dB errors exceed others; 0 where there are none."""
    ratio = errors / others if errors > 0 and others > 0 else 1.0
    return 10 * log10(ratio) if isfinite(ratio) else 0.0
