"""Models that are copied or sent to another process: what is sent, and how a model is made of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from .cards import ModelCard
from .import_paths import resolve

M = TypeVar("M")


def _current_folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  # every model that is loaded asks: a Path would take three times as long
    except OSError:  # removed meanwhile
        return ""


@dataclass(frozen=True)
class LoadedAs:
    """What `salbox.load` was called with to get a model, its name and keywords, and where."""

    name: str
    keywords: Mapping[str, Any]
    folder: str = field(default_factory=_current_folder, compare=False)  # that relative paths start from


def load_again(loaded_as: LoadedAs, card: ModelCard, bring: Callable[[], None] | None) -> Any:
    """Return a model that was loaded elsewhere, loaded again here.

    Parameters
    ----------
    loaded_as : LoadedAs
    card : ModelCard
        The model's.
    bring : callable, optional
        Registers first what was registered there.
    """
    if bring is not None:
        bring()
    keywords = dict(loaded_as.keywords)
    if isinstance(keywords.get("weights"), (str, os.PathLike)):
        keywords["weights"] = _from_there(os.fspath(keywords["weights"]), loaded_as.folder)
    model = resolve("salbox.models.loading:load")(_from_there(loaded_as.name, loaded_as.folder), **keywords)
    model.card, model.loaded_as = card, loaded_as
    return model


def _from_there(name: str, folder: str) -> str:
    """Return a name or a path, one that is relative to a folder in full where the current one is another."""
    path, _, head = name.partition("#")
    place = os.path.join(folder, path)  # noqa: PTH118  # a Path would take "./" away
    if folder == _current_folder() or resolve("salbox.models.registry:find_entry")(name) or not os.path.exists(place):  # noqa: PTH110
        return name
    return f"{place}#{head}" if head else place


def restored(kind: type[M], state: dict[str, Any]) -> M:
    """Return a model with the attributes of another."""
    model = kind.__new__(kind)
    vars(model).update(state, parameters=MappingProxyType(dict(state["parameters"])))
    return model
