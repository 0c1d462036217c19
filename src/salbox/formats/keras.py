"""Keras's weights (.h5) without Keras: the layers of a file in its order, and of each its arrays in its order.

A file is a group, or has one called "model_weights" beside a model's description and its optimiser's state. The
group's attribute "layer_names" lists its layers; each is a group whose attribute "weight_names" lists its arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ..errors import WeightsError, one_line
from .hdf5 import Dialect, Node, open_hdf5
from .stored import MAX_ARRAYS, StoredArray

DIALECT = Dialect("an HDF5 file of Keras weights", "reading Keras's .h5 files", "train", WeightsError)
WEIGHTS = "model_weights"  # the group in the file of a whole model
MAX_DEPTH = 32  # groups within groups


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
    with open_hdf5(path, DIALECT) as root:
        yield list(_layers(root.group(WEIGHTS) if WEIGHTS in root else root))


def all_names(layers: Iterable[Layer]) -> list[str]:
    """Return the names by which a file may tell whose it is: its layers' with and without their arrays'."""
    return [name for layer in layers for array in layer.arrays for name in (f"{layer.name}/{array}", array)]


def _layers(root: Node) -> Iterator[Layer]:
    total = 0
    layers = _names(root, "layer_names")
    if len(set(layers)) < len(layers):
        raise WeightsError(f"{root.path}: lists a layer twice")
    for layer in layers:
        group = _inside(root, layer.split("/"))
        arrays = _names(group, "weight_names")
        total += len(arrays)
        if total > MAX_ARRAYS or len(set(arrays)) < len(arrays):
            raise WeightsError(
                f"{root.path}: layer '{one_line(layer, 80)}' lists an array twice, or more than a network has"
            )
        if arrays:
            yield Layer(layer, {array: _array(group, array) for array in arrays})


def _names(group: Node, attribute: str) -> list[str]:
    """Return the names that an attribute lists; long lists are cut into attributes with a number behind the name."""
    whole = group.attribute_texts(attribute)
    parts = [whole] if whole is not None else list(_numbered(group, attribute))
    if not parts:
        raise WeightsError(f"{group.where}: not a file of Keras weights (it has no {attribute})")
    if sum(map(len, parts)) > MAX_ARRAYS:
        raise WeightsError(f"{group.where}: lists more names than a network has")
    return [name for part in parts for name in part]


def _numbered(group: Node, attribute: str) -> Iterator[list[str]]:
    for number in range(MAX_ARRAYS):
        names = group.attribute_texts(f"{attribute}{number}")
        if names is None:
            return
        yield names


def _inside(group: Node, parts: Sequence[str]) -> Node:
    """Return the group that a path within a group leads to."""
    if len(parts) > MAX_DEPTH:
        raise WeightsError(f"{group.where}: lists a name that lies too deep for a layer")
    for part in parts:
        group = group.group(part)
    return group


def _array(group: Node, name: str) -> StoredArray:
    *parts, last = name.split("/")
    holder = _inside(group, parts)
    return StoredArray(holder.shape(last), partial(_read, holder, last))


def _read(group: Node, name: str) -> npt.NDArray[Any]:
    values = group.array(name)
    if values.dtype.kind != "f":
        raise WeightsError(f"{group.where}: '{one_line(name, 80)}' does not hold floating-point numbers")
    return values
