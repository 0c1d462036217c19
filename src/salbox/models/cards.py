"""Model cards: what is known of a model, and the parameters it takes.

A card is data. It imports nothing of the model, so that `salbox models` can print a network's card where the
network itself cannot run.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, get_args

from ..errors import UsageError, nearest, one_line
from ..paths import user_path
from .weights import file_hash

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
from ..types import Output, Task

Kind = Literal["int", "float", "bool", "str", "path", "array", "ints", "floats"]

NOT_STATED = "not stated"  # what a card says where nobody said anything

_DIGITS = 16  # of a hash in what is written of a parameter

_KEYS = {"license": "licence"}  # field -> what files and programs have known it as from the beginning

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


@dataclass(frozen=True)
class Paper:
    """The publication a model comes from; `bibtex` is a complete entry."""

    title: str
    authors: str
    venue: str
    year: int
    doi: str
    bibtex: str


@dataclass(frozen=True)
class License:
    """The terms of a model's code, of its weights (or learned filters) and of the data they were learned from."""

    code: str
    weights: str = "none: the model has no learned weights"
    training_data: str = "none"


Licence = License  # its first name


@dataclass(frozen=True)
class Parameter:
    """One parameter of a model: its default, what it means and what it may be.

    `minimum` and `maximum` are inclusive and hold for every member of a list; `kind` says how a text such as
    ``levels=2,3`` is read. A parameter of kind "path" may be None, which text spells "none"; one of kind "array" is a
    text, such as a path, or an array of finite floating-point numbers, (h, w).
    """

    name: str
    default: Any
    description: str
    kind: Kind
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def check(self, value: Any) -> Any:
        """Return `value`, text converted to the parameter's kind.

        Raises
        ------
        UsageError
            If the value is of another kind, out of range or not among the choices.
        """
        try:
            converted = self._convert(value)
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"parameter {self.name}={display(value)}: expected {self.expected()}") from None
        members = converted if isinstance(converted, tuple) else (converted,)
        if self.kind in ("int", "float", "ints", "floats") and not all(self._in_range(v) for v in members):
            raise UsageError(f"parameter {self.name}={value!r}: expected {self.expected()}")
        if self.choices and converted not in self.choices:
            raise UsageError(f"parameter {self.name}={value!r}: expected {self.expected()}")
        return converted

    def to_json(self, value: Any) -> Any:
        """Return a value ready for JSON; that of an array or a file has a hash of what it holds."""
        if self.kind in ("path", "array") and isinstance(value, str) and value != self.default:
            path = Path(value)
            return f"{value} (sha256 {file_hash(path)[:_DIGITS]})" if path.is_file() else value
        return to_json(value)

    def expected(self) -> str:
        """Return what the parameter may be, in words."""
        if self.choices:
            return "one of " + ", ".join(str(c) for c in self.choices)
        kinds = {
            "int": "a whole number",
            "float": "a number",
            "bool": "true or false",
            "str": "a text",
            "path": "a file, or none",
            "array": "a text, or finite floating-point numbers (h, w)",
            "ints": "whole numbers separated by commas",
            "floats": "numbers separated by commas",
        }
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("at least", self.minimum), ("at most", self.maximum))
            if bound is not None
        ]
        return " ".join([kinds[self.kind], " and ".join(bounds)]).strip()

    def _in_range(self, value: float) -> bool:
        above = self.minimum is None or value >= self.minimum
        below = self.maximum is None or value <= self.maximum
        return math.isfinite(value) and above and below

    def _convert(self, value: Any) -> Any:
        if self.kind == "bool":
            return _to_bool(value)
        if self.kind == "path":
            return None if value is None or str(value).lower() == "none" else str(user_path(value))
        if self.kind == "array":
            return _to_array(value) if _is_array(value) else str(user_path(_some(value)))
        if self.kind == "str":
            return str(value)
        number = _to_int if self.kind in ("int", "ints") else float
        if self.kind in ("int", "float"):
            if isinstance(value, bool):
                raise TypeError
            return number(value)
        members = value.split(",") if isinstance(value, str) else value
        converted = tuple(number(v) for v in members)
        if not converted:
            raise ValueError
        return converted


def to_json(value: Any) -> Any:
    """Return a parameter's value ready for JSON: an array as its shape and a hash of it, a path as text."""
    if _is_array(value):
        digest = hashlib.sha256(f"{value.dtype.str} {value.shape} ".encode() + value.tobytes()).hexdigest()
        return f"{display(value)} (sha256 {digest[:_DIGITS]})"
    return value if isinstance(value, (str, int, float, bool, list, tuple, dict, type(None))) else str(value)


def display(value: Any) -> str:
    """Return a parameter's value as it is shown to people, in one line."""
    if _is_array(value):
        return f"{value.dtype} array ({', '.join(map(str, value.shape))})"
    return repr(value)


