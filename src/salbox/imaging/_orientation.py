"""How a picture lies in its file, and bringing it upright."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageFile

ORIENTATION = 0x0112  # EXIF's tag, and TIFF's
UPRIGHT = 1
QUARTERS = (5, 6, 7, 8)  # orientations in which rows are stored as columns

# Orientation -> what makes a picture upright, and what undoes that again (TIFF 6.0, "Orientation").
_TURNS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_LEFT_RIGHT),
    3: (Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_180),
    4: (Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.FLIP_TOP_BOTTOM),
    5: (Image.Transpose.TRANSPOSE, Image.Transpose.TRANSPOSE),
    6: (Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_90),
    7: (Image.Transpose.TRANSVERSE, Image.Transpose.TRANSVERSE),
    8: (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270),
}
_PNG_HEAD = 8  # bytes before the first chunk, and of a chunk before its content
_PNG_NOTES = (b"eXIf", b"iTXt", b"zTXt", b"tEXt")  # chunks that may state an orientation


def orientation_of(image: Image.Image) -> int:
    """Return the orientation that a picture states in EXIF or XMP, 1 to 8; 1 if it states none."""
    # Pillow decodes a whole PNG to find notes behind its pixels.
    has_none_behind = image.format == "PNG" and isinstance(image, ImageFile.ImageFile) and not _notes_behind(image)
    exif = Image.Image.getexif(image) if has_none_behind else image.getexif()
    return as_orientation(exif.get(ORIENTATION))


def as_orientation(value: Any) -> int:
    """Return an orientation as a file has it, 1 if it is none."""
    return value if isinstance(value, int) and value in _TURNS else UPRIGHT


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return a picture turned so that it lies as its orientation says."""
    return image.transpose(_TURNS[orientation][0]) if orientation in _TURNS else image


def as_stored(image: Image.Image, orientation: int) -> Image.Image:
    """Return an upright picture as its file has it."""
    return image.transpose(_TURNS[orientation][1]) if orientation in _TURNS else image


def _notes_behind(image: ImageFile.ImageFile) -> bool:
    """Return whether an open PNG has notes behind its pixels."""
    file = image.fp
    if not image.tile or file is None:  # decoded already: all is known
        return False
    position = file.tell()
    try:
        file.seek(_PNG_HEAD)
        seen_pixels = False
        while len(head := file.read(_PNG_HEAD)) == _PNG_HEAD:
            kind = head[4:]
            if seen_pixels and kind in _PNG_NOTES:
                return True
            seen_pixels = seen_pixels or kind == b"IDAT"
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)
        return False
    finally:
        file.seek(position)
