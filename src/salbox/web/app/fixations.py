"""Fixations that somebody drops on a page."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath

from ...datasets.fixations import Fixations
from ...datasets.points import read_fixations
from ...errors import SalboxError, UsageError, one_line
from .uploads import MAX_MEGABYTES, Picture, check_size


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
    label = one_line(name, 60)
    check_size(label, len(content), MAX_MEGABYTES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"fixations{PurePosixPath(name).suffix.lower()}"
        path.write_bytes(content)
        try:
            found = read_fixations(path, picture.shape)
        except SalboxError as error:
            raise UsageError(str(error).replace(str(path), label)) from None
    return found.resized(picture.shape, picture.pixels.shape[:2])
