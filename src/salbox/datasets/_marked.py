"""Fixations that were published as pictures of the fixated pixels: who looked, when and how often is lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..formats.mat import load_variable
from ..types import Shape
from .dataset import read_mask
from .fixations import Fixations

HALF = 127  # of 8 bits: in pictures stored as JPEG, zeros are not quite zero


def from_marked(marked: npt.NDArray[Any], shape: Shape, where: str) -> Fixations:
    """Return a fixation for each pixel that is not zero, as one pooled observer, in pixels of the image.

    Parameters
    ----------
    marked : (h, w) numbers or bool
        Of another size than the image, positions are scaled.
    shape : (H, W)
        The image's.
    where : str
        For the message.

    Raises
    ------
    UsageError
        If it is no picture.
    """
    if marked.ndim != 2 or marked.dtype.kind not in "fiub" or not marked.size:
        raise UsageError(f"{where}: expected the picture of fixated pixels, got {marked.dtype} of shape {marked.shape}")
    rows, columns = np.nonzero(marked > 0)
    height, width = marked.shape
    return Fixations(columns, rows).resized((height, width), shape)


def read_marked(path: Path, shape: Shape, variables: Sequence[str] = ()) -> Fixations:
    """Return the fixations of a picture, or of the first of these variables that a MATLAB file holds.

    Raises
    ------
    UsageError, ImageError
        If it cannot be read so, or is a picture that is not black and has no value above half of white.
    """
    if path.suffix.lower() == ".mat":
        return from_marked(load_variable(path, variables), shape, str(path))
    values = read_mask(path)
    return from_marked(values > HALF if values.dtype == np.uint8 else values, shape, str(path))
