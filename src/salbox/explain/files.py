"""The plain files that the steps write and read: tables as Parquet, arrays as safetensors, notes as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import MissingExtraError, UsageError, one_line
from ..imaging.writing import atomic

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 8 * 2**30  # of a file of arrays

Arrays = Mapping[str, npt.NDArray[Any]]


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet."""
    if find_spec("pyarrow") is None:
        raise MissingExtraError("writing Parquet", "eval")
    with atomic(path, keep_suffix=True) as temporary:
        table.to_parquet(temporary, index=False)


def read_table(path: Path) -> pd.DataFrame:
    """Return a table of Parquet.

    Raises
    ------
    UsageError
        If it is not there or cannot be read.
    """
    import pandas as pd

    try:
        found = pd.read_parquet(path)
        for name in found.columns:  # texts are decoded when they are asked for, where nobody expects an error
            if isinstance(found[name].dtype, pd.StringDtype):
                found[name].to_numpy(dtype=object)
        return found
    except ImportError:
        raise MissingExtraError("reading Parquet", "eval") from None
    except Exception as error:  # pyarrow raises nearly anything on damaged files
        raise UsageError(f"{path}: cannot be read ({one_line(error, 100)}); run the step that writes it") from None


def write_arrays(arrays: Arrays, path: Path) -> None:
    """Write arrays by name as safetensors."""
    from safetensors.numpy import save

    with atomic(path) as temporary:
        temporary.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a safetensors file by name.

    Raises
    ------
    UsageError
        If it is not there, too large, or cannot be read.
    """
    from safetensors.numpy import load_file

    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: {path.stat().st_size:,} bytes, more than salbox writes")
        found: dict[str, npt.NDArray[Any]] = load_file(path)
    except UsageError:
        raise
    except Exception as error:  # its own exceptions beside those of files
        raise UsageError(f"{path}: cannot be read ({one_line(error, 100)}); run the step that writes it") from None
    return found


def write_json(values: Any, path: Path) -> None:
    """Write values as JSON."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object; {} where there is no file.

    Raises
    ------
    UsageError
        If it is none.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read ({one_line(error, 100)}); remove it") from None
    if not isinstance(values, dict):
        raise UsageError(f"{path}: expected a JSON object; remove it")
    return values
