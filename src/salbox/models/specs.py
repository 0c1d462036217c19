"""Models as a command line names them, with their parameters, weights and device."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ..errors import UsageError, nearest
from .blends import BlendFile, is_blend
from .calibrated import NAMES as PROFILE_NAMES
from .calibrated import worn_card
from .cards import ModelCard
from .ensembles import is_ensemble, members
from .exported import HISTOGRAM_MATCHED, heads, is_path
from .loading import card, spelled
from .model import Model
from .own import function_model
from .registry import find_entry, list_models

LOADING = ("weights", "sha256", "device", "max_model_size")  # keywords of `load` that are no parameters of a model

AnyModel: TypeAlias = "str | os.PathLike[str] | Model | Callable[..., Any]"
"""A model as Python takes it: a name or path, what `load` returned, or a function of an image."""


def as_models(given: AnyModel) -> list[str | Model]:
    """Return the names to load, or the model, that something given in the place of a model stands for.

    Raises
    ------
    UsageError
        If it is neither a name, a path, a model nor a function of an image.
    """
    if isinstance(given, Model):
        return [given]
    if isinstance(given, str):
        return [*expanded([given])]
    if isinstance(given, os.PathLike):
        path = os.fspath(given)
        return [*expanded([path if {*path} & {os.sep, "/"} else f"./{path}"])]
    if callable(given):
        return [function_model(given)]
    raise UsageError(f"{type(given).__name__}: expected a model: a name, a path, a loaded one or a function")


def split_names(texts: Iterable[str]) -> list[str]:
    """Return the names in texts, each one name or several separated by commas."""
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def expanded(names: Iterable[str], max_model_size: float | None = None) -> list[str]:
    """Return names, what stands for several replaced by each of them.

    That is the path of a network with several heads, and a pattern such as "*.student", which means the models of such
    a name that need no further files.

    Raises
    ------
    UsageError
        If no model fits a pattern.
    """
    return list(dict.fromkeys(each for name in names for each in _expand_one(name, max_model_size)))


def _expand_one(name: str, max_model_size: float | None) -> list[str]:
    """Return what one name stands for."""
    name = spelled(name)
    if is_ensemble(name) or is_blend(name) or find_entry(name) is not None:
        return [name]
    if is_path(name):
        return heads(name, max_model_size)
    if not set(name) & set("*?["):
        return [name]
    found = [known for known in list_models(ready=True) if fnmatch.fnmatchcase(known.casefold(), name.casefold())]
    if not found:
        raise UsageError(f"no model that needs no further files fits '{name}' ('salbox models' lists all)")
    return found


def parse_models(
    names: Iterable[str],
    parameters: Iterable[str] = (),
    weights: Iterable[str] = (),
    sha256: Iterable[str] = (),
    device: str | None = None,
    max_model_size: float | None = None,
    *,
    distinct: bool = True,
) -> dict[str, dict[str, Any]]:
    """Return {model: keywords of `load`} for texts, checked against the cards.

    Parameters
    ----------
    names : texts
        Each one name or several separated by commas.
    parameters : texts
        "model:key=value", or "key=value" for all of the models that have it.
    weights, sha256 : texts
        "model=path" or "member=path" of an ensemble; without a name for the only model that takes weights.
    device : str, optional
    max_model_size : float, optional
        In MB, of files.
    distinct : bool
        Refuse two models whose outputs would go by one name, as a run folder called like a model.

    Raises
    ------
    UsageError
        For an unknown model or parameter (the nearest is proposed), or a value that does not fit.
    """
    split = split_names(names)
    if not split:
        raise UsageError("no model named; give some with -m ('salbox models' lists all)")
    cards = {name: card(name, max_model_size=max_model_size) for name in expanded(split, max_model_size)}
    if distinct:
        _refuse_equal(cards)
    chosen: dict[str, dict[str, Any]] = {name: {} for name in cards}
    for text in parameters:
        target, key, value = _split_parameter(text)
        target = None if target is None else spelled(target)
        if target is not None and target not in cards:
            raise UsageError(f"parameter '{text}': model '{target}' is not among {', '.join(cards)}")
        having = [name for name, c in cards.items() if key in {p.name for p in c.parameters}]
        having = having or (list(cards) if key in PROFILE_NAMES else [])  # any model can wear one
        if target is None and not having:
            raise UsageError(f"parameter '{text}': none of {', '.join(cards)} has '{key}'{_hint(key, cards)}")
        for name in having if target is None else [target]:
            chosen[name][key] = value
    for name, model_card in cards.items():
        worn_card(model_card, chosen[name]).check_parameters(chosen[name])
    for kind, texts in (("weights", weights), ("sha256", sha256)):
        _spread(kind, texts, chosen)
    for key, loading in (("device", device), ("max_model_size", max_model_size)):
        if loading is not None:
            for name in chosen:
                chosen[name][key] = loading
    return chosen


def _hint(key: str, cards: Mapping[str, ModelCard]) -> str:
    """Return which parameter may have been meant, also where a "." stands between model and parameter."""
    model, _, parameter = key.rpartition(".")
    for name, model_card in cards.items():
        if name.replace("-", "_") == model:  # as `_split_parameter` spells keys
            # Near by themselves: with the model's name in front of both, any two are.
            own = [f"{name}:{p.name}" for p in model_card.parameters if nearest(parameter, [p.name])]
            wanted = f"{name}:{parameter}"
            return f"; did you mean '{wanted}'?" if wanted in own else nearest(wanted, own)
    return nearest(key, {p.name for c in cards.values() for p in c.parameters})


def split_loading(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return keywords of `load` in two parts: the model's parameters, and how it is loaded."""
    loading = {key: value for key, value in arguments.items() if key in LOADING}
    return {key: value for key, value in arguments.items() if key not in LOADING}, loading


