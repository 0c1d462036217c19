"""Models of users' own: a function, or what loads one, with a card; no line of the registry, but opened like one."""

from __future__ import annotations

import inspect
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SalboxError, UsageError, located
from ..system.source import UnknownSource, source_identity
from ..types import Task
from .cards import NOT_STATED, Kind, ModelCard, Parameter
from .import_paths import import_path_of, is_import_path, resolve_own
from .weights import WeightsSource, find_weights

if TYPE_CHECKING:
    from .model import Model

_NAME = re.compile(r"\w[\w.-]*")  # no more: names are parts of ensembles, patterns, options, paths and folders


@dataclass(frozen=True)
class OwnModel:
    """A model that does not come with this package.

    Attributes
    ----------
    card : ModelCard
    target : callable, or class with `load`, optional
        What takes an image, (H, W, 3) uint8, and the card's parameters as keywords, and returns its map; or what
        returns such a thing from `load(weights, device)`, a Path (None where none are needed) and a text. By default
        what `path` names.
    path : str
        Import path of the target; "" where it is to be found out.
    token : str
        Tells it from every other model.
    """

    card: ModelCard
    target: Any = field(default=None, repr=False)
    path: str = ""
    token: str = field(default_factory=lambda: secrets.token_hex(8), compare=False, repr=False)

    @property
    def task(self) -> Task:
        """What it predicts."""
        return self.card.task

    @property
    def needs_weights(self) -> bool:
        """Whether it needs a file of weights that the user brings."""
        return bool(self.card.weights_from)

    @property
    def code(self) -> str:
        """The import path by which other processes find what computes its maps; "" if they cannot."""
        return self.path or import_path_of(self.target)

    def identity(self, *, or_token: bool = False) -> str:
        """Return a text that changes with the code that computes its maps.

        Parameters
        ----------
        or_token : bool
            Where there is no saying which code runs, return what holds for this object and no other.

        Raises
        ------
        UnknownSource
            If there is no saying which code runs.
        """
        try:
            if not self.code:
                raise UnknownSource("it lies in no module")
            return source_identity(self.code.partition(":")[0])
        except UnknownSource:
            if not or_token:
                raise
            return self.token

    def read_card(self, name: str) -> ModelCard:
        """Return its card."""
        return self.card

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return the file that its weights are in, if it needs some or is given some; see `find_weights`."""
        if weights is None and sha256 is None and not self.needs_weights:
            return None
        if not _is_loader(self._resolved()):
            raise UsageError(f"model '{name}' is a function and has no weights to load; leave weights out")
        return find_weights(name, weights, sha256, self.card.weights_from or NOT_STATED, stand_in=stand_in)

    def open(self, card: ModelCard, parameters: Mapping[str, Any], weights: Path | None, device: str) -> Model:
        """Return the model."""
        from .model import Model

        target = self._resolved()
        if not _is_loader(target):
            return Model(card, target, parameters, own=True)
        try:
            function = target.load(weights, device)
        except SalboxError:
            raise
        except Exception as error:  # whatever somebody's own code raises
            raise UsageError(f"model '{card.name}' could not be loaded: {located(error)}") from error
        if not callable(function):
            raise UsageError(f"model '{card.name}': load() returned a {type(function).__name__}, which is no function")
        return Model(card, function, parameters, weights=weights, own=True)

    def _resolved(self) -> Any:
        if self.target is None and not self.path:
            raise UsageError(
                f"model '{self.card.name}' lies in no module, so that other processes do not find it: "
                "put it into one, or use workers=1"
            )
        return resolve_own(self.path) if self.target is None else self.target


REGISTERED: dict[str, OwnModel] = {}
"""What `salbox.register` was given, by name."""


def check_name(name: str) -> None:
    """Raise a UsageError if a model cannot be called so."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith(".onnx"):
        raise UsageError(f"a model cannot be called {name!r}: expected letters, digits, '_', '-' and '.'")


def is_name(name: str) -> bool:
    """Return whether a text may be the name of a registered model."""
    return _NAME.fullmatch(name) is not None and not name.endswith(".onnx")


