"""HEIC photos, which pillow-heif reads where it is installed."""

from __future__ import annotations

import importlib

from ..errors import ImageError

HEIF, AVIF = "HEIF", "AVIF"
_HEVC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_AV1 = {b"avif", b"avis"}
_EITHER = {b"mif1", b"msf1", b"mif2"}

HEAD = 4096  # bytes of a file that tell


def kind_of(head: bytes) -> str | None:
    """Return "HEIF", "AVIF" or None by the brands that a file states (ISO/IEC 14496-12, section 4.3)."""
    if head[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if not brands & (_HEVC | _AV1 | _EITHER):
        return None
    return AVIF if head[8:12] in _AV1 or (brands & _AV1 and not brands & _HEVC) else HEIF


def register() -> None:
    """Make Pillow read HEIC.

    Raises
    ------
    ImageError
        If pillow-heif is not installed.
    """
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        raise ImageError(
            "a HEIC photo (HEIF), which needs an optional part of salbox: pip install 'salbox[heic]'"
        ) from None
