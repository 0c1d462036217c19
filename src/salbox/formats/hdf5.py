"""HDF5 files, which nobody vouches for: what is in the file itself is read, within limits, and nothing else.

HDF5 can point to other files (links, external storage, virtual datasets), can name filters that are loaded as shared
libraries, and can declare arrays of any size in a few bytes. All of that is looked at before data are read. What other
programs keep in HDF5 is read through this module too; a `Dialect` says what users call such a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from ..errors import MissingExtraError, SalboxError, UsageError, name_some, one_line
from .files import why_not
from .hdf5_chunks import DEFLATE, FLETCHER, LZF, SHUFFLE, read_rows, unpacked
from .hdf5_heaps import check_elements, is_sequence, is_simple, largest_heap
from .stored import StoredArray

MAX_ELEMENTS = 200_000_000  # of an array that is read at once
MAX_BYTES = 2 * 1024**3  # of the same
MAX_CHUNK = 256 * 1024**2  # bytes that HDF5 unpacks at once
MAX_TEXT = 1024**2  # bytes of an attribute
VARYING_BUDGET = 256 * 1024**2  # bytes of an array of texts or lists, each of its own length

FILTERS = frozenset({DEFLATE, SHUFFLE, FLETCHER, LZF})  # others would be loaded as plugins
SIGNATURE = b"\x89HDF\r\n\x1a\n"
SIGNATURE_AT = (0, 512, 1024, 2048)  # where it may stand, after a block for the writing program's own use


class Dialect(NamedTuple):
    """What users call a file that is HDF5, for the messages.

    Attributes
    ----------
    name : str
        With its article.
    feature, extra : str
        What needs h5py, and the part of salbox that brings it.
    error : type
        What is raised.
    """

    name: str = "an HDF5 file"
    feature: str = "reading HDF5 files"
    extra: str = "eval"
    error: type[SalboxError] = UsageError


HDF5 = Dialect()


@contextmanager
def open_hdf5(path: Path, dialect: Dialect = HDF5) -> Iterator[Node]:
    """Open an HDF5 file, MATLAB's of version 7.3 too, for reading; it is closed at the end of the block.

    Raises
    ------
    UsageError
        Or what the dialect says: if the file is missing or broken, also where that shows later, within the block.
    MissingExtraError
        If h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError(dialect.feature, dialect.extra) from None
    if not path.is_file():
        raise dialect.error(f"{path}: no such file; expected {dialect.name}")
    try:
        if not is_hdf5(path):
            raise dialect.error(f"{path}: not readable as {dialect.name} ({why_not(path)})")
        with h5py.File(path, "r") as file:
            yield Node(path, file, dialect)
    except SalboxError:
        raise
    except Exception as reason:  # h5py raises nearly anything on malformed files
        raise dialect.error(f"{path}: not readable as {dialect.name} ({one_line(reason)})") from None


def is_hdf5(path: Path) -> bool:
    """Return whether a file begins as HDF5 does; before that MATLAB's have 512 bytes of their own."""
    with path.open("rb") as file:
        head = file.read(max(SIGNATURE_AT) + len(SIGNATURE))
    return any(head[at : at + len(SIGNATURE)] == SIGNATURE for at in SIGNATURE_AT)


