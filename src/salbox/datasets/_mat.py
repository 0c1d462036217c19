"""MATLAB files, which nobody vouches for: one named variable is read, and everything in it is checked."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError

MAX_BYTES = 2 * 1024**3
MAX_ELEMENTS = 100_000_000  # of a numeric variable


def load_variable(path: Path, names: Sequence[str]) -> npt.NDArray[Any]:
    """Return the first of these variables that a MATLAB file holds.

    Raises
    ------
    UsageError
        If the file is missing, broken, too large, or holds none of them.
    """
    from scipy.io import loadmat, whosmat

    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected a MATLAB file with the variable '{names[0]}'")
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path}: {path.stat().st_size / 1e9:.1f} GB, more than a MATLAB file of fixations takes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on malformed files, which fail below
            held = {name: shape for name, shape, _ in whosmat(str(path))}
            chosen = next((name for name in names if name in held), None)
            if chosen is None:
                raise UsageError(
                    f"{path}: expected the variable {' or '.join(names)}, the file holds {', '.join(held) or 'none'}"
                )
            if np.prod(held[chosen], dtype=float) > MAX_ELEMENTS:
                raise UsageError(f"{path}: variable '{chosen}' of shape {held[chosen]} is too large")
            found = loadmat(str(path), variable_names=[chosen])[chosen]
    except UsageError:
        raise
    except NotImplementedError:
        raise UsageError(f"{path}: written by MATLAB 7.3; save it again with save(..., '-v7')") from None
    except Exception as error:  # SciPy raises nearly anything on malformed files
        text = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"{path}: not readable as a MATLAB file ({text})") from None
    if not isinstance(found, np.ndarray):
        raise UsageError(f"{path}: variable '{chosen}' is a {type(found).__name__}, not an array")
    return found


def records(array: Any, where: str) -> Iterator[Any]:
    """Yield the structs of a cell array, or of a struct array.

    Raises
    ------
    UsageError
        If something else is among them.
    """
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{where}: expected a cell or struct array")
    for number, element in enumerate(array.flat):
        struct = element.flat[0] if isinstance(element, np.ndarray) and element.size == 1 else element
        if not (isinstance(struct, np.void) and struct.dtype.names):
            raise UsageError(f"{where}: element {number + 1} is not a struct")
        yield struct


def text_field(struct: Any, name: str, where: str) -> str:
    """Return a field that holds a text; raises UsageError if it does not."""
    value = _field(struct, name, where)
    if isinstance(value, np.ndarray) and value.dtype.kind == "U" and value.size == 1:
        return str(value.flat[0])
    raise UsageError(f"{where}: field '{name}' is not a text")


def numbers_field(struct: Any, name: str, where: str) -> npt.NDArray[np.float64]:
    """Return a field that holds a vector of numbers, perhaps empty: (N,); raises UsageError if it does not."""
    value = _field(struct, name, where)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.size == max((*value.shape, 0)):
        return value.astype(np.float64).reshape(-1)
    if isinstance(value, np.ndarray) and value.size == 0:
        return np.zeros(0)
    raise UsageError(f"{where}: field '{name}' is not a vector of numbers")


def array_field(struct: Any, name: str, where: str) -> npt.NDArray[Any]:
    """Return a field that holds an array of any kind; raises UsageError if there is none."""
    value = _field(struct, name, where)
    if not isinstance(value, np.ndarray):
        raise UsageError(f"{where}: field '{name}' is not an array")
    return value


def _field(struct: Any, name: str, where: str) -> Any:
    if name not in struct.dtype.names:
        raise UsageError(f"{where}: no field '{name}' (there are {', '.join(struct.dtype.names)})")
    return struct[name]
