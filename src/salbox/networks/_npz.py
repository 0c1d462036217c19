"""Reading networks' weights from NumPy archives (.npz) that may come from anywhere.

What the network expects is known, so nothing is believed: each array's name, shape and kind are compared with it
before the array is unpacked. Nothing is unpickled.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError

OVERHEAD = 1 << 20  # bytes that an archive may hold beside its numbers
HEADER = 1 << 12  # bytes that an array's header may take
KINDS = frozenset({"float16", "float32", "float64"})

Shape = tuple[int, ...]
Weights = dict[str, npt.NDArray[np.float32]]


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
    numbers = sum(prod(shape) for shape in shapes.values())
    try:
        size = where.stat().st_size
        if size > 8 * numbers + OVERHEAD:
            raise WeightsError(f"{where}: {size} bytes are too many for the weights of {model} ({numbers} numbers)")
        with zipfile.ZipFile(where) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            _check_names(where, members, shapes, model)
            return {name: _read(where, archive, members[name], shape, model) for name, shape in shapes.items()}
    except WeightsError:
        raise
    except OSError as error:
        raise WeightsError(f"{where}: cannot be read ({error.strerror or error})") from None
    except Exception as error:  # zipfile and NumPy raise nearly anything on malformed files
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(f"{where}: not a sound .npz with the weights of {model} ({reason})") from None


def _check_names(where: Path, found: Mapping[str, object], expected: Mapping[str, Shape], model: str) -> None:
    missing = [name for name in expected if name not in found]
    foreign = [name for name in found if name not in expected]
    if missing or foreign:
        lacks = f"it lacks {missing[0]!r} ({len(missing)} of {len(expected)} missing)" if missing else ""
        holds = f"it holds {foreign[0][:80]!r} ({len(foreign)} too many)" if foreign else ""
        raise WeightsError(f"{where}: not the weights of {model}: {' and '.join(filter(None, (lacks, holds)))}")


def _read(
    where: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, expected: Shape, model: str
) -> npt.NDArray[np.float32]:
    name = member.filename.removesuffix(".npy")
    if member.file_size > 8 * prod(expected) + HEADER:
        raise WeightsError(f"{where}: not the weights of {model}: {name!r} is larger than {expected}")
    with archive.open(member) as file:
        shape, in_columns, kind = _header(file)
        if shape != expected:
            raise WeightsError(f"{where}: not the weights of {model}: {name!r} has shape {shape}, expected {expected}")
        if kind.name not in KINDS:
            raise WeightsError(f"{where}: {name!r} holds {kind}, expected floating point numbers")
        flat = np.frombuffer(file.read(), kind)
    values = flat.reshape(shape, order="F" if in_columns else "C").astype(np.float32, order="C")
    if not np.isfinite(values).all():
        raise WeightsError(f"{where}: {name!r} holds numbers that are not finite")
    return values


def _header(file: IO[bytes]) -> tuple[Shape, bool, np.dtype[np.generic]]:
    """Return an array's shape, whether it is stored column by column, and the kind of its numbers."""
    npy: Any = np.lib.format  # documented, but without types
    version = npy.read_magic(file)
    if version == (1, 0):
        return npy.read_array_header_1_0(file, max_header_size=HEADER)
    if version == (2, 0):
        return npy.read_array_header_2_0(file, max_header_size=HEADER)
    raise ValueError(f"array format {version[0]}.{version[1]}")
