"""Models of installed packages: entry points of the group `salbox.models`, each imported when it is first asked for."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import ModelWarning, SalboxError, UsageError, located
from .own import OwnModel, check_name, own_model_of

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "salbox.models"


def plugin_names() -> tuple[str, ...]:
    """Return the names of the models that installed packages bring; none is imported."""
    return tuple(_found(tuple(sys.path)))


def plugin(name: str) -> OwnModel | None:
    """Return the model of a name, its package imported; None if no package brings one.

    Raises
    ------
    UsageError
        If the package is broken.
    """
    point = _found(tuple(sys.path)).get(name)
    if point is None:
        return None
    loaded = _load(point)
    if isinstance(loaded, str):
        raise UsageError(loaded)
    return loaded


def working_plugins(reserved: Mapping[str, object]) -> dict[str, OwnModel]:
    """Return {name: model} of those that can be imported; of any other a warning says why it is left out, once.

    Parameters
    ----------
    reserved : mapping
        By names that cannot be replaced.
    """
    found = {}
    for name, point in _found(tuple(sys.path)).items():
        if name in reserved:
            _warn(f"{_described(point)} is left out: salbox has a model '{name}' itself")
            continue
        loaded = _load(point)
        if isinstance(loaded, str):
            _warn(f"{loaded}; left out")
        else:
            found[name] = loaded
    return found


@lru_cache(maxsize=8)
def _found(paths: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Return {name: entry point}; of two with one name that of the first package by the alphabet.

    Parameters
    ----------
    paths : tuple of str
        Where packages are looked for: what was found there is not looked for again.
    """
    from importlib.metadata import entry_points

    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, _package(point))):
        first = found.setdefault(point.name, point)
        if _package(first) != _package(point):
            _warn(f"{_described(point)} is left out: {_package(first)} brings one of this name")
    return found


@lru_cache(maxsize=256)
def _load(point: EntryPoint) -> OwnModel | str:
    """Return the model of an entry point, or why there is none."""
    try:
        check_name(point.name)
        return own_model_of(point.load(), point.name, f"{point.module}:{point.attr}" if point.attr else "")
    except SalboxError as error:
        return f"{_described(point)} cannot be used: {error}"
    except (Exception, SystemExit) as error:  # anything may be raised by a package that is imported
        return f"{_described(point)} cannot be loaded: {located(error)}"


@lru_cache(maxsize=256)
def _warn(text: str) -> None:
    warnings.warn(text, ModelWarning, stacklevel=4)


def _described(point: EntryPoint) -> str:
    return f"model '{point.name}' of the package {_package(point)}"


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.module
