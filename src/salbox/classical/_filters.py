"""Learned filters: reading them from a file, and laying them out as images.

A file is a Matlab file (versions 4 to 7.2) or a NumPy archive (.npz). It may come from anywhere, so only the named
variables are read, and their size is checked before they are unpacked.
"""

from __future__ import annotations

import os
from functools import lru_cache
from math import isqrt, prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, WeightsError, name_some, one_line
from ..formats.hdf5 import is_hdf5
from ..formats.mat import load_variable
from ..formats.npz import open_npz

DATA = Path(__file__).parent / "data"  # the filters that salbox learned
MAX_NUMBERS = 1 << 24  # in one variable; the largest published basis has 432,450

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
    read = _read_npz if path.lower().endswith(".npz") else _read_mat
    return tuple((name, _checked(path, name, raw)) for name, raw in read(path, names))


def _read_mat(path: str, names: tuple[str, ...]) -> list[tuple[str, npt.NDArray[np.generic]]]:
    where = Path(path)
    try:
        if where.is_file() and is_hdf5(where):
            raise WeightsError(f"{path}: a Matlab file of version 7.3; save filters in Matlab with save(..., '-v7')")
        return [(name, load_variable(where, (name,), most=MAX_NUMBERS)) for name in names]
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UsageError as error:
        raise WeightsError(str(error)) from None


def _read_npz(path: str, names: tuple[str, ...]) -> list[tuple[str, npt.NDArray[np.generic]]]:
    with open_npz(Path(path)) as stored:
        for name in names:
            if name not in stored:
                there = name_some(sorted(one_line(held, 80) for held in stored), 9) or "none"
                raise WeightsError(f"{path}: expected the variable {name}, the file holds {there}")
            if (count := prod(stored[name].shape)) > MAX_NUMBERS:
                raise WeightsError(
                    f"{path}: variable '{name}' has {count} numbers, more than the limit of {MAX_NUMBERS}"
                )
        return [(name, stored[name].read()) for name in names]


def _checked(path: str, name: str, raw: npt.NDArray[np.generic]) -> Array:
    if raw.dtype.kind not in "fiu" or raw.ndim > 2:
        kind = "cells or structs" if raw.dtype == object else raw.dtype
        raise WeightsError(f"{path}: variable {name} has {raw.ndim} dimensions of {kind}, expected a real matrix")
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
