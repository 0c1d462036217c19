"""HDF5 files, which nobody vouches for: what is in the file itself is read, within limits, and nothing else.

HDF5 can point to other files (external links, external storage, virtual datasets), can name filters that are loaded as
shared libraries, and can declare arrays of any size in a few bytes. All of that is looked at before data are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MissingExtraError, SalboxError, UsageError

MAX_ELEMENTS = 200_000_000  # of an array that is read at once
MAX_BYTES = 2 * 1024**3  # of the same
MAX_TEXT = 1024**2  # bytes of an attribute
VARYING_BUDGET = 256 * 1024**2  # bytes of an array of texts or lists, each of its own length

# Deflate, shuffle, Fletcher's checksum and LZF: they are built into HDF5 and h5py. Others would be loaded as plugins.
FILTERS = frozenset({1, 2, 3, 32000})


@contextmanager
def open_hdf5(path: Path) -> Iterator[Node]:
    """Open an HDF5 file, MATLAB's of version 7.3 too, for reading; it is closed at the end of the block.

    Raises
    ------
    UsageError
        If the file is missing or broken, also where that shows later, within the block.
    MissingExtraError
        If h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("reading HDF5 files", "eval") from None
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected an HDF5 file")
    try:
        with h5py.File(path, "r") as file:
            yield Node(path, file)
    except SalboxError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:  # what h5py raises
        text = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"{path}: not readable as an HDF5 file ({text})") from None


