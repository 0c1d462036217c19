"""Fixations that somebody drops on a page."""

from __future__ import annotations

from pathlib import PurePosixPath

from ...datasets.fixations import Fixations
from ...datasets.points import read_fixations
from .uploads import MAX_MEGABYTES, Picture, upload_file


def fixations_from(name: str, content: bytes, picture: Picture) -> Fixations:
    """Return the fixations that an uploaded table holds, in pixels of the picture's working copy.

    Parameters
    ----------
    name : str
        Its suffix says what it is; the rest is for messages alone.
    content : bytes
    picture : Picture
        Positions are in the pixels of the picture itself.

    Raises
    ------
    SalboxError
        If it cannot be read; the message calls it by its name.
    """
    with upload_file(name, content, PurePosixPath(name).suffix.lower(), MAX_MEGABYTES) as path:
        found = read_fixations(path, picture.shape)
    return found.resized(picture.shape, picture.pixels.shape[:2])