class Node:
    """A group of an open file, under the rules of this module; `open_hdf5` makes the first."""

    def __init__(self, path: Path, group: Any, dialect: Dialect) -> None:
        self.path, self._group, self._dialect = path, group, dialect

    @property
    def where(self) -> str:
        """The file and the place in it, for messages."""
        return f"{self.path}:{one_line(self._group.name, 80)}"

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
            self._refuse(name, "is not a group")
        return Node(self.path, found, self._dialect)

    def is_group(self, name: str) -> bool:
        """Return whether there is a group of this name within this one, not by a link to elsewhere."""
        import h5py

        return isinstance(self._link(name), h5py.HardLink) and hasattr(self._group[name], "keys")

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

    def stored(self, name: str) -> StoredArray:
        """Return an array to be read later, within the block of `open_hdf5`; raises as `array`."""
        return StoredArray(self.shape(name), partial(self.array, name))

    def follow(self, reference: Any) -> npt.NDArray[Any]:
        """Return the array that an element of an array of references points to; raises as `array`."""
        import h5py

        if not isinstance(reference, h5py.Reference) or not reference:
            raise self._dialect.error(f"{self.where}: expected a reference to an array")
        found = self._group.file[reference]
        if not isinstance(found, h5py.Dataset):
            raise self._dialect.error(f"{self.where}: a reference does not lead to an array")
        self._vet(found, str(found.name))
        return self._read(found, str(found.name), 0, None)

    def texts(self, name: str) -> list[str]:
        """Return an array of texts, (N,); raises as `array`."""
        import h5py

        found = self._array(name)
        if len(found.shape) != 1 or h5py.check_string_dtype(found.dtype) is None or not is_simple(found.id):
            self._refuse(name, "is not a list of texts")
        return [bytes(text).decode("utf-8", "replace") for text in self._varying(found, name)]

    def number_lists(self, name: str) -> list[npt.NDArray[np.int64]]:
        """Return an array of lists of integers, (N,); raises as `array`."""
        import h5py

        found = self._array(name)
        held = h5py.check_vlen_dtype(found.dtype)
        is_list = len(found.shape) == 1 and held is not None and is_sequence(found.id)
        if not is_list or np.dtype(held).kind not in "iu":
            self._refuse(name, "is not a list of lists of integers")
        return [np.asarray(numbers, np.int64) for numbers in self._varying(found, name)]

    def labels(self, name: str) -> npt.NDArray[np.int64]:
        """Return an array of integers as it is, and one of texts as the places of the texts in ascending order."""
        import h5py

        if h5py.check_string_dtype(self._array(name).dtype) is not None:
            return np.unique(self.texts(name), return_inverse=True)[1].astype(np.int64)
        values = self.array(name)
        if values.ndim != 1 or (values.dtype.kind not in "iub" and not np.array_equal(values, np.rint(values))):
            self._refuse(name, "is not a list of whole numbers")
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
        is_one = is_simple(held) and held.shape in ((), (1,))
        if not is_one or max(held.dtype.itemsize, held.get_storage_size()) > MAX_TEXT:
            raise self._dialect.error(f"{self.where}: attribute '{name}' is not a text or number")
        self._largest_heap()
        value = self._group.attrs[name]
        value = value[0] if isinstance(value, np.ndarray) and value.shape == (1,) else value
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def attribute_texts(self, name: str) -> list[str] | None:
        """Return the texts that an attribute holds, or None where there is no such attribute.

        Raises
        ------
        UsageError
            If it holds something else, or more than names take.
        """
        import h5py

        if name not in self._group.attrs:
            return None
        held = self._group.attrs.get_id(name)
        shape = held.shape or ()
        if 0 in shape:  # an empty list, whose kind is that of numbers
            return []
        kind = h5py.check_string_dtype(held.dtype)
        if len(shape) > 1 or kind is None or not is_simple(held):
            raise self._dialect.error(f"{self.where}: attribute '{name}' is not a list of names")
        count = prod(shape)
        if count * held.dtype.itemsize > MAX_TEXT or (kind.length is None and not self._fit(count)):
            raise self._dialect.error(f"{self.where}: attribute '{name}' lists more names than there can be")
        values = np.ravel(self._group.attrs[name])
        return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]

    def json_names(self, name: str) -> tuple[str, ...]:
        """Return the names that an attribute lists as JSON, empty where there is none; raises as `attribute`."""
        text = self.attribute(name)
        try:
            names = [] if text is None else json.loads(text)
        except (ValueError, RecursionError):
            names = None
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise self._dialect.error(f"{self.where}: attribute '{name}' is not a list of names")
        return tuple(names)

    def _link(self, name: str) -> Any:
        # A name with a slash is a path, on which HDF5 would follow links unseen.
        return None if "/" in name or name in ("", ".") else self._group.get(name, getlink=True)

    def _member(self, name: str) -> Any:
        import h5py

        link = self._link(name)
        if link is None:
            held = name_some(map(one_line, self.names()), 10) or "nothing"
            raise self._dialect.error(f"{self.where}: no '{one_line(name, 80)}' (there are {held})")
        if not isinstance(link, h5py.HardLink):
            self._refuse(name, "is a link to elsewhere, which is not followed")
        return self._group[name]

    def _array(self, name: str) -> Any:
        found = self._member(name)
        if not hasattr(found, "dtype") or not hasattr(found, "chunks"):
            self._refuse(name, "is not an array")
        self._vet(found, name)
        return found

    def _vet(self, found: Any, name: str) -> None:
        properties = found.id.get_create_plist()
        if properties.get_external_count() or found.is_virtual:
            self._refuse(name, "has its data in another file, which is not read")
        for number in range(properties.get_nfilters()):
            code, _, _, title = properties.get_filter(number)
            if code not in FILTERS:
                label = one_line(title.decode("utf-8", "replace"), 40) or f"number {code}"
                self._refuse(name, f"needs the filter {label!r}; gzip and lzf are read")
        if found.shape is None:
            self._refuse(name, "is empty")
        if found.chunks is not None and prod(found.chunks) * found.dtype.itemsize > MAX_CHUNK:
            self._refuse(name, f"is packed in pieces larger than {MAX_CHUNK >> 20} MiB")

    def _read(self, found: Any, name: str, start: int, stop: int | None) -> npt.NDArray[Any]:
        import h5py

        if found.dtype.kind not in "fiub" and h5py.check_ref_dtype(found.dtype) is not h5py.Reference:
            self._refuse(name, "does not hold numbers")
        shape = found.shape
        if shape:
            first, last, _ = slice(start, stop).indices(shape[0])
            shape = (max(0, last - first), *shape[1:])
        self._check_size(found, name, shape)
        try:
            if found.chunks is None:
                self._check_whole(found)
            elif h5py.h5t.py_create(found.dtype, logical=True) == found.id.get_type():
                return read_rows(found, first, max(first, last))
            else:  # references, and numbers that HDF5 has to convert
                _check_pieces(found, first, last)
            return np.asarray(found[start:stop] if found.shape else found[()])
        except SalboxError:
            raise
        except Exception as reason:  # h5py raises nearly anything on malformed data
            self._refuse(name, f"is broken ({one_line(reason)})")

    def _check_whole(self, found: Any) -> None:
        """Raise a ValueError if an array that is not in pieces lies in fewer bytes than it has."""
        stored, size = found.id.get_storage_size(), found.size * found.id.get_type().get_size()
        if 0 < stored < size or stored > self.path.stat().st_size:
            raise ValueError(f"{size} bytes are stored in {stored}")

    def _varying(self, found: Any, name: str) -> Iterator[Any]:
        """Yield the elements of an array of texts or lists, within a budget."""
        self._check_size(found, name, found.shape)
        largest = self._largest_heap()
        try:
            check_elements(found, self.path, largest)
        except ValueError as reason:
            self._refuse(name, f"is broken ({one_line(reason)})")
        # An element is no larger than the file, but many may share one stretch of it: as many at once as surely fit.
        step = max(1, VARYING_BUDGET // max(1, self.path.stat().st_size, found.dtype.itemsize))
        total = 0
        for start in range(0, found.shape[0], step):
            block = found[start : start + step]
            total += sum(element.nbytes if isinstance(element, np.ndarray) else len(element) for element in block)
            if total > VARYING_BUDGET:
                self._refuse(name, f"takes more than {VARYING_BUDGET >> 20} MiB")
            yield from block

    def _check_size(self, found: Any, name: str, shape: tuple[int, ...]) -> None:
        elements = float(np.prod(shape, dtype=np.float64))
        if elements > MAX_ELEMENTS or elements * found.dtype.itemsize > MAX_BYTES:
            sides = " x ".join(map(str, shape))
            self._refuse(name, f"of {sides} is larger than what is read at once")

    def _fit(self, count: int) -> bool:
        """Return whether so many texts of varying length surely take less memory than there is for them."""
        # Each lies within one of the file's heaps, but many may share one stretch of it.
        return count * self._largest_heap() <= VARYING_BUDGET

    def _largest_heap(self) -> int:
        """Return the bytes of the largest heap; whatever has varying length is read after that."""
        if tuple(self._group.file.id.get_create_plist().get_sizes()) != (8, 8):
            raise self._dialect.error(f"{self.path}: keeps its addresses in another width than 8 bytes")
        try:
            return largest_heap(self.path)
        except (OSError, ValueError) as reason:
            raise self._dialect.error(f"{self.path}: damaged ({one_line(reason)})") from None

    def _refuse(self, name: str, why: str) -> NoReturn:
        raise self._dialect.error(f"{self.where}: '{one_line(name, 80)}' {why}")


def _check_pieces(found: Any, start: int, stop: int) -> None:
    """Raise a ValueError if a piece that holds any of these rows is not as long as it should be."""
    for _ in unpacked(found, start, stop):
        pass
