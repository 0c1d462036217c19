"""The models by name.

Names and import paths are strings: listing the models imports none of them. To add a model write its file, with a
card and a function, and add one entry here.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cards import ModelCard, Task
from .errors import UsageError, nearest

if TYPE_CHECKING:
    from .image import ImageSource
    from .model import Model, SaliencyMap
    from .postprocess import PostProcess


@dataclass(frozen=True)
class Entry:
    """Where a model is found: `card` and `function` are "module:attribute"."""

    task: Task
    card: str
    function: str


def _classical(name: str) -> Entry:
    module = f"salbox.classical.{name}"
    return Entry(task="fixation", card=f"{module}:CARD", function=f"{module}:{name}")


MODELS: dict[str, Entry] = {
    name: _classical(name) for name in ("aim", "ikn", "gbvs", "bms", "imsig", "rare2012", "sun", "gaussian")
}


def list_models(task: Task | None = None) -> list[str]:
    """Return the names of all models, or of those for one task.

    Parameters
    ----------
    task : {"fixation", "object"}, optional

    Examples
    --------
    >>> import salbox
    >>> "gbvs" in salbox.list_models(task="fixation")
    True
    """
    if task not in (None, "fixation", "object"):
        raise UsageError(f"unknown task '{task}'; tasks are fixation and object")
    return [name for name, entry in MODELS.items() if task in (None, entry.task)]


def card(name: str) -> ModelCard:
    """Return the card of a model.

    Raises
    ------
    UsageError
        If there is no such model; the nearest names are proposed.
    """
    found: ModelCard = _resolve(_entry(name).card)
    return found


def load(name: str, *, weights: str | None = None, **parameters: Any) -> Model:
    """Return a model, ready to be called with an image.

    Parameters
    ----------
    name : str
        One of `list_models()`.
    weights : str, optional
        A checkpoint, for models that need one.
    **parameters
        Parameters of the model; its card lists them with their defaults.

    Raises
    ------
    UsageError
        For an unknown model or parameter (the nearest is proposed), or a value that does not fit.

    Examples
    --------
    >>> import salbox, skimage.data
    >>> salbox.load("gbvs")(skimage.data.chelsea()).shape
    (300, 451)
    """
    from .model import Model

    entry = _entry(name)
    model_card = card(name)
    if weights is not None:
        raise UsageError(f"model '{name}' has no weights to load; leave weights out")
    return Model(model_card, _resolve(entry.function), model_card.check_parameters(parameters))


def load_for(name: str, parameters: Mapping[str, Any], postprocess: PostProcess) -> Model:
    """Return a model, its own smoothing switched off if the post-processing replaces it (and nobody asked for it)."""
    has_smoothing = any(p.name == "do_smoothing" for p in card(name).parameters)
    if postprocess.replaces_smoothing and has_smoothing and "do_smoothing" not in parameters:
        parameters = {**parameters, "do_smoothing": "none"}
    return load(name, **parameters)


def predict(
    image: ImageSource, models: str | Iterable[str], *, postprocess: PostProcess | None = None
) -> dict[str, SaliencyMap]:
    """Return the maps of several models for one image.

    Parameters
    ----------
    image : path, bytes, file object, PIL image or array
        It is read once.
    models : names
        One name or several.
    postprocess : PostProcess, optional
        What is done to each map; by default nothing.

    Returns
    -------
    dict
        Name -> map, (H, W) float32, in the order given.
    """
    from .image import read_image
    from .postprocess import NOTHING

    names = [models] if isinstance(models, str) else list(models)
    process = postprocess or NOTHING
    loaded = {name: load_for(name, {}, process) for name in names}
    pixels = read_image(image)
    file_name = Path(image).name if isinstance(image, (str, os.PathLike)) else None
    return {name: process(model(pixels), name=file_name) for name, model in loaded.items()}


def parse_models(names: Iterable[str], parameters: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Return {model: parameters} for names and parameters as texts, checked against the cards.

    Parameters
    ----------
    names : texts
        Each one name or several separated by commas.
    parameters : texts
        "model:key=value", or "key=value" for all of the models that have it.

    Raises
    ------
    UsageError
        For an unknown model or parameter (the nearest is proposed), or a value that does not fit.
    """
    split = [name.strip() for text in names for name in text.split(",") if name.strip()]
    if not split:
        raise UsageError("no model named; give some with -m ('salbox models' lists all)")
    cards = {name: card(name) for name in split}
    chosen: dict[str, dict[str, Any]] = {name: {} for name in cards}
    for text in parameters:
        target, key, value = _split_parameter(text)
        if target is not None and target not in cards:
            raise UsageError(f"parameter '{text}': model '{target}' is not among {', '.join(cards)}")
        having = [name for name, c in cards.items() if key in {p.name for p in c.parameters}]
        if target is None and not having:
            known = {p.name for c in cards.values() for p in c.parameters}
            raise UsageError(f"parameter '{text}': none of {', '.join(cards)} has '{key}'{nearest(key, known)}")
        for name in having if target is None else [target]:
            chosen[name][key] = value
    for name, model_card in cards.items():
        model_card.check_parameters(chosen[name])
    return chosen


def _split_parameter(text: str) -> tuple[str | None, str, str]:
    head, equals, value = text.partition("=")
    model, colon, key = head.rpartition(":")
    if not equals or not key:
        raise UsageError(f"parameter '{text}': expected KEY=VALUE or MODEL:KEY=VALUE")
    return (model if colon else None), key.strip().replace("-", "_"), value


def _entry(name: str) -> Entry:
    try:
        return MODELS[name]
    except (KeyError, TypeError):
        hint = nearest(str(name), MODELS)
        raise UsageError(f"no model '{name}'{hint} ('salbox models' lists all)") from None


def _resolve(path: str) -> Any:
    module, attribute = path.split(":")
    return getattr(importlib.import_module(module), attribute)
