"""Keras's weights (.h5) without Keras: the layers of a file in its order, and of each its arrays in its order.

A file is a group, or has one called "model_weights" beside a model's description and its optimiser's state. The
group's attribute "layer_names" lists its layers; each is a group whose attribute "weight_names" lists its arrays.
Nobody vouches for such a file: links to elsewhere, data in other files and filters that would be loaded as plugins are
refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import MissingExtraError, WeightsError
from .stored import MAX_ARRAYS, StoredArray, file_size, kind_of

WEIGHTS = "model_weights"  # the group in the file of a whole model
SIGNATURE = b"\x89HDF\r\n\x1a\n"

MAX_NAMES = 1 << 20  # bytes of an attribute that lists names
MAX_CHUNK = 1 << 28  # bytes that HDF5 unpacks at once
FILTERS = frozenset({1, 2, 3, 32000})  # deflate, shuffle, Fletcher's checksum and LZF, which need no plugin


@dataclass(frozen=True)
class Layer:
    """A layer that has weights.

    Attributes
    ----------
    name : str
    arrays : dict
        Name -> array, in the file's order.
    """

    name: str
    arrays: dict[str, StoredArray]


@contextmanager
def open_keras(path: Path) -> Iterator[list[Layer]]:
    """Open a file of Keras weights; within the block its layers' arrays can be read.

    Layers without weights are left out. Kernels are as the file has them.

    Raises
    ------
    WeightsError
        If it is no such file or damaged, also where that shows later, within the block.
    MissingExtraError
        If h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("reading Keras's .h5 files", "train") from None
    file_size(path)
    try:
        with path.open("rb") as start:
            beginning = start.read(len(SIGNATURE))
        if beginning != SIGNATURE:
            raise WeightsError(f"{path}: not an HDF5 file, which Keras writes{kind_of(beginning)}")
        with h5py.File(path, "r") as file:
            root = _group(path, file, WEIGHTS) if _is_linked(file, WEIGHTS) else file
            yield list(_layers(path, root))
    except (WeightsError, MissingExtraError):
        raise
    except Exception as error:  # h5py raises nearly anything on malformed files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise WeightsError(f"{path}: not a sound file of Keras ({reason})") from None


def all_names(layers: Iterable[Layer]) -> list[str]:
    """Return the names by which a file may tell whose it is: its layers' with and without their arrays'."""
    return [name for layer in layers for array in layer.arrays for name in (f"{layer.name}/{array}", array)]


def _layers(path: Path, root: Any) -> Iterator[Layer]:
    total = 0
    names = _names(path, root, "layer_names")
    if len(set(names)) < len(names):
        raise WeightsError(f"{path}: lists a layer twice")
    for name in names:
        group = _group(path, root, name)
        listed = _names(path, group, "weight_names")
        total += len(listed)
        if total > MAX_ARRAYS or len(set(listed)) < len(listed):
            raise WeightsError(f"{path}: layer '{name[:80]}' lists an array twice, or more than a network has")
        if listed:
            yield Layer(name, {array: _array(path, group, array) for array in listed})


def _names(path: Path, group: Any, attribute: str) -> list[str]:
    """Return the names that an attribute lists; long lists are cut into attributes with a number behind the name."""
    if attribute in group.attrs:
        parts = [attribute]
    else:
        parts = []
        while f"{attribute}{len(parts)}" in group.attrs:
            parts.append(f"{attribute}{len(parts)}")
        if not parts:
            raise WeightsError(f"{path}: not a file of Keras weights ('{group.name}' has no {attribute})")
    names: list[str] = []
    for part in parts:
        held = group.attrs.get_id(part)
        if len(held.shape) > 1 or prod(held.shape) > MAX_ARRAYS or prod(held.shape) * held.dtype.itemsize > MAX_NAMES:
            raise WeightsError(f"{path}: '{group.name}' lists more names than a network has")
        if 0 in held.shape:  # a layer without weights: an empty list, whose kind is that of numbers
            continue
        if held.dtype.kind not in "SO":
            raise WeightsError(f"{path}: {attribute} of '{group.name}' are not names")
        values = np.ravel(group.attrs[part])
        names += [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]
    return names


def _is_linked(group: Any, name: str) -> bool:
    """Return whether a group has a link of that name, without looking where it leads."""
    return hasattr(group, "keys") and name not in ("", ".") and bool(group.id.links.exists(name.encode()))


def _member(path: Path, group: Any, name: str) -> Any:
    """Return what a path within a group leads to, over hard links only."""
    import h5py

    found = group
    for part in name.split("/"):
        if not _is_linked(found, part):
            raise WeightsError(f"{path}: lacks '{name[:80]}' in '{group.name}', which lists it")
        if found.id.links.get_info(part.encode()).type != h5py.h5l.TYPE_HARD:
            raise WeightsError(f"{path}: '{name[:80]}' is a link to elsewhere, which is not followed")
        found = found[part]
    return found


def _group(path: Path, group: Any, name: str) -> Any:
    found = _member(path, group, name)
    if not hasattr(found, "keys"):
        raise WeightsError(f"{path}: '{name[:80]}' is not a group")
    return found


def _array(path: Path, group: Any, name: str) -> StoredArray:
    found = _member(path, group, name)
    if hasattr(found, "keys") or not hasattr(found, "chunks") or found.shape is None:
        raise WeightsError(f"{path}: '{name[:80]}' is not an array")
    properties = found.id.get_create_plist()
    if properties.get_external_count() or found.is_virtual:
        raise WeightsError(f"{path}: the data of '{name[:80]}' are in another file, which is not read")
    if any(properties.get_filter(k)[0] not in FILTERS for k in range(properties.get_nfilters())):
        raise WeightsError(f"{path}: '{name[:80]}' needs a filter that HDF5 does not have built in")
    if found.chunks is not None and prod(found.chunks) * found.dtype.itemsize > MAX_CHUNK:
        raise WeightsError(f"{path}: '{name[:80]}' is packed in pieces larger than an array of such weights")
    return StoredArray(tuple(found.shape), partial(_read, path, found, name))


def _read(path: Path, found: Any, name: str) -> npt.NDArray[Any]:
    if found.dtype.kind != "f":
        raise WeightsError(f"{path}: '{name[:80]}' does not hold floating-point numbers")
    return np.asarray(found[()])
