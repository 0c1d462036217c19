"""Arrays that lie in a file: described first, read once their names and shapes are those expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError, name_some

Shape = tuple[int, ...]
Weights = dict[str, npt.NDArray[np.float32]]

MAX_ARRAYS = 20_000


@dataclass(frozen=True)
class StoredArray:
    """An array in a file.

    Attributes
    ----------
    shape : tuple of int
        As the file declares it.
    read : callable
        Returns its numbers, in that shape or flat in C order. It raises a SalboxError if they are not there.
    """

    shape: Shape
    read: Callable[[], npt.NDArray[Any]]


def collect(
    stored: Mapping[str, StoredArray],
    shapes: Mapping[str, Shape],
    model: str,
    where: Path,
    *,
    ignored: Callable[[str], bool] = lambda name: False,
) -> Weights:
    """Return the arrays that a network needs, float32, each of the shape expected.

    Parameters
    ----------
    stored : mapping
        What the file holds.
    shapes : mapping
        Name -> shape of every array that the network has. The file must hold these and, but for the ignored ones, no
        others. Nothing is read before all names and shapes are right, so that a small file cannot ask for much memory.
    model : str
        Whose weights they should be, for the messages.
    where : Path
        The file, for the messages.
    ignored : callable
        Returns of a name whether it is one that the network has no use for.

    Raises
    ------
    WeightsError
        If an array is missing, too many, of another shape, or holds anything but finite numbers.
    """
    missing = [name for name in shapes if name not in stored]
    foreign = [name for name in stored if name not in shapes and not ignored(name)]
    if missing or foreign:
        few, more = (name_some(names, 3, quoted=True) for names in (missing, foreign))
        lacks = f"it lacks {few} ({len(missing)} of {len(shapes)} missing)" if missing else ""
        holds = f"it holds {more} ({len(foreign)} too many)" if foreign else ""
        raise WeightsError(f"{where}: not the weights of {model}: {' and '.join(filter(None, (lacks, holds)))}")
    for name, expected in shapes.items():
        if stored[name].shape != expected:
            raise WeightsError(
                f"{where}: not the weights of {model}: '{name}' has shape {stored[name].shape}, expected {expected}"
            )
    return {name: _read(stored[name], name, where) for name in shapes}


def _read(stored: StoredArray, name: str, where: Path) -> npt.NDArray[np.float32]:
    values = stored.read()
    if values.size != prod(stored.shape) or values.dtype.kind != "f":
        raise WeightsError(f"{where}: '{name}' holds {values.size} {values.dtype}, not {prod(stored.shape)} floats")
    with np.errstate(over="ignore"):  # checked below
        # A copy: a file's bytes are not to be written.
        converted = np.array(values.reshape(stored.shape), np.float32, order="C")
    if not np.isfinite(converted).all():
        raise WeightsError(f"{where}: '{name}' holds numbers that are not finite")
    return converted
