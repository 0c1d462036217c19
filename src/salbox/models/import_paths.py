"""Import paths, "module:attribute": how what lies on a higher floor, or is heavy, is named without importing it."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import MissingExtraError, UsageError, located, nearest

_DOTTED = r"[^\W\d]\w*(\.[^\W\d]\w*)*"
_PATH = re.compile(rf"{_DOTTED}:{_DOTTED}")


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


def is_import_path(name: str) -> bool:
    """Return whether a name is spelt like "module:attribute"."""
    return isinstance(name, str) and _PATH.fullmatch(name) is not None


def resolve_own(path: str) -> Any:
    """Return what "module:attribute" names in a module of somebody's own; importing it runs its code.

    The module is looked for where Python looks, then in the current folder, which stays a place to import from.

    Raises
    ------
    UsageError
        If there is no such module or attribute, or the module fails.
    """
    name, _, attribute = path.partition(":")
    try:
        found: Any = _import_own(name)
    except (Exception, SystemExit) as error:  # anything may be raised by a module that runs
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(
                f"'{path}': no module '{error.name}', neither where Python looks nor in the current folder"
            ) from None
        raise UsageError(f"'{path}': {name} cannot be imported: {located(error)}") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            where = f" ({found.__file__})" if getattr(found, "__file__", None) else ""
            raise UsageError(f"'{path}': {name}{where} has no '{part}'{nearest(part, dir(found))}")
        found = getattr(found, part)
    return found


def _import_own(name: str) -> ModuleType:
    top = name.partition(".")[0]
    if top not in sys.modules and importlib.util.find_spec(top) is None:
        # Last, so that no file that happens to lie there stands in for an installed module.
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.append(here)
        importlib.invalidate_caches()
    return importlib.import_module(name)


def import_path_of(thing: Any) -> str:
    """Return the import path by which another process finds a function or class; "" if there is none.

    What is made within a function has none, nor what is typed into a session.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not (isinstance(module, str) and isinstance(name, str) and is_import_path(f"{module}:{name}")):
        return ""
    holder = sys.modules.get(module)
    # A process that is begun afresh runs the script again, where there is one.
    if module == "__main__" and not Path(getattr(holder, "__file__", None) or "").is_file():
        return ""
    found: Any = holder
    for part in name.split("."):
        found = getattr(found, part, None)
    while found is not None and found is not thing:  # a decorator may have wrapped it
        found = getattr(found, "__wrapped__", None)
    return f"{module}:{name}" if found is thing else ""
