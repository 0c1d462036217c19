"""Networks read back from the ONNX files that they were exported to: names and batch norms are the network's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ...errors import UsageError, WeightsError, nearest
from ...runtime.network import open_network
from ..checkpoints import exported_tensors, load_tensors
from .base import TrainableNetwork
from .factory import rebuild

HEADS = "head_layers."  # of the names of a box's weights, with the head's place behind it


def read_exported(path: Path) -> TrainableNetwork:
    """Return the network that a file was exported from, in evaluation mode.

    Layers that only side outputs need are not in the file: they are as in a new network.

    Raises
    ------
    WeightsError
        If it is no network that salbox exported, or does not say how its network is made.
    """
    metadata = open_network(path, threads=1).metadata
    if not metadata.settings:
        raise WeightsError(f"{path}: does not say how its network is made; an older salbox wrote it")
    try:
        network = rebuild(metadata.network, [head.name for head in metadata.heads], metadata.settings)
    except UsageError as error:
        raise WeightsError(f"{path}: {error}") from None
    own = network.state_dict()
    tensors = {name: tensor for name, tensor in exported_tensors(path).items() if name in own}
    sides = {name: tensor for name, tensor in own.items() if name.startswith(network.side_layers)}
    load_tensors(network, sides | tensors, path)
    return network.eval()


def with_one_head(network: TrainableNetwork, head: str) -> TrainableNetwork:
    """Return a network that gives one of another's maps, with the same weights, in evaluation mode.

    Raises
    ------
    UsageError
        If it has no such head; the nearest is proposed.
    """
    if head not in network.heads:
        raise UsageError(f"no head '{head}'{nearest(head, network.heads)} (it has {', '.join(network.heads)})")
    place = network.heads.index(head)
    single = rebuild(network.name, [head], network.settings)
    state = network.state_dict()
    load_tensors(single, {name: _of_head(name, own, state, place) for name, own in single.state_dict().items()}, head)
    return single.eval()


def _of_head(name: str, own: Tensor, state: Mapping[str, Tensor], place: int) -> Tensor:
    """Return a tensor of the network with one head: a head is a layer by itself, or a channel of layers."""
    if name.startswith(HEADS):
        return state[f"{HEADS}{place}.{name.removeprefix(HEADS).partition('.')[2]}"]
    return state[name] if state[name].shape == own.shape else state[name][place : place + 1]
