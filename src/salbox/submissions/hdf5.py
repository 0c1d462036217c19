"""The HDF5 file of the MIT/Tübingen benchmark and of pysaliency: a dataset a map, called as the image's file.

A saliency map is stored as it is, a density as its natural logarithm. pysaliency reads such a file with
`HDF5SaliencyMapModel` or `HDF5Model`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MissingExtraError, UsageError
from ..formats.hdf5 import Node, open_hdf5
from ..imaging.image import MAX_PIXELS
from ..types import Output
from ._part import Stored, Submission

LOG_SUM_TOLERANCE = 0.001  # the benchmark refuses a density whose sum's logarithm is further from 0

# Bytes of equal weight side by side: on log densities smaller than level 9 without, and faster.
_COMPRESSION: dict[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
_MADE_BY = "salbox"  # an attribute of the file
_MADE_OF = "salbox image"  # an attribute of each map
_DEPTH = 4  # folders of folders that keys may name


class Hdf5Submission(Submission):
    """A submission as an HDF5 file; parameters and errors as `Submission`, and MissingExtraError without h5py."""

    def __init__(self, path: Path, settings: Mapping[str, Any], contents: Mapping[str, str] | None = None) -> None:
        self._h5py = _h5py()
        super().__init__(path, settings, contents)

    def _open(self) -> list[str]:
        self._file = self._resumed() or self._h5py.File(self.part, "w")
        self._file.attrs[_MADE_BY] = self._digest
        return self._keys(self._file)

    def _keys(self, file: Any) -> list[str]:
        found: list[str] = []
        file.visititems(lambda key, node: found.append(key) if isinstance(node, self._h5py.Dataset) else None)
        return found

    def _resumed(self) -> Any:
        """Return what an earlier run left, or None; a file that a kill left broken is none."""
        if not self.part.exists():
            return None
        try:
            file = self._h5py.File(self.part, "r+")
        except BlockingIOError:
            raise UsageError(f"{self.part}: another run is writing it") from None
        except OSError:
            return None
        with contextlib.suppress(Exception):  # h5py raises nearly anything on broken files
            if file.attrs.get(_MADE_BY) == self._digest:
                for key in self._keys(file):
                    file[key][()]
                    if file[key].attrs.get(_MADE_OF) != self._contents.get(key, ""):
                        del file[key]
                return file
        file.close()
        return None

    def add(self, key: str, saliency: npt.NDArray[Any], output: Output = "score") -> None:
        """Write a map, (H, W), in single precision, 8 bits as they are.

        Raises
        ------
        UsageError
            If it is said to be a log density and its exponential does not sum to 1, or the disk is full.
        """
        if output == "log_density" and abs(total := log_sum(saliency)) > LOG_SUM_TOLERANCE:
            raise UsageError(f"{key}: not a log density: exp of it sums to {np.exp(min(total, 700)):.4g}, not to 1")
        values = saliency if saliency.dtype == np.uint8 else saliency.astype(np.float32)
        try:
            stored = self._file.create_dataset(key, data=values, **_COMPRESSION)
            stored.attrs[_MADE_OF] = self._contents.get(key, "")
            self._file.flush()
        except OSError as error:
            raise self._refused(error) from None

    def finish(self) -> None:
        """Give the file its name."""
        self._file.close()
        try:
            self.part.replace(self.path)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be written ({error.strerror or error})") from None


def read_hdf5(path: Path) -> Generator[Stored, None, None]:
    """Yield the maps of a file that nobody vouches for; each is read when it is asked for, until the next one comes.

    Raises
    ------
    UsageError
        If it is not such a file, or holds something else than maps.
    MissingExtraError
        If h5py is not installed.
    """
    with open_hdf5(path) as file:
        for key, node, name in _arrays(file, "", 0):
            shape = node.shape(name)
            if len(shape) != 2 or not 0 < shape[0] * shape[1] <= MAX_PIXELS:
                raise UsageError(f"{path}: {key}: expected a map, (H, W), got an array of shape {shape}")
            yield Stored(key, (shape[0], shape[1]), partial(_read, node, name, f"{path}: {key}"))


def _arrays(node: Node, prefix: str, depth: int) -> Iterator[tuple[str, Node, str]]:
    """Yield the path, the group and the name of each array below a group; a hard link may lead back."""
    for name in node.names():
        key = f"{prefix}{name}"
        if not node.is_group(name):  # an array, or what is refused where it is read
            yield key, node, name
            continue
        if depth == _DEPTH:
            raise UsageError(f"{node.where}: '{name}' lies too deep for a file of maps")
        yield from _arrays(node.group(name), f"{key}/", depth + 1)


def _read(node: Node, name: str, where: str) -> npt.NDArray[Any]:
    values = node.array(name)
    if values.dtype.kind not in "fiu":
        raise UsageError(f"{where}: expected numbers, got {values.dtype}")
    return values


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("the HDF5 file of a benchmark", "eval") from None
    return h5py


def log_sum(saliency: npt.NDArray[Any]) -> float:
    """Return the logarithm of the sum of a map's exponentials: 0 of a log density."""
    values = saliency.astype(np.float64)
    high = float(values.max())
    return high + float(np.log(np.exp(values - high).sum()))
