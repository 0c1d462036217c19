"""What a photo's file says beside its pixels, for a file that is made of it: colour profile, EXIF, XMP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

# Bytes that a segment of a JPEG holds, less what stands before them there.
_MOST_IN_JPEG = {"exif": 65_533, "xmp": 65_533 - len(b"http://ns.adobe.com/xap/1.0/\x00")}
_MOST_XMP = 16 * 1024**2
_PNG_XMP = "XML:com.adobe.xmp"  # keyword of the text that holds it
_SPACE = slice(16, 20)  # bytes of a profile that name the colours it is of (ICC.1, 7.2.8)
_SPACES = {b"RGB ": "RGB", b"GRAY": "L"}
_ORIENTATION = re.compile(rb"""\s*tiff:Orientation\s*=\s*(["'])[^"']*\1|<tiff:Orientation>[^<]*</tiff:Orientation>""")


def file_notes(image: Image.Image, *, is_gray: bool) -> dict[str, Any]:
    """Return `icc_profile`, `exif` and `xmp` of an open picture, as Pillow takes them; what does not fit is left out.

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
    return found | written_notes(image)


def written_notes(image: Image.Image) -> dict[str, Any]:
    """Return `exif` and `xmp` of an open picture, as far as it has them, without the orientation."""
    found = {"exif": camera_notes(image), "xmp": _xmp(image)}
    return {name: value for name, value in found.items() if value}


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
    """Return what `file_notes` gave without what is more than a JPEG holds of its kind."""
    return {name: value for name, value in notes.items() if len(value) <= _MOST_IN_JPEG.get(name, len(value))}


def png_options(notes: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what `file_notes` gave, and texts by their keywords, as Pillow writes them into a PNG."""
    info = PngImagePlugin.PngInfo()
    for keyword, text in (texts or {}).items():
        info.add_text(keyword, text)
    if (xmp := notes.get("xmp")) is not None:
        info.add_itxt(_PNG_XMP, xmp.decode("utf-8", "replace"))
    return {"pnginfo": info, **{name: value for name, value in notes.items() if name != "xmp"}}


def _xmp(image: Image.Image) -> bytes | None:
    """Return the XMP of an open picture, in UTF-8, without the orientation; None if there is none."""
    found = image.info.get("xmp") or image.info.get(_PNG_XMP)
    if isinstance(found, str):
        found = found.encode("utf-8", "replace")
    if not isinstance(found, bytes) or not 0 < len(found) <= _MOST_XMP:
        return None
    return _ORIENTATION.sub(b"", found.rstrip(b"\x00"))
