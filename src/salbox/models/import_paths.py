"""Import paths, "module:attribute": how what lies on a higher floor, or is heavy, is named without importing it."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import MissingExtraError


def resolve(path: str) -> Any:
    """Return what "module:attribute" names.

    Raises
    ------
    MissingExtraError
        If the module needs an optional part of salbox that is not installed.
    """
    module, attribute = path.split(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "salbox"):
            raise
        raise MissingExtraError(f"{module.rpartition('.')[2]} ({package})", "train") from None