def ensure_histogram_matched(name: str, max_model_size: float | None = None) -> None:
    """Raise a UsageError if a model, a name or a path, has no histogram-matched maps of its own."""
    if HISTOGRAM_MATCHED.name not in {p.name for p in card(name, max_model_size=max_model_size).parameters}:
        raise UsageError(
            f"model '{name}' has no histogram-matched maps of its own; the students that ship have (gbvs.student), and "
            "histogram matching 'biased' in post-processing matches the maps of any model"
        )


def check_targets(given: Iterable[str], names: Iterable[str]) -> None:
    """Raise a UsageError if something is given for a model that is not asked for."""
    for name in given:
        if name not in names:
            raise UsageError(f"weights for '{name}', which is not among {', '.join(names)}")


def _spread(kind: str, texts: Iterable[str], chosen: dict[str, dict[str, Any]]) -> None:
    """Put each "model=value" where it belongs."""
    takers = _takers(chosen)
    for text in texts:
        target, equals, value = text.partition("=")
        target = spelled(target)
        if not equals or target not in takers:
            # A path or URL may hold a "=" of its own.
            if equals and "/" not in target and "." not in target:
                raise UsageError(f"--{kind} '{text}': '{target}'{nearest(target, takers)} takes none here")
            if len(takers) != 1:
                raise UsageError(f"--{kind} '{text}': say for which model, as MODEL={text} ({', '.join(takers)})")
            (target,), value = takers, text
        model, member = takers[target]
        if member is None:
            chosen[model][kind] = value
        else:
            chosen[model].setdefault(kind, {})[member] = value


def _takers(names: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """Return what may be given weights: name -> the model, and the member if it is an ensemble's."""
    found: dict[str, tuple[str, str | None]] = {}
    for name in names:
        if is_ensemble(name) or is_blend(name):
            every = members(name) if is_ensemble(name) else BlendFile(name).names()
            found |= {m: (name, m) for m in every if _takes_weights(m) and m not in found}
        elif _takes_weights(name):
            found[name] = (name, None)
    return found


def _takes_weights(name: str) -> bool:
    entry = find_entry(name)
    return entry is not None and entry.needs_weights


def _refuse_equal(cards: Mapping[str, ModelCard]) -> None:
    """Raise if two models would write their maps to one folder."""
    names: dict[str, str] = {}
    for name, model_card in cards.items():
        if model_card.name in names:
            raise UsageError(f"'{names[model_card.name]}' and '{name}' are both called '{model_card.name}'; rename one")
        names[model_card.name] = name


def _split_parameter(text: str) -> tuple[str | None, str, str]:
    head, equals, value = text.partition("=")
    model, colon, key = head.rpartition(":")
    if not equals or not key:
        raise UsageError(f"parameter '{text}': expected KEY=VALUE or MODEL:KEY=VALUE")
    return (model if colon else None), key.strip().replace("-", "_"), value
