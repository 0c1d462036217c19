"""Models that salbox wrote: an .onnx file, or a run folder that holds `student.onnx`, named by their path.

`PATH#head` picks one head of a network with several. Those that come with this package are such files as well.
"""

from __future__ import annotations

import importlib.resources
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from ..errors import UsageError, nearest
from .cards import ModelCard
from .import_paths import resolve
from .model import HeadedNetwork, Model

STUDENT_FILE = "student.onnx"


def is_path(name: str) -> bool:
    """Return whether a name that no model has means a file or folder."""
    path = str(name).partition("#")[0]
    return path.endswith(".onnx") or os.sep in path or "/" in path or (Path(path).expanduser() / STUDENT_FILE).is_file()


@lru_cache
def packaged(name: str) -> str:
    """Return the path of a file that comes with this package, given by its name; a `#head` behind it stays."""
    return str(importlib.resources.files("salbox.runtime") / "data" / name)


def heads(name: str) -> list[str]:
    """Return a path once for each of its heads, `PATH#head`; a path with one head, or with its head, as it is."""
    if "#" in name:
        return [name]
    found = _open(name, "cpu").heads
    return [name] if len(found) == 1 else [f"{name}#{head}" for head in found]


def exported_card(name: str) -> ModelCard:
    """Return the card that a file carries for a head; its name is what outputs are called.

    Raises
    ------
    UsageError
        If there is no such file or head.
    WeightsError
        If it cannot be read.
    """
    network = _open(name, "cpu")
    return replace(network.cards[_head(name, network)], name=_output_name(name))


def load_exported(name: str, card: ModelCard, device: str) -> Model:
    """Return the model of a path."""
    network = _open(name, device)
    return Model(card, None, {}, network=network, head=_head(name, network), weights=model_file(name))


def model_file(name: str) -> Path:
    """Return the .onnx file that a path means."""
    path = Path(name.partition("#")[0]).expanduser()
    file = path / STUDENT_FILE if path.is_dir() else path
    if not file.is_file():
        if path.is_dir():
            raise UsageError(f"{path}: no model in this folder (a run folder holds {STUDENT_FILE})")
        raise UsageError(f"no model '{name}', and no file of that name")
    return file


def _open(name: str, device: str) -> HeadedNetwork:
    # By its import path: the floor does not know the rooms above it.
    network: HeadedNetwork = resolve("salbox.runtime.network:open_network")(model_file(name), provider=device)
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
    last = Path(path).expanduser().resolve().name.removesuffix(".onnx")
    return f"{last}.{head}" if head else last
