"""Arrays that lie in a file of weights: described first, read once their names and shapes are those expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import WeightsError

Shape = tuple[int, ...]
Weights = dict[str, npt.NDArray[np.float32]]

MAX_BYTES = 1 << 30  # of a file: the largest of these networks has 70 million numbers, its optimiser twice as many
MAX_ARRAYS = 20_000
_NAMED = 3  # names in a message

# How files begin that people have beside the one asked for.
_MAGIC = {
    b"\x89HDF\r\n\x1a\n": "it is an HDF5 file, as Keras writes",
    b"PK\x03\x04": "it is a zip archive, as PyTorch and NumPy write",
    b"\x80": "it is a pickle, which is not read",
    b"\x1f\x8b": "it is packed with gzip; unpack it",
}


@dataclass(frozen=True)
class StoredArray:
    """An array in a file.

    Attributes
    ----------
    shape : tuple of int
        As the file declares it.
    read : callable
        Returns its numbers, in that shape or flat in C order. It raises a WeightsError if they are not there.
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
        Tells of a name whether it is one that the network has no use for.

    Raises
    ------
    WeightsError
        If an array is missing, too many, of another shape, or holds anything but finite numbers.
    """
    missing = [name for name in shapes if name not in stored]
    foreign = [name for name in stored if name not in shapes and not ignored(name)]
    if missing or foreign:
        lacks = f"it lacks {listed(missing)} ({len(missing)} of {len(shapes)} missing)" if missing else ""
        holds = f"it holds {listed(foreign)} ({len(foreign)} too many)" if foreign else ""
        raise WeightsError(f"{where}: not the weights of {model}: {' and '.join(filter(None, (lacks, holds)))}")
    for name, expected in shapes.items():
        if stored[name].shape != expected:
            raise WeightsError(
                f"{where}: not the weights of {model}: '{name}' has shape {stored[name].shape}, expected {expected}"
            )
    return {name: _read(stored[name], name, where) for name in shapes}


def listed(names: Iterable[str]) -> str:
    """Return the first names in quotes, for a message."""
    every = list(names)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(f"'{name[:80]}'" for name in every[:_NAMED]) + more


def file_size(path: Path) -> int:
    """Return the bytes of a file.

    Raises
    ------
    WeightsError
        If there is no such file, or it is larger than weights are.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from None
    if size > MAX_BYTES:
        raise WeightsError(f"{path}: {size} bytes are more than such weights have ({MAX_BYTES})")
    return size


def file_content(path: Path) -> bytes:
    """Return a file's bytes; raises as `file_size`."""
    file_size(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from None


def kind_of(beginning: bytes) -> str:
    """Return what a file is that was expected to be another, by its first bytes: " (..)", or nothing if unknown."""
    for magic, kind in _MAGIC.items():
        if beginning.startswith(magic):
            return f" ({kind})"
    return ""


def _read(stored: StoredArray, name: str, where: Path) -> npt.NDArray[np.float32]:
    values = stored.read()
    if values.size != prod(stored.shape) or values.dtype.kind != "f":
        raise WeightsError(f"{where}: '{name}' holds {values.size} {values.dtype}, not {prod(stored.shape)} floats")
    with np.errstate(over="ignore"):  # checked below
        converted = np.array(values.reshape(stored.shape), np.float32)  # a copy: a file's bytes are not to be written
    if not np.isfinite(converted).all():
        raise WeightsError(f"{where}: '{name}' holds numbers that are not finite")
    return converted
