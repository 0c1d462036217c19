"""Learned filters: reading them from a file, and laying them out as images.

A file is a Matlab file (versions 4 to 7.2) or a NumPy archive (.npz). It may come from anywhere, so only the named
variables are read, their kind and size are checked before they are unpacked, and nothing is unpickled.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from math import isqrt, prod
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io

from ..errors import WeightsError

DATA = Path(__file__).parent / "data"  # the filters that salbox learned
MAX_NUMBERS = 1 << 24  # in one variable; the largest published basis has 432,450
MATLAB_NUMBERS = frozenset(
    {"double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
)

Array = npt.NDArray[np.float64]


def read_variables(path: str | os.PathLike[str], names: tuple[str, ...]) -> dict[str, Array]:
    """Return the named variables of a Matlab file or NumPy archive as read-only two-dimensional float64 arrays.

    Files are read once and again when they change.

    Raises
    ------
    WeightsError
        If there is no such file, it is broken, or a variable is missing, no finite real matrix or too large.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be opened ({getattr(error, 'strerror', None) or error})") from None
    return dict(_read(str(path), names, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=8)
def _read(path: str, names: tuple[str, ...], _modified: int, _size: int) -> tuple[tuple[str, Array], ...]:
    try:
        raw = _read_npz(path, names) if path.lower().endswith(".npz") else _read_mat(path, names)
    except WeightsError:
        raise
    except Exception as error:  # the parsers raise nearly anything on malformed files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(f"{path}: neither a Matlab file up to version 7.2 nor an .npz ({reason})") from None
    return tuple((name, _checked(path, name, raw[name])) for name in names)


def _read_mat(path: str, names: tuple[str, ...]) -> dict[str, npt.NDArray[np.generic]]:
    contents = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(path, appendmat=False)}
    for name in names:
        _check_presence(path, name, contents)
        shape, kind = contents[name]
        if kind not in MATLAB_NUMBERS:
            raise WeightsError(f"{path}: variable {name} is a {kind}, expected numbers")
        _check_count(path, name, prod(shape))
    return scipy.io.loadmat(path, appendmat=False, variable_names=list(names))


def _read_npz(path: str, names: tuple[str, ...]) -> dict[str, npt.NDArray[np.generic]]:
    with zipfile.ZipFile(path) as archive:
        contents = {member.filename.removesuffix(".npy"): member.file_size for member in archive.infolist()}
    for name in names:
        _check_presence(path, name, contents)
        _check_count(path, name, contents[name] // 8)
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in names}


def _check_presence(path: str, name: str, contents: Mapping[str, object]) -> None:
    if name not in contents:
        raise WeightsError(f"{path}: has no variable {name} (it has {', '.join(sorted(contents)[:9]) or 'none'})")


def _check_count(path: str, name: str, count: int) -> None:
    if count > MAX_NUMBERS:
        raise WeightsError(f"{path}: variable {name} has {count} numbers, more than the limit of {MAX_NUMBERS}")


def _checked(path: str, name: str, raw: npt.NDArray[np.generic]) -> Array:
    if not (np.issubdtype(raw.dtype, np.floating) or np.issubdtype(raw.dtype, np.integer)) or raw.ndim > 2:
        raise WeightsError(f"{path}: variable {name} has {raw.ndim} dimensions of {raw.dtype}, expected a real matrix")
    values = np.atleast_2d(raw).astype(np.float64)
    if not values.size or not np.isfinite(values).all():
        raise WeightsError(f"{path}: variable {name} is empty or not finite")
    values.flags.writeable = False
    return values


def to_kernels(rows: Array, where: str) -> Array:
    """Return filters (n, 3K²), Matlab's order (row fastest, then column, then channel), as (n, 3, K, K).

    Raises
    ------
    WeightsError
        If the rows are not 3K² long with an odd K; `where` names their file and variable.
    """
    side = isqrt(rows.shape[1] // 3)
    if 3 * side * side != rows.shape[1] or side % 2 == 0:
        raise WeightsError(f"{where} has shape {rows.shape}, expected (filters, 3 K K) for an odd patch side K")
    return rows.reshape(-1, 3, side, side).transpose(0, 1, 3, 2)
