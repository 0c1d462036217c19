"""Models named by their path: an .onnx file, or a run folder that holds `student.onnx`.

Of a network that salbox wrote `PATH#head` picks one head of several; those that come with this package are such files
as well. A file of another program has a card beside it.
"""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from ..errors import UsageError, nearest
from ..paths import user_path
from .cards import ModelCard, Parameter
from .foreign_yaml import card_file, read_foreign
from .import_paths import resolve
from .model import HeadedNetwork, Model

STUDENT_FILE = "student.onnx"
WEIGHTS_FILE = "student.safetensors"  # beside it in a run folder

HISTOGRAM_MATCHED = Parameter(
    "histogram_matched",
    False,
    "Draw the teacher's map after histogram matching to a mean fixation map.",
    "bool",
)
"""Of heads with a histogram curve in their file; see `salbox.runtime.histogram_curves`."""


class _ExportedNetwork(HeadedNetwork, Protocol):
    """What `salbox.runtime.network` opens."""

    def histogram_matched(self) -> HeadedNetwork | None: ...


def is_path(name: str) -> bool:
    """Return whether a name that no model has means a file or folder."""
    path = str(name).partition("#")[0]
    return path.endswith(".onnx") or os.sep in path or "/" in path or (user_path(path) / STUDENT_FILE).is_file()


@lru_cache
def packaged(name: str) -> str:
    """Return the path of a file that comes with this package, given by its name; a `#head` behind it stays."""
    return str(importlib.resources.files("salbox.runtime") / "data" / name)


@lru_cache
def packaged_file(name: str) -> Path:
    """Return a file that comes with this package: where it lies does not change while the program runs."""
    return model_file(packaged(name))


def card_beside(name: str) -> Path | None:
    """Return the card beside the file that a name means, if it is another program's; None of any other name."""
    return card_file(user_path(name.partition("#")[0]))


def heads(name: str, max_model_size: float | None = None) -> list[str]:
    """Return a path once for each of its heads, `PATH#head`; a path with one head, or with its head, as it is."""
    if "#" in name or card_beside(name) is not None:
        return [name]
    found = _open(name, "cpu", max_model_size).heads
    return [name] if len(found) == 1 else [f"{name}#{head}" for head in found]


def foreign_card(name: str) -> ModelCard:
    """Return the card of another program's file; its name is what outputs are called.

    Raises
    ------
    UsageError
        If there is no such file, or the card beside it cannot be read.
    """
    if "#" in name:
        raise UsageError(f"'{name}': another program's network has no heads; leave '#' and what follows out")
    file, beside = _foreign(name)
    return read_foreign(beside).model_card(_output_name(name), file, beside)


def load_foreign(name: str, card: ModelCard, device: str, max_model_size: float | None) -> Model:
    """Return the model of another program's file."""
    file, beside = _foreign(name)
    predictor = resolve("salbox.runtime.foreign:ForeignPredictor")
    function = predictor.load(file, device, card=read_foreign(beside), max_model_size=max_model_size)
    return Model(card, function, {}, weights=file)


def exported_card(name: str, max_model_size: float | None = None) -> ModelCard:
    """Return the card that a file carries for a head; its name is what outputs are called.

    Raises
    ------
    UsageError
        If there is no such file or head.
    WeightsError
        If it cannot be read.
    """
    network = _open(name, "cpu", max_model_size)
    head, matched = _head(name, network), network.histogram_matched()
    own = network.cards[head]
    parameters = own.parameters if matched is None or head not in matched.heads else (HISTOGRAM_MATCHED,)
    return replace(own, name=_output_name(name), parameters=parameters)


def load_exported(
    name: str,
    card: ModelCard,
    parameters: Mapping[str, Any],
    device: str,
    max_model_size: float | None = None,
    *,
    file: Path | None = None,
) -> Model:
    """Return the model of a path; of `parameters`, those of its card, a file knows `HISTOGRAM_MATCHED` alone.

    `file` is what `model_file` gives, if it is known: eleven heads would ask for it eleven times.
    """
    file = file or model_file(name)
    network = _open_file(file, device, max_model_size)
    own = {key: value for key, value in parameters.items() if key == HISTOGRAM_MATCHED.name}
    asked = network.histogram_matched() if any(own.values()) else None
    return Model(card, None, own, network=asked or network, head=_head(name, network), weights=file)


def model_file(name: str) -> Path:
    """Return the .onnx file that a path means."""
    path = user_path(name.partition("#")[0])
    file = path / STUDENT_FILE if path.is_dir() else path
    if not file.is_file():
        if path.is_dir():
            raise UsageError(f"{path}: no model in this folder (a run folder holds {STUDENT_FILE})")
        raise UsageError(f"no model '{name}', and no file of that name")
    return file


def _foreign(name: str) -> tuple[Path, Path]:
    """Return another program's file and the card beside it."""
    file, beside = model_file(name), card_beside(name)
    if beside is None:
        raise UsageError(f"{file}: its card is no longer beside it")
    return file, beside


def _open(name: str, device: str, max_model_size: float | None) -> _ExportedNetwork:
    return _open_file(model_file(name), device, max_model_size)


def _open_file(file: Path, device: str, max_model_size: float | None) -> _ExportedNetwork:
    # By its import path: the floor does not know the rooms above it.
    open_network = resolve("salbox.runtime.network:open_network")
    network: _ExportedNetwork = open_network(file, provider=device, max_model_size=max_model_size)
    return network


def _head(name: str, network: HeadedNetwork) -> str:
    head = name.partition("#")[2]
    if not head:
        if len(network.heads) > 1:
            raise UsageError(
                f"'{name}' has several heads: say which, as {name}#{network.heads[0]} (it has "
                f"{', '.join(network.heads)})"
            )
        return network.heads[0]
    if head not in network.heads:
        raise UsageError(
            f"'{name}': no head '{head}'{nearest(head, network.heads)} (it has {', '.join(network.heads)})"
        )
    return head


def _output_name(name: str) -> str:
    """Return what outputs are called: the path's last component, and the head if one was named."""
    path, _, head = name.partition("#")
    last = user_path(path).resolve().name.removesuffix(".onnx")
    return f"{last}.{head}" if head else last