def _is_array(value: Any) -> TypeGuard[np.ndarray[Any, Any]]:
    # Without NumPy, which cards do without: whoever has an array has imported it.
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _to_array(value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a copy that nobody can change, so that what was checked stays so."""
    import numpy as np

    if value.ndim != 2 or not value.size or value.dtype.kind != "f" or not np.isfinite(value).all():
        raise ValueError
    copied = np.array(value, order="C")
    copied.flags.writeable = False
    return copied


def _some(value: Any) -> Any:
    if value is None:
        raise TypeError
    return value


def _to_int(value: Any) -> int:
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError
    return number


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model; name, task and output must be, all else says that it is not stated.

    Attributes
    ----------
    name, title : str
        The name that `salbox.load` takes, and the name in full, by default the same.
    task : {"fixation", "object"}
        Whether it predicts where people look or which pixels belong to the salient object.
    output : {"score", "log_density", "probability"}
        What the numbers of its map are; see the design of the package.
    origin : str
        What this implementation is: 'original algorithm', "authors' weights", 'student of X trained on N photos'.
    size : str
        Learned numbers and their place on disk, in words.
    agreement : str
        Measured agreement with the original.
    fidelity : str
        The same in a few words, for a table: "equal", "CC .98".
    commercial_use : str
        One plain sentence: what may be done with code, weights and what they were learned from where money is made.
        It is no legal advice.
    limits : tuple of str
        What it does not do, and how much memory it takes.
    weights_from : str
        Where the weights come from that this package does not bring; empty if it needs none.
    """

    name: str
    _: KW_ONLY
    title: str = ""
    task: Task
    output: Output
    summary: str = NOT_STATED
    paper: Paper | None = None
    origin: str = NOT_STATED
    license: License = License(NOT_STATED, NOT_STATED, NOT_STATED)
    size: str = NOT_STATED
    agreement: str = NOT_STATED
    fidelity: str = NOT_STATED
    commercial_use: str = NOT_STATED
    limits: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    weights_from: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self.title or self.name)
        texts = (self.name, self.title, self.summary, self.origin, self.size, self.agreement, self.fidelity)
        if not all(isinstance(text, str) for text in (*texts, self.commercial_use, self.weights_from, *self.limits)):
            raise UsageError("not a model card: a text is missing")
        if self.task not in get_args(Task) or self.output not in get_args(Output):
            expected = f"expected {' or '.join(get_args(Task))}, and {' or '.join(get_args(Output))}"
            raise UsageError(f"not a model card: task '{self.task}', output '{self.output}' ({expected})")

    @property
    def licence(self) -> License:
        """The field `license`, by the name that it first had."""
        return self.license

    def check_parameters(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return all parameters: the given ones checked and converted, the rest at their defaults.

        Raises
        ------
        UsageError
            For a name that the model does not have (the nearest is proposed) or a value that does not fit.
        """
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                have = f"it has {', '.join(known)}" if known else "it has none"
                raise UsageError(f"model '{self.name}' has no parameter '{name}'{nearest(name, known)} ({have})")
        try:
            return {name: p.check(given[name]) if name in given else p.default for name, p in known.items()}
        except UsageError as error:
            raise UsageError(f"model '{self.name}': {error}") from None

    def parameters_to_json(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        """Return checked parameters ready for JSON: what a map depends on, also of files and arrays."""
        known = {p.name: p for p in self.parameters}
        return {name: known[name].to_json(value) for name, value in checked.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain dictionaries, lists and texts, ready for JSON."""
        return {_KEYS.get(field, field): value for field, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, given: Any) -> ModelCard:
        """Return the card that `to_dict` wrote, also after a way through JSON; what is left out is not stated.

        A licence that is a text is the code's.

        Raises
        ------
        UsageError
            If it is not a card: one of the fields that must be is missing, one is unknown or of another kind.
        """
        try:
            fields = dict(given)
            terms, paper = fields.pop(_KEYS["license"], None), fields.pop("paper", None)
            if terms is not None:
                fields["license"] = (
                    License(terms, NOT_STATED, NOT_STATED) if isinstance(terms, str) else License(**terms)
                )
            if paper is not None:
                fields["paper"] = Paper(**paper)
            if "limits" in fields:
                fields["limits"] = tuple(fields["limits"])
            if "parameters" in fields:
                fields["parameters"] = tuple(_parameter(p) for p in fields["parameters"])
            if missing := [name for name in ("name", "task", "output") if name not in fields]:
                raise UsageError(f"not a model card: {missing[0]} is missing")
            return cls(**fields)
        except UsageError:
            raise
        except (TypeError, ValueError, KeyError) as error:
            raise UsageError(f"not a model card: {one_line(error)}") from None


def _parameter(given: Mapping[str, Any]) -> Parameter:
    fields = dict(given)
    default = fields.pop("default")
    return Parameter(
        **{
            **fields,
            "default": tuple(default) if isinstance(default, list) else default,
            "choices": tuple(fields.get("choices", ())),
        }
    )
