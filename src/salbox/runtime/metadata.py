"""What salbox writes into an exported network beside the weights: heads, their cards, preprocessing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from ..errors import UsageError, one_line
from ..models.cards import ModelCard
from ..types import Output
from .preprocessing import Preprocessing

KEY = "salbox"  # of the ONNX file's metadata
FORMAT = 1

# What an exported network is called with, and what it gives.
INPUT, OUTPUT = "image", "maps"

_OUTPUTS: tuple[Output, ...] = get_args(Output)
_MAX_HEADS = 256


def resolution(preprocessing: Preprocessing, settings: Mapping[str, Any]) -> str:
    """Return in words how many pixels a network sees: "192x256 pixels", and of a box that it sees details beside.

    Parameters
    ----------
    preprocessing : Preprocessing
    settings : mapping
        What its architecture was made with.
    """
    pixels = f"{preprocessing.height}x{preprocessing.width} pixels"
    if settings.get("detail"):
        return f"{pixels}, but for local detail at half as many a side"
    return pixels


@dataclass(frozen=True)
class Head:
    """One map that a network gives: its name, whom it was taught by, its card."""

    name: str
    teacher: str
    card: ModelCard


@dataclass(frozen=True)
class Metadata:
    """What is known of an exported network.

    Attributes
    ----------
    salbox : str
        The version that wrote it.
    network : str
        The architecture's name, such as "box".
    heads : tuple of Head
        In the order of the output's channels.
    preprocessing : Preprocessing
        The size at which it looks at a photo.
    output : {"score", "log_density", "probability"}
        What the numbers of its maps are.
    parameters : int
        How many learned numbers it has; 0 if the file does not say.
    settings : mapping
        What the architecture was made with, so that training can go on from the file; empty if the file does not say.
    """

    salbox: str
    network: str
    heads: tuple[Head, ...]
    preprocessing: Preprocessing
    output: Output
    parameters: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return it as JSON."""
        heads = [{"name": h.name, "teacher": h.teacher, "card": h.card.to_dict()} for h in self.heads]
        return json.dumps(
            {
                "format": FORMAT,
                "salbox": self.salbox,
                "network": self.network,
                "heads": heads,
                "preprocessing": self.preprocessing.to_dict(),
                "output": self.output,
                "parameters": self.parameters,
                "settings": dict(self.settings),
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Metadata:
        """Return what `to_text` wrote.

        Raises
        ------
        UsageError
            If something is missing or of another kind, or a newer salbox wrote it.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            raise UsageError("its salbox metadata are no JSON") from None
        if not isinstance(values, dict) or not isinstance(values.get("format"), int):
            raise UsageError("its salbox metadata name no format")
        if values["format"] != FORMAT:
            raise UsageError(
                f"its metadata are of format {values['format']}, this salbox reads {FORMAT}: update salbox"
            )
        heads = values.get("heads")
        if not isinstance(heads, list) or not 0 < len(heads) <= _MAX_HEADS:
            raise UsageError("its salbox metadata name no heads")
        found = tuple(_head(h) for h in heads)
        if len({h.name for h in found}) != len(found):
            raise UsageError("its salbox metadata name a head twice")
        output = values.get("output")
        if output not in _OUTPUTS:
            raise UsageError(f"its salbox metadata name an output {output!r}, not one of {', '.join(_OUTPUTS)}")
        parameters = values.get("parameters", 0)
        if not isinstance(parameters, int):
            raise UsageError("its salbox metadata name no number of parameters")
        settings = values.get("settings", {})
        if not isinstance(settings, dict):
            raise UsageError("its salbox metadata hold settings that are none")
        return cls(
            salbox=_text(values, "salbox"),
            network=_text(values, "network"),
            heads=found,
            preprocessing=Preprocessing.from_dict(values.get("preprocessing", {})),
            output=cast(Output, output),
            parameters=parameters,
            settings=settings,
        )


def is_head_name(name: str) -> bool:
    """Return whether a head may be called so: maps are written to a folder of its name, which must not lead elsewhere.

    Examples
    --------
    >>> from salbox.runtime.metadata import is_head_name
    >>> is_head_name("gbvs"), is_head_name("../gbvs")
    (True, False)
    """
    return name not in ("", ".", "..") and name.isprintable() and not set(name) & set("/\\")


def _head(values: Any) -> Head:
    if not isinstance(values, Mapping):
        raise UsageError("its salbox metadata hold a head that is none")
    name = _text(values, "name")
    if not is_head_name(name):
        raise UsageError(f"its salbox metadata name a head '{one_line(name, 60)}', which no folder can be called")
    return Head(name, _text(values, "teacher"), ModelCard.from_dict(values.get("card")))


def _text(values: Mapping[str, Any], name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str) or not text:
        raise UsageError(f"its salbox metadata lack '{name}'")
    return text