def make_own_model(name: str, target: Any, card: ModelCard | Mapping[str, Any], path: str = "") -> OwnModel:
    """Return a model of somebody's own.

    Parameters
    ----------
    name : str
    target : callable, or class with `load`
        See `OwnModel`.
    card : ModelCard, or mapping
        A mapping as `ModelCard.from_dict` takes it; the name is this one in any case. Where the card of a function
        states no parameters, they are those that it has defaults for.
    path : str
        Import path of the target, if it is known.

    Raises
    ------
    UsageError
        If the target is neither, the card is none, or the function does not take what the card states.
    """
    if isinstance(card, ModelCard):
        title = name if card.title == card.name else card.title
        model_card = replace(card, name=name, title=title)
    else:
        model_card = ModelCard.from_dict({**card, "name": name} if isinstance(card, Mapping) else card)
    if _is_loader(target):
        return OwnModel(model_card, target, path)
    if not callable(target) or inspect.isclass(target):
        what = f"the class {target.__name__}" if inspect.isclass(target) else type(target).__name__
        raise UsageError(f"model '{name}': expected a function of an image, or a class with load(); got {what}")
    if not model_card.parameters:
        model_card = replace(model_card, parameters=_parameters_of(target))
    _check_signature(name, target, model_card)
    return OwnModel(model_card, target, path)


def own_model_of(target: Any, name: str, path: str = "") -> OwnModel:
    """Return a function or class as a model: as it was registered, or with a card that states nothing else.

    Its maps then count as scores of where people look.
    """
    for entry in REGISTERED.values():
        if entry.target is target:
            return make_own_model(name, target, entry.card, path or entry.path)
    return make_own_model(name, target, {"task": "fixation", "output": "score"}, path)


def from_import_path(path: str) -> OwnModel:
    """Return the model that "module:function" names; importing the module runs its code.

    Raises
    ------
    UsageError
        If there is no such thing, or it is no model.
    """
    return own_model_of(resolve_own(path), path, path)


def function_model(function: Callable[..., Any]) -> Model:
    """Return a function as a loaded model: one that is registered with its card and defaults.

    Raises
    ------
    UsageError
        If it is neither a function of an image nor a class with `load`.
    """
    from .sending import LoadedAs

    for name, entry in REGISTERED.items():
        if entry.target is function:
            path, known = name, entry
            break
    else:
        called = getattr(function, "__name__", type(function).__name__)
        known = own_model_of(function, re.sub(r"[^\w.-]+", "", called) or "function")
        path = known.code
    checked = known.card.check_parameters({})
    model = known.open(known.card, checked, known.weights_path(known.card.name, None, None), "cpu")
    model.loaded_as = LoadedAs(path, {}) if is_import_path(path) or path in REGISTERED else None
    return model


def _is_loader(target: Any) -> bool:
    return inspect.isclass(target) and callable(getattr(target, "load", None))


def _parameters_of(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Return a function's parameters behind the image, of those whose default says what they may be."""
    try:
        _, *others = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    found = []
    for each in others:
        kind = _kind_of(each.default)
        if kind is not None and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY):
            default = tuple(each.default) if isinstance(each.default, list) else each.default
            found.append(Parameter(each.name, default, NOT_STATED, kind))
    return tuple(found)


def _kind_of(default: Any) -> Kind | None:
    """Return what a parameter may be that has this default; None if it does not say."""
    kinds: dict[type, Kind] = {bool: "bool", int: "int", float: "float", str: "str"}
    for each, kind in kinds.items():  # True is an int as well
        if isinstance(default, each):
            return kind
    if isinstance(default, (tuple, list)) and default:
        members = {_kind_of(member) for member in default}
        if members <= {"int", "float"}:
            return "ints" if members == {"int"} else "floats"
    return None


def _check_signature(name: str, function: Callable[..., Any], card: ModelCard) -> None:
    """Raise a UsageError if a function cannot be called with an image and the card's parameters."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # written in C: it says nothing
    try:
        signature.bind(None, **{p.name: p.default for p in card.parameters})
    except TypeError as error:
        stated = ", ".join(["image", *(f"{p.name}=" for p in card.parameters)])
        raise UsageError(f"model '{name}': its function cannot be called with ({stated}): {error}") from None
