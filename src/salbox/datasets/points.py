"""Where people looked, from files of several kinds: tables of positions, and pictures of the fixated pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..formats.mat import load_variable
from ..formats.npy import read_npy
from ..imaging.image import MAX_PIXELS, SUFFIXES
from ..types import Shape
from .dataset import read_gray
from .fixations import Fixations
from .position_tables import checked_positions, read_positions

TABLE_SUFFIXES = (".csv", ".txt", ".tsv", ".npy")
POINT_SUFFIXES = frozenset({*TABLE_SUFFIXES, ".mat", *SUFFIXES})

# The names under which published .mat files of one image hold positions or the picture of fixated pixels.
VARIABLES = ("fixations", "points", "fixLocs", "fixationPts", "I")
FIRST_IN_MATLAB = 1.0  # MATLAB counts pixels from 1

FIXATED = 0.5  # of the picture's largest value: exact for 0/1 and 0/255, and for JPEG, whose zeros are not quite zero


def read_points(path: Path) -> npt.NDArray[np.float64]:
    """Return positions x, y, (N, 2) float64, from a .npy or a text; see `read_fixations`.

    Raises
    ------
    UsageError
        If it cannot be read so.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from salbox.datasets import read_points
    >>> path = Path(tempfile.mkdtemp(), "photo.npy")
    >>> np.save(path, [[10, 20, 1], [30, 40, 2]])  # x, y and the observer
    >>> read_points(path).tolist()
    [[10.0, 20.0], [30.0, 40.0]]
    """
    return _table(path)[:, :2]


def read_fixations(path: Path, shape: Shape) -> Fixations:
    """Return the fixations that a file holds, in pixels of the image counted from 0; some may lie outside.

    Parameters
    ----------
    path : Path
        - .csv, .txt, .tsv: a text with tabs, semicolons, commas or spaces, positions in the image's pixels from 0. By
          the names in its first line the columns x, y and perhaps subject or observer are read and others are not;
          without names they are x, y and perhaps the observer's number;
        - .npy: columns x, y and perhaps the observer's number;
        - .mat: the same in a variable named as in `VARIABLES`, positions from 1 as MATLAB counts, or a picture;
        - a picture: every pixel above half of its largest value is one fixation. Of another size than the image,
          positions are scaled.
    shape : (H, W)
        The image's.

    Raises
    ------
    UsageError, ImageError
        If it cannot be read so.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from salbox.datasets import read_fixations
    >>> path = Path(tempfile.mkdtemp(), "photo.npy")
    >>> np.save(path, [[10, 20, 1], [30, 40, 2]])  # x, y and the observer
    >>> fixations = read_fixations(path, (480, 640))
    >>> fixations.x.tolist(), fixations.y.tolist(), fixations.subjects
    ([10.0, 30.0], [20.0, 40.0], (1, 2))
    """
    suffix = path.suffix.lower()
    if suffix == ".mat":
        values = load_variable(path, VARIABLES, most=MAX_PIXELS)
        if values.ndim != 2 or values.dtype.kind not in "fiub":
            raise UsageError(f"{path}: expected positions x, y or a picture, got {values.dtype} of {values.shape}")
        if values.shape[1] not in (2, 3) or values.shape == shape:
            return _from_picture(values, shape)
        table = _checked(values.astype(np.float64), path)
        return Fixations(table[:, 0] - FIRST_IN_MATLAB, table[:, 1] - FIRST_IN_MATLAB, _subjects(table))
    if suffix in TABLE_SUFFIXES:
        table = _table(path)
        return Fixations(table[:, 0], table[:, 1], _subjects(table))
    return _from_picture(read_gray(path), shape)


def _from_picture(values: npt.NDArray[Any], shape: Shape) -> Fixations:
    if not np.isfinite(values).all() or values.max() <= 0:
        return Fixations([], [])
    rows, columns = np.nonzero(values > FIXATED * float(values.max()))
    height, width = values.shape
    return Fixations(columns, rows).resized((height, width), shape)


def _checked(points: npt.NDArray[Any], path: Path) -> npt.NDArray[np.float64]:
    """Return the table that an array holds: positions x, y and perhaps observers, (N, 2) or (N, 3)."""
    if points.ndim != 2 or points.shape[1] not in (2, 3) or points.dtype.kind not in "fiu":
        raise UsageError(
            f"{path}: expected positions x, y and perhaps the observer, (N, 2) or (N, 3), got {points.dtype} of "
            f"shape {points.shape}"
        )
    return checked_positions(points.astype(np.float64), path)


def _table(path: Path) -> npt.NDArray[np.float64]:
    """Return positions x, y and perhaps observers: (N, 2) or (N, 3)."""
    return _checked(read_npy(path), path) if path.suffix.lower() == ".npy" else read_positions(path)


def _subjects(table: npt.NDArray[np.float64]) -> npt.ArrayLike:
    return table[:, 2] if table.shape[1] == 3 else 0