class Node:
    """A group of an open file, seen through the rules of this module; `open_hdf5` makes the first."""

    def __init__(self, path: Path, group: Any) -> None:
        self.path, self._group = path, group

    @property
    def where(self) -> str:
        """The file and the place in it, for messages."""
        return f"{self.path}:{self._group.name}"

    def names(self) -> tuple[str, ...]:
        """Return the names of what the group holds, in ascending order."""
        return tuple(self._group)

    def __contains__(self, name: str) -> bool:
        return self._link(name) is not None

    def group(self, name: str) -> Node:
        """Return a group within this one.

        Raises
        ------
        UsageError
            If it is missing, elsewhere, or no group.
        """
        found = self._member(name)
        if not hasattr(found, "keys"):
            raise UsageError(f"{self.where}: '{name}' is not a group")
        return Node(self.path, found)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return an array's declared shape; raises as `array`."""
        return tuple(self._array(name).shape)

    def array(self, name: str) -> npt.NDArray[Any]:
        """Return an array of numbers, or of references to arrays of the file.

        Raises
        ------
        UsageError
            If it is missing, elsewhere, of another kind or too large.
        """
        return self.rows(name, 0, None)

    def rows(self, name: str, start: int, stop: int | None) -> npt.NDArray[Any]:
        """Return a part of an array along its first axis; raises as `array`."""
        found = self._array(name)
        return self._read(found, name, start, stop)

    def follow(self, reference: Any) -> npt.NDArray[Any]:
        """Return the array that an element of an array of references points to; raises as `array`."""
        import h5py

        if not isinstance(reference, h5py.Reference) or not reference:
            raise UsageError(f"{self.where}: expected a reference to an array")
        found = self._group.file[reference]
        if not isinstance(found, h5py.Dataset):
            raise UsageError(f"{self.where}: a reference does not lead to an array")
        self._vet(found, str(found.name))
        return self._read(found, str(found.name), 0, None)

    def texts(self, name: str) -> list[str]:
        """Return an array of texts, (N,); raises as `array`."""
        import h5py

        found = self._array(name)
        if len(found.shape) != 1 or h5py.check_string_dtype(found.dtype) is None:
            raise UsageError(f"{self.where}: '{name}' is not a list of texts")
        return [bytes(text).decode("utf-8", "replace") for text in self._varying(found, name)]

    def number_lists(self, name: str) -> list[npt.NDArray[np.int64]]:
        """Return an array of lists of integers, (N,); raises as `array`."""
        import h5py

        found = self._array(name)
        held = h5py.check_vlen_dtype(found.dtype)
        if len(found.shape) != 1 or held is None or np.dtype(held).kind not in "iu":
            raise UsageError(f"{self.where}: '{name}' is not a list of lists of integers")
        return [np.asarray(numbers, np.int64) for numbers in self._varying(found, name)]

    def labels(self, name: str) -> npt.NDArray[np.int64]:
        """Return an array of integers as it is, and one of texts as the places of the texts in ascending order."""
        import h5py

        if h5py.check_string_dtype(self._array(name).dtype) is not None:
            return np.unique(self.texts(name), return_inverse=True)[1].astype(np.int64)
        values = self.array(name)
        if values.ndim != 1 or (values.dtype.kind not in "iub" and not np.array_equal(values, np.rint(values))):
            raise UsageError(f"{self.where}: '{name}' is not a list of whole numbers")
        return values.astype(np.int64)

    def attribute(self, name: str) -> str | None:
        """Return an attribute of this group as a text, or None where there is none.

        Raises
        ------
        UsageError
            If it is an array, or larger than any name or number.
        """
        if name not in self._group.attrs:
            return None
        held = self._group.attrs.get_id(name)
        if held.shape not in ((), (1,)) or max(held.dtype.itemsize, held.get_storage_size()) > MAX_TEXT:
            raise UsageError(f"{self.where}: attribute '{name}' is not a text or number")
        value = self._group.attrs[name]
        value = value[0] if isinstance(value, np.ndarray) and value.shape == (1,) else value
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def listed(self, name: str) -> tuple[str, ...]:
        """Return the names that an attribute lists as JSON, empty where there is none; raises as `attribute`."""
        text = self.attribute(name)
        try:
            names = [] if text is None else json.loads(text)
        except (ValueError, RecursionError):
            names = None
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise UsageError(f"{self.where}: attribute '{name}' is not a list of names")
        return tuple(names)

    def _link(self, name: str) -> Any:
        # A name with a slash is a path, on which HDF5 would follow links unseen.
        return None if "/" in name else self._group.get(name, getlink=True)

    def _member(self, name: str) -> Any:
        import h5py

        link = self._link(name)
        if link is None:
            held = ", ".join(self.names()[:10]) or "nothing"
            raise UsageError(f"{self.where}: no '{name}' (there are {held})")
        if not isinstance(link, h5py.HardLink):
            raise UsageError(f"{self.where}: '{name}' is a link to elsewhere, which is not followed")
        return self._group[name]

    def _array(self, name: str) -> Any:
        found = self._member(name)
        if not hasattr(found, "dtype") or not hasattr(found, "chunks"):
            raise UsageError(f"{self.where}: '{name}' is not an array")
        self._vet(found, name)
        return found

    def _vet(self, found: Any, name: str) -> None:
        properties = found.id.get_create_plist()
        if properties.get_external_count() or found.is_virtual:
            raise UsageError(f"{self.where}: the data of '{name}' are in another file, which is not read")
        for number in range(properties.get_nfilters()):
            code, _, _, title = properties.get_filter(number)
            if code not in FILTERS:
                label = title.decode("utf-8", "replace") or f"number {code}"
                raise UsageError(f"{self.where}: '{name}' needs the filter {label!r}; gzip and lzf are read")
        if found.shape is None:
            raise UsageError(f"{self.where}: '{name}' is empty")
        if found.chunks is not None:
            self._check_size(found, name, found.chunks)  # a chunk is held in memory as a whole

    def _read(self, found: Any, name: str, start: int, stop: int | None) -> npt.NDArray[Any]:
        import h5py

        if found.dtype.kind not in "fiub" and h5py.check_ref_dtype(found.dtype) is not h5py.Reference:
            raise UsageError(f"{self.where}: '{name}' does not hold numbers")
        shape = found.shape
        if shape:
            first, last, _ = slice(start, stop).indices(shape[0])
            shape = (max(0, last - first), *shape[1:])
        self._check_size(found, name, shape)
        return np.asarray(found[start:stop] if found.shape else found[()])

    def _varying(self, found: Any, name: str) -> Iterator[Any]:
        """Yield the elements of an array of texts or lists, within a budget."""
        self._check_size(found, name, found.shape)
        # An element is no larger than the file, but many may share one stretch of it: as many at once as surely fit.
        step = max(1, VARYING_BUDGET // max(1, self.path.stat().st_size, found.dtype.itemsize))
        total = 0
        for start in range(0, found.shape[0], step):
            block = found[start : start + step]
            total += sum(element.nbytes if isinstance(element, np.ndarray) else len(element) for element in block)
            if total > VARYING_BUDGET:
                raise UsageError(f"{self.where}: '{name}' takes more than {VARYING_BUDGET >> 20} MiB")
            yield from block

    def _check_size(self, found: Any, name: str, shape: tuple[int, ...]) -> None:
        elements = float(np.prod(shape, dtype=np.float64))
        if elements > MAX_ELEMENTS or elements * found.dtype.itemsize > MAX_BYTES:
            sides = " x ".join(map(str, shape))
            raise UsageError(f"{self.where}: '{name}' of {sides} is larger than what is read at once")
