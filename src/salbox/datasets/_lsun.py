"""What SALICON and iSUN share, both of the LSUN challenge of 2015: a struct for each person who looked at an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..formats.mat import records, table_field
from ..types import Shape
from .fixations import Fixations, pooled

FIRST = 1.0  # the top left pixel is (1, 1)


def read_gaze(gaze: Any, fields: Sequence[str], where: str) -> Fixations:
    """Return the fixations of a struct array of people, in pixels of the recorded image, counted from 0.

    Parameters
    ----------
    gaze : struct array
        Who has none is left out, and still counted: people are numbered from 0 in the order of the file.
    fields : names
        Of x and y, (N, 2), counted from 1; the first that is there is read.
    where : str
        For messages.

    Raises
    ------
    UsageError
        If it is something else.
    """
    observers = []
    for subject, person in enumerate(records(gaze, where)):
        field = next((name for name in fields if name in person.names), fields[0])
        places = table_field(person, field, f"{where}({subject + 1})", 2) - FIRST
        order = np.flatnonzero(np.isfinite(places).all(axis=1))
        observers.append(Fixations(places[order, 0], places[order, 1], subject, order))
    return pooled(observers)


def as_shape(resolution: npt.NDArray[Any], where: str) -> Shape:
    """Return (H, W) of the numbers that say in which size positions are; raises UsageError if they are others."""
    sides = resolution.reshape(-1)
    if resolution.dtype.kind not in "fiu" or len(sides) != 2 or not (np.isfinite(sides) & (sides >= 1)).all():
        raise UsageError(f"{where}: expected a height and a width")
    return int(sides[0]), int(sides[1])
