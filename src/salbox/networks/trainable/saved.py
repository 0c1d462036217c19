"""Weights of a trainable network in a file of safetensors, with what is needed to build the network again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ...errors import WeightsError, one_line
from ...imaging.writing import atomic
from ..checkpoints import load_tensors, read_tensors
from .base import TrainableNetwork
from .factory import rebuild

_KEY = "salbox"  # of the metadata in the file


def save_weights(network: TrainableNetwork, path: Path) -> None:
    """Write a network's weights as safetensors, with what is needed to build it again."""
    described = {"network": network.name, "heads": network.heads, "settings": network.settings}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with atomic(path) as temporary:
        temporary.write_bytes(save(tensors, metadata={_KEY: json.dumps(described)}))


def read_weights(path: Path) -> TrainableNetwork:
    """Return the network that `save_weights` wrote.

    Raises
    ------
    WeightsError
        If it is not there or broken.
    """
    described = _described(path)
    network = rebuild(described["network"], described["heads"], described["settings"])
    load_tensors(network, read_tensors(path), path)
    return network


def _described(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; a finished run folder has one")
    try:
        with safe_open(path, framework="pt") as file:
            described = json.loads((file.metadata() or {})[_KEY])
        known: dict[str, Any] = {key: described[key] for key in ("network", "heads", "settings")}
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RecursionError) as error:
        raise WeightsError(f"{path}: not weights that salbox wrote ({one_line(error)})") from None
    return known
