"""Readers of files of weights: what the names in a file are, and its numbers as the tensors of a network.

Whoever wrote a file had names and layouts of its own. A reader says how they stand for a network's; nothing is read
before names and shapes are those expected.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from ..formats.keras import Layer, all_names, open_keras
from ..formats.npz import read_weights
from ..formats.stored import Shape, StoredArray, collect
from .checkpoints import BATCHES_TRACKED, read_tensors

AS_PYTORCH = (0, 1, 2, 3)  # outputs, inputs, rows, columns
AS_TENSORFLOW = (2, 3, 1, 0)  # rows, columns, inputs, outputs


@dataclass(frozen=True)
class Contents:
    """An open file of weights.

    Attributes
    ----------
    names : collection of str
        By which it may be known whose weights they are.
    tensors : callable
        Takes a network, returns the tensors for it by the network's names. Raises a WeightsError if the file is not
        for such a network.
    """

    names: Collection[str]
    tensors: Callable[[nn.Module], Mapping[str, Tensor]]


class Reader(Protocol):
    """What opens files of one kind."""

    def open(self, path: Path) -> AbstractContextManager[Contents]:
        """Open a file; a WeightsError, also within the block, if it cannot be read."""
        ...


@dataclass(frozen=True)
class PyTorchFile:
    """What `torch.save` wrote, or a .safetensors; names and shapes are the network's.

    Attributes
    ----------
    within : str, optional
        See `salbox.networks.checkpoints.read_tensors`.
    renamed : mapping
        Beginnings of the file's names -> what the network has in their place.
    """

    within: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def open(self, path: Path) -> Iterator[Contents]:
        """See `Reader`."""
        tensors = read_tensors(path, within=self.within)
        yield Contents(tensors.keys(), lambda network: {self._own(name): t for name, t in tensors.items()})

    def _own(self, name: str) -> str:
        """Return what the network calls a tensor of the file."""
        found = next((beginning for beginning in self.renamed if name.startswith(beginning)), "")
        return f"{self.renamed.get(found, '')}{name.removeprefix(found)}"


@dataclass(frozen=True)
class NumpyFile:
    """An .npz; names and shapes are the network's.

    Attributes
    ----------
    model : str
        Whose weights they should be, for messages.
    """

    model: str

    @contextmanager
    def open(self, path: Path) -> Iterator[Contents]:
        """See `Reader`."""
        yield Contents((), lambda network: self._tensors(network, path))

    def _tensors(self, network: nn.Module, path: Path) -> dict[str, Tensor]:
        shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        return {name: torch.from_numpy(array) for name, array in read_weights(path, shapes, self.model).items()}


@dataclass(frozen=True)
class Layout:
    """How the arrays of a file stand for the tensors of a network.

    Attributes
    ----------
    model : str
        Whose weights they should be, for messages.
    stored_name : callable
        What the file calls a tensor of the network.
    kernel : four int
        Which of PyTorch's axes (outputs, inputs, rows, columns) a kernel's axes are in the file.
    ignored : callable
        Tells of a name in the file whether the network has no use for it.
    turns_matrices : bool
        Whether the file has the weights of linear layers as (inputs, outputs).
    """

    model: str
    stored_name: Callable[[str], str]
    kernel: tuple[int, int, int, int] = AS_PYTORCH
    ignored: Callable[[str], bool] = lambda name: False
    turns_matrices: bool = False

    def shapes(self, network: nn.Module) -> dict[str, Shape]:
        """Return {name: shape} of the arrays that a file for a network holds."""
        return {self.stored_name(name): self._stored_shape(name, value) for name, value in _own(network).items()}

    def tensors(self, stored: Mapping[str, StoredArray], network: nn.Module, path: Path) -> dict[str, Tensor]:
        """Return the tensors for a network by its names.

        Raises
        ------
        WeightsError
            If an array is missing, too many, of another shape, or holds anything but finite numbers.
        """
        arrays = collect(stored, self.shapes(network), self.model, path, ignored=self.ignored)
        return {
            name: self._as_pytorch(name, torch.from_numpy(arrays[self.stored_name(name)])) for name in _own(network)
        }

    def _stored_shape(self, name: str, tensor: Tensor) -> Shape:
        shape = tuple(tensor.shape)
        if self._is_turned(name, tensor):
            return shape[::-1]
        return tuple(shape[axis] for axis in self.kernel) if len(shape) == 4 else shape

    def _as_pytorch(self, name: str, values: Tensor) -> Tensor:
        if self._is_turned(name, values):
            return values.T.contiguous()
        if values.ndim != 4:
            return values
        return values.permute(*(self.kernel.index(axis) for axis in range(4))).contiguous()

    def _is_turned(self, name: str, tensor: Tensor) -> bool:
        return self.turns_matrices and tensor.ndim == 2 and name.endswith(".weight")


@dataclass(frozen=True)
class ArrayFile:
    """A file of named arrays.

    Attributes
    ----------
    read : callable
        Returns the arrays of a file by name.
    layout : Layout
    """

    read: Callable[[Path], Mapping[str, StoredArray]]
    layout: Layout

    @contextmanager
    def open(self, path: Path) -> Iterator[Contents]:
        """See `Reader`."""
        stored = self.read(path)
        yield Contents(stored.keys(), lambda network: self.layout.tensors(stored, network, path))


@dataclass(frozen=True)
class BySuffix:
    """Files of several kinds, told apart by how their names end.

    Attributes
    ----------
    readers : mapping
        Suffix, such as ".pdparams" -> the reader of such files.
    otherwise : Reader
        Of all others.
    """

    readers: Mapping[str, Reader]
    otherwise: Reader

    def open(self, path: Path) -> AbstractContextManager[Contents]:
        """See `Reader`."""
        return self.readers.get(path.suffix.lower(), self.otherwise).open(path)


@dataclass(frozen=True)
class KerasFile:
    """An .h5 that Keras wrote.

    Attributes
    ----------
    named : callable
        Returns the arrays of a file's layers, each by a name of its own.
    layout : Layout
    """

    named: Callable[[Sequence[Layer], Path], Mapping[str, StoredArray]]
    layout: Layout

    @contextmanager
    def open(self, path: Path) -> Iterator[Contents]:
        """See `Reader`."""
        with open_keras(path) as layers:
            yield Contents(
                all_names(layers), lambda network: self.layout.tensors(self.named(layers, path), network, path)
            )


def _own(network: nn.Module) -> dict[str, Tensor]:
    """Return the tensors of a network that files hold."""
    return {name: value for name, value in network.state_dict().items() if not name.endswith(BATCHES_TRACKED)}
