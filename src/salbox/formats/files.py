"""Files as a whole: whether they are there and of a size that can be read, and what they are by their first bytes."""

from __future__ import annotations

import stat
from pathlib import Path

from ..errors import SalboxError, WeightsError, one_line

MAX_BYTES = 1 << 30  # the largest of the networks has 70 million numbers, its optimiser twice as many

# How files begin that people have beside the one asked for.
_MAGIC = {
    b"\x89HDF\r\n\x1a\n": "it is an HDF5 file, as Keras writes",
    b"PK\x03\x04": "it is a zip archive, as PyTorch and NumPy write",
    b"\x93NUMPY": "it is an .npy of NumPy",
    b"\x80": "it is a pickle, which is not read",
    b"\x1f\x8b": "it is packed with gzip; unpack it",
}


def file_size(path: Path, most: int = MAX_BYTES, error: type[SalboxError] = WeightsError) -> int:
    """Return the bytes of a file.

    Raises
    ------
    SalboxError
        Of the type `error`: if there is no such file, it is no regular one, or larger than `most` bytes.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as reason:  # a name with a null character is a ValueError
        raise error(f"{path}: cannot be read ({os_reason(reason)})") from None
    if not stat.S_ISREG(status.st_mode):
        raise error(f"{path}: cannot be read ({'a folder' if path.is_dir() else 'not a regular file'})")
    if status.st_size > most:
        raise error(f"{path}: {status.st_size} bytes are more than such a file may have ({most})")
    return status.st_size


def file_content(path: Path, most: int = MAX_BYTES, error: type[SalboxError] = WeightsError) -> bytes:
    """Return a file's bytes; raises as `file_size`."""
    file_size(path, most, error)
    try:
        return path.read_bytes()
    except OSError as reason:
        raise error(f"{path}: cannot be read ({os_reason(reason)})") from None


def kind_of(beginning: bytes) -> str:
    """Return what a file is that was expected to be another, by its first bytes; empty where that is unknown."""
    return next((kind for magic, kind in _MAGIC.items() if beginning.startswith(magic)), "")


def why_not(path: Path) -> str:
    """Return why a file is not of the format that was expected, if its first bytes show that it is not."""
    try:
        with path.open("rb") as file:
            beginning = file.read(8)
    except OSError as reason:
        return os_reason(reason)
    return kind_of(beginning) or "it does not begin as one"


def os_reason(error: Exception) -> str:
    """Return why a file could not be opened or read, without its name."""
    return str(getattr(error, "strerror", None) or one_line(error))
