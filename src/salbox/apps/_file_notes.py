"""What a photo's file says beside its pixels, for a file that is made of it: the colour profile, the camera's notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

_MOST_IN_JPEG = 65_533  # bytes that a segment holds
_SPACE = slice(16, 20)  # bytes of a profile that name the colours it is of (ICC.1, 7.2.8)
_SPACES = {b"RGB ": "RGB", b"GRAY": "L"}


def file_notes(image: Image.Image, *, is_gray: bool) -> dict[str, Any]:
    """Return `icc_profile` and `exif` of an open picture, as Pillow takes them; what does not fit is left out.

    A profile fits if it is of the colours that will be written; the orientation is left out, for pixels are upright.

    Parameters
    ----------
    image : PIL image
    is_gray : bool
        Whether brightness alone will be written.
    """
    found: dict[str, Any] = {}
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and _SPACES.get(profile[_SPACE]) == ("L" if is_gray else "RGB"):
        found["icc_profile"] = profile
    if (exif := camera_notes(image)) is not None:
        found["exif"] = exif
    return found


def camera_notes(image: Image.Image) -> bytes | None:
    """Return the EXIF of an open picture without the orientation, as pixels are upright; None if there is none."""
    if image.format == "TIFF":  # whose tags are its own
        return None
    try:
        notes = Image.Exif()  # a copy: the picture may be somebody's own
        notes.load(image.getexif().tobytes())
        notes.pop(ExifTags.Base.Orientation, None)
        return notes.tobytes() if len(notes) else None
    except Exception:  # Pillow raises nearly anything on malformed notes, which are not what was asked for
        return None


def fitting_jpeg(notes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `file_notes` gave, without the camera's notes if they are more than a JPEG holds."""
    return {name: value for name, value in notes.items() if name != "exif" or len(value) <= _MOST_IN_JPEG}
