"""NumPy's arrays (.npy): numbers and nothing else, no more of them than the file has bytes.

An array within an .npz begins as such a file does. Nothing is unpickled.
"""

from __future__ import annotations

import io
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import SalboxError, UsageError, one_line
from .files import MAX_BYTES, file_size, why_not

MAGIC = b"\x93NUMPY"
MAX_HEAD = 1 << 12  # bytes of the text that describes an array
NUMBERS = "fiubc"  # kinds of dtypes


class Head(NamedTuple):
    """What an array says of itself before its numbers."""

    shape: tuple[int, ...]
    in_columns: bool
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """The bytes of its numbers."""
        return prod(self.shape) * self.dtype.itemsize

    def array(self, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an array's numbers, which are flat as they are stored, in its shape."""
        return numbers.reshape(self.shape, order="F" if self.in_columns else "C")


def read_npy(path: Path, *, most: int = MAX_BYTES, error: type[SalboxError] = UsageError) -> npt.NDArray[Any]:
    """Return the array of a file, of the shape and dtype that it is stored in.

    Parameters
    ----------
    path : Path
    most : int
        Files of more bytes are refused.
    error : type
        What is raised.

    Raises
    ------
    SalboxError
        If there is no such file, it is too large, damaged, or holds anything but numbers.
    """
    size = file_size(path, most, error)
    try:
        with path.open("rb") as file:
            if not file.peek(len(MAGIC)).startswith(MAGIC):
                raise error(f"{path}: not readable as an .npy ({why_not(path)})")
            head = read_head(file)
            if file.tell() + head.size > size:
                raise ValueError("it is cut off")
            return head.array(np.fromfile(file, head.dtype, prod(head.shape)))
    except SalboxError:
        raise
    except Exception as reason:  # NumPy raises nearly anything on malformed files
        raise error(f"{path}: not readable as an .npy ({one_line(reason)})") from None


def read_head(file: IO[bytes]) -> Head:
    """Return what an array says of itself.

    Raises
    ------
    Exception
        Of nearly any type if it is damaged, or describes anything but numbers.
    """
    npy: Any = np.lib.format  # documented, but without types
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"array format {version[0]}.{version[1]}")
    size = file.read(2 if version == (1, 0) else 4)
    length = int.from_bytes(size, "little")
    if length > MAX_HEAD:  # NumPy would look at this after reading so much
        raise ValueError(f"a head of {length} bytes")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    head = Head(*read(io.BytesIO(size + file.read(length)), max_header_size=MAX_HEAD))
    if head.dtype.kind not in NUMBERS:
        raise ValueError(f"it holds {one_line(head.dtype, 40)}, not numbers")
    if min(head.shape, default=0) < 0:
        raise ValueError(f"an array of the size {head.shape}")
    return head
