"""NumPy's archives (.npz), which may come from anywhere: arrays are described first, and unpacked when they are read.

No size in an archive is believed, no array unpacks to more than its shape says, and nothing is unpickled.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..errors import SalboxError, WeightsError, one_line
from .files import MAX_BYTES, file_size, os_reason, why_not
from .npy import read_head
from .stored import Shape, StoredArray, Weights, collect

OVERHEAD = 1 << 20  # bytes that an archive of weights may hold beside its numbers
PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # which NumPy writes; others unpack without limit


@contextmanager
def open_npz(
    path: Path, what: str = "an .npz", *, most: int = MAX_BYTES, error: type[SalboxError] = WeightsError
) -> Iterator[Mapping[str, StoredArray]]:
    """Open an archive; within the block its arrays can be read, by name.

    Parameters
    ----------
    path : Path
    what : str
        What it should be, for the messages.
    most : int
        Files of more bytes are refused.
    error : type
        What is raised.

    Raises
    ------
    SalboxError
        If there is no such file, it is too large or damaged, also where that shows later, within the block.
    """
    file_size(path, most, error)
    try:
        with path.open("rb") as file:
            if file.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
                raise error(f"{path}: not readable as {what} ({why_not(path)})")
            with zipfile.ZipFile(file) as archive:
                yield _Members(archive)
    except SalboxError:
        raise
    except OSError as reason:
        raise error(f"{path}: cannot be read ({os_reason(reason)})") from None
    except Exception as reason:  # zipfile, zlib and NumPy raise nearly anything on malformed files
        raise error(f"{path}: not readable as {what} ({one_line(reason)})") from None


def read_weights(path: str | os.PathLike[str], shapes: Mapping[str, Shape], model: str) -> Weights:
    """Return the arrays of an .npz by name, float32, each of the shape expected.

    Parameters
    ----------
    path : path
    shapes : mapping
        Name -> shape of every array that the network has. The file must hold these and no others.
    model : str
        Whose weights they should be, for the messages.

    Raises
    ------
    WeightsError
        If the file cannot be read, is larger than such weights are, or holds anything else: arrays missing or too
        many, of other shapes, not of floating point numbers or not finite.
    """
    where = Path(path)
    most = 8 * sum(prod(shape) for shape in shapes.values()) + OVERHEAD
    with open_npz(where, f"an .npz with the weights of {model}", most=most) as stored:
        return collect(stored, shapes, model, where)


class _Members(Mapping[str, StoredArray]):
    """The arrays of an archive that is open."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __getitem__(self, name: str) -> StoredArray:
        with self._open(name) as file:
            return StoredArray(read_head(file).shape, partial(self._read, name))

    def _read(self, name: str) -> npt.NDArray[Any]:
        with self._open(name) as file:
            head = read_head(file)
            if head.size > MAX_BYTES or file.tell() + head.size != self._members[name].file_size:
                raise ValueError("too large, or not as large as it says")
            # So many bytes and no more are unpacked; at the last one the checksum is compared.
            return head.array(np.frombuffer(file.read(head.size), head.dtype))

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        member = self._members[name]
        try:
            if member.compress_type not in PACKINGS:
                raise ValueError("packed in another way than NumPy does")
            with self._archive.open(member) as file:
                yield file
        except Exception as reason:  # zipfile, zlib and NumPy raise nearly anything on malformed files
            raise ValueError(f"'{one_line(name, 80)}': {one_line(reason)}") from None
