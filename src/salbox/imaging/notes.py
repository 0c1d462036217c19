"""Notes: what a map's file says of its numbers and of how they were made, and the numbers that its pixels stand for.

Each format has a place for them: PNG a text, JPEG a comment, TIFF the description. Behind the end of an .npy or of a
video they are where readers of these do not look. MAT files, which have a variable for them, are read in
`salbox.writing`.
"""

from __future__ import annotations

import json
import math
import stat
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from ..errors import ImageError, one_line
from ..types import Output
from .scaling import normalized_log

KEY = "salbox"  # of the text in a PNG
TIFF_IMAGE_DESCRIPTION = 270
DENSITY = "density"  # what a picture shows of a log density whose numbers it does not hold

_PICTURE_KINDS = ("PNG", "JPEG", "TIFF")
_MOST = 1 << 20  # bytes of notes
_MARK = b"\nsalbox notes"
_TINY = float(np.finfo(np.float64).tiny)
_LENGTH = struct.Struct("<I")

Notes = dict[str, Any]


def to_text(notes: Mapping[str, Any]) -> str:
    """Return notes as a text of ASCII characters in one line."""
    return json.dumps(notes)


def parse(text: str | bytes) -> Notes:
    """Return the notes in a text; empty if it is anything else: what other programs write there is not ours."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and _are_sound(found) else {}


def behind(notes: Mapping[str, Any]) -> bytes:
    """Return notes as they stand behind the end of a file's own content."""
    text = to_text(notes).encode()
    return b"\n" + text + _LENGTH.pack(len(text)) + _MARK


def behind_video(notes: Mapping[str, Any], suffix: str) -> bytes:
    """Return notes as they stand behind the end of a video, in what its container skips: free space."""
    text = behind(notes)
    if suffix == ".mp4":
        return struct.pack(">I4s", len(text) + 8, b"free") + text
    if suffix == ".webm":
        return b"\xec\x01" + len(text).to_bytes(7, "big") + text  # EBML's Void
    return struct.pack("<4sI", b"JUNK", len(text)) + text  # of RIFF, as an .avi is


def notes_behind(path: Path) -> Notes:
    """Return the notes that stand behind a file's own content; empty if there are none.

    Raises
    ------
    ImageError
        If it cannot be read.
    """
    tail = _LENGTH.size + len(_MARK)
    _check(path)
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - tail))
            closing = file.read()
            if len(closing) < tail or not closing.endswith(_MARK):
                return {}
            (length,) = _LENGTH.unpack_from(closing)
            if length > min(_MOST, end - tail):
                return {}
            file.seek(end - tail - length)
            return parse(file.read(length))
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error})") from None


def notes_of_picture(path: Path) -> Notes:
    """Return the notes in a PNG, JPEG or TIFF; empty if there are none, or it is of another kind.

    Raises
    ------
    ImageError
        If it cannot be read.
    """
    _check(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its size, which is not unpacked
            with Image.open(path, formats=_PICTURE_KINDS) as image:
                text = image.info.get(KEY) or image.info.get("comment")
                if text is None and hasattr(image, "tag_v2"):
                    text = image.tag_v2.get(TIFF_IMAGE_DESCRIPTION)
    except UnidentifiedImageError:
        return {}
    except Exception as error:  # Pillow's format plugins raise nearly anything on malformed headers
        raise ImageError(f"{path}: broken image ({one_line(error)})") from None
    return parse(text) if isinstance(text, (str, bytes)) and len(text) <= _MOST else {}


def output_of(notes: Mapping[str, Any]) -> Output | None:
    """Return what the numbers of a map are as its notes say; None if they do not."""
    return notes.get("output")


def restored(values: npt.NDArray[Any], notes: Mapping[str, Any]) -> npt.NDArray[Any]:
    """Return the numbers that a picture's pixels stand for, (H, W) float32, as far as its bits tell them apart.

    Where pixels are the numbers themselves they come back as they are.

    Parameters
    ----------
    values : (H, W) array
        The pixels, all of them or reduced to 8 bits.
    notes : mapping
        What `notes_of_picture` found.
    """
    white = notes.get("white")
    if white is None:
        return values
    low, high = _ends(notes)
    shares = values.astype(np.float64) / (255 if values.dtype == np.uint8 else white)
    numbers = np.where(values == 0, notes.get("black", low), low + shares * (high - low))
    if output_of(notes) != "log_density":
        return numbers.astype(np.float32)
    return normalized_log(np.log(np.maximum(numbers, _TINY)) if _shows_density(notes) else numbers)


def _ends(notes: Mapping[str, Any]) -> tuple[float, float]:
    """Return what black and white stand for."""
    if "bounds" in notes:
        low, high = notes["bounds"]
        return low, high
    low, high = notes["minimum"], notes["maximum"]
    return (math.exp(low), math.exp(high)) if _shows_density(notes) else (low, high)


def _shows_density(notes: Mapping[str, Any]) -> bool:
    return notes.get("shown") == DENSITY


def _are_sound(notes: Mapping[str, Any]) -> bool:
    """Return whether notes are as `write_map` makes them, so that nothing else is computed with."""
    bounds = notes.get("bounds", [0, 1])
    numbers = [notes.get("minimum"), notes.get("maximum"), *(bounds if isinstance(bounds, list) else [None])]
    numbers.append(notes.get("black", 0))
    if len(numbers) != 5 or not all(type(n) in (int, float) and math.isfinite(n) and abs(n) < 1e38 for n in numbers):
        return False
    is_log = notes.get("output") == "log_density"
    return (
        numbers[0] <= numbers[1]
        and numbers[2] < numbers[3]
        and notes.get("output") in (None, *get_args(Output))
        and notes.get("white") in (None, 255, 65535)
        and notes.get("shown") in ((None, DENSITY) if is_log else (None,))
        and not (is_log and numbers[1] > 1)
    )


def _check(path: Path) -> None:
    """Raise an ImageError if there is no regular file: a pipe would be waited for."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if not is_file:
        raise ImageError(f"{path}: cannot be read (not a regular file)")
