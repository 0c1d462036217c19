"""Cutouts as files: PNG, WebP or JPEG, with what the photo's file said beside its pixels and how they were made."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import UsageError, nearest
from ..imaging.notes import KEY, behind, to_text
from ..imaging.writing import JPEG_QUALITY, PNG_COMPRESSION, atomic
from ._file_notes import fitting_jpeg, png_options

SUFFIXES = {"png": ".png", "webp": ".webp", "jpg": ".jpg"}
_SIDES = {"webp": 16383, "jpg": 65535}  # pixels, the most that a format holds
WEBP_QUALITY = 90  # of the colours; alpha is kept exactly


def check_format(file_format: str, *, is_opaque: bool) -> str:
    """Return a format of cutouts; raise a UsageError if there is none of this name, or it has no transparency."""
    if file_format not in SUFFIXES:
        raise UsageError(f"no format '{file_format}'{nearest(file_format, SUFFIXES)} (formats: {', '.join(SUFFIXES)})")
    if file_format == "jpg" and not is_opaque:
        raise UsageError("jpg pictures are not transparent: give png or webp, or a background")
    return file_format


def format_of(path: Path) -> str | None:
    """Return the format that a file's name asks for; None if it names none."""
    suffix = path.suffix.lower()
    return next((name for name, each in SUFFIXES.items() if suffix == each or (name, suffix) == ("jpg", ".jpeg")), None)


def write_cutout(
    path: Path, pixels: npt.NDArray[np.uint8], file_format: str, notes: Mapping[str, Any], beside: Mapping[str, Any]
) -> None:
    """Write a cutout, (H, W, 4), (H, W, 3) or (H, W) uint8, under a temporary name first.

    Parameters
    ----------
    path : Path
    pixels : array
    file_format : {"png", "webp", "jpg"}
    notes : mapping
        How it was made; see `salbox.writing.read_notes`.
    beside : mapping
        `exif`, `icc_profile` and `xmp`; a mask has no use for them.

    Raises
    ------
    UsageError
        If the place cannot be written to, or the format holds no picture of this size.
    """
    most = _SIDES.get(file_format)
    if most is not None and max(pixels.shape[:2]) > most:
        raise UsageError(f"{path}: {file_format} pictures have at most {most} pixels a side; write png")
    alpha = pixels if pixels.ndim == 2 else pixels[..., 3:]
    low, high = (int(alpha.min()) / 255, int(alpha.max()) / 255) if alpha.size else (1.0, 1.0)
    notes = {**notes, "output": "probability", "minimum": low, "maximum": high}
    extra = dict(beside)
    if pixels.ndim == 2:
        notes |= {"white": 255, "bounds": [0, 1]}
        extra = {}
    content = [_encoded(pixels, file_format, notes, extra)]
    if file_format == "webp":  # readers end where the file's own content does
        content.append(memoryview(behind(notes)))
    with atomic(path) as temporary, temporary.open("wb") as file:
        for piece in content:
            file.write(piece)


def _encoded(
    pixels: npt.NDArray[np.uint8], file_format: str, notes: Mapping[str, Any], extra: dict[str, Any]
) -> memoryview:
    options: dict[str, Any]
    if file_format == "png":
        extra = png_options(extra, {KEY: to_text(notes)})
        options = {"format": "PNG", "compress_level": PNG_COMPRESSION}
    elif file_format == "webp":
        options = {"format": "WEBP", "quality": WEBP_QUALITY}
    else:
        extra = fitting_jpeg(extra)
        options = {"format": "JPEG", "quality": JPEG_QUALITY, "comment": to_text(notes)}
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **options, **extra)
    return buffer.getbuffer()
