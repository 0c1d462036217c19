"""MATLAB's files of version 7.3, which are HDF5: arrays of numbers, and cell arrays of them.

HDF5 stores what MATLAB shows transposed, and a cell array as references to its members. An empty array is a list of its
sides, the only one-dimensional array that MATLAB writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, name_some, one_line
from .hdf5 import Dialect, Node, open_hdf5
from .mat5_arrays import MAX_BYTES, MAX_MEMBERS, check_count, too_large

DIALECT = Dialect("a MATLAB file of version 7.3", "reading MATLAB files of version 7.3")
MATLABS_OWN = "#"  # the groups that hold members of cells, and data of objects


def load_hdf5_variable(path: Path, names: Sequence[str], most: int | None) -> npt.NDArray[Any]:
    """Return the first of these variables that a file holds; a cell array as an object array of its members' arrays.

    A variable of more than `most` numbers is refused.

    Raises
    ------
    UsageError
        If the file is broken, holds none of them, or the variable is a struct.
    MissingExtraError
        If h5py is not installed.
    """
    with open_hdf5(path, DIALECT) as root:
        held = [name for name in root.names() if not name.startswith(MATLABS_OWN)]
        chosen = next((name for name in names if name in held), None)
        if chosen is None:
            there = name_some(map(one_line, held), 9) or "none"
            raise UsageError(f"{path}: expected the variable {' or '.join(names)}, the file holds {there}")
        if root.is_group(chosen):
            raise UsageError(
                f"{path}: variable '{chosen}' is a struct, which is not read from files of version 7.3; "
                "save it in MATLAB with save(..., '-v7')"
            )
        check_count(path, chosen, root.shape(chosen), most)
        values = root.array(chosen)
        return _cell(root, values) if values.dtype == object else _numbers(values)


def _numbers(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.zeros(0) if values.ndim == 1 else values.T


def _cell(root: Node, references: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if references.size > MAX_MEMBERS:
        raise UsageError(f"{root.path}: an array of {references.size} members, more than the {MAX_MEMBERS} read")
    total = 0
    cell = np.empty(references.T.shape, object)
    for place, reference in np.ndenumerate(references.T):
        member = root.follow(reference)
        total += member.nbytes
        if total > MAX_BYTES:
            raise UsageError(f"{root.path}: a cell array that is {too_large(total)}")
        if member.dtype == object:
            raise UsageError(f"{root.path}: a cell array within another, which is not read from files of version 7.3")
        cell[place] = _numbers(member)
    return cell
