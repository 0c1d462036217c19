"""Arrow, which the extra `scale` brings: imported when it is needed, and what it raises of damaged files."""

from __future__ import annotations

import tarfile
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..errors import MissingExtraError


def arrow(module: str = "") -> Any:
    """Return pyarrow, or a module of it.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        return import_module(f"pyarrow.{module}" if module else "pyarrow")
    except ImportError:
        raise MissingExtraError("Parquet, or a bucket,", "scale") from None


def damages() -> tuple[type[Exception], ...]:
    """Return the kinds of what is raised of files that are damaged or cannot be read, Arrow's and tar's among them."""
    of_arrow = (arrow().ArrowException,) if find_spec("pyarrow") is not None else ()
    return (*of_arrow, tarfile.TarError, OSError, EOFError, ValueError, KeyError, TypeError, RecursionError)
