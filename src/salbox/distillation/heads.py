"""New heads on a trained box: its trunk and its old heads stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import torch
from torch import nn

from ..errors import UsageError
from ..models.cards import ModelCard
from ..models.exported import packaged
from ..models.registry import SHIPPED
from ..networks.checkpoints import load_tensors
from ..networks.trainable.base import TrainableNetwork
from ..networks.trainable.box import Box
from ..networks.trainable.factory import rebuild
from ..networks.trainable.reload import HEADS, read_exported
from ..networks.trainable.saved import read_weights
from ..paths import user_path
from ..runtime.network import open_network
from ..training.run_folder import RunFolder
from .plan import SHIPPED_TRUNK


@dataclass(frozen=True)
class Trunk:
    """A network to add heads to.

    Attributes
    ----------
    network : TrainableNetwork
        With the new heads behind the old ones.
    old : int
        How many old ones there are.
    cards, teachers : dict
        Of the old heads.
    """

    network: TrainableNetwork
    old: int
    cards: dict[str, ModelCard]
    teachers: dict[str, str]


def with_new_heads(
    source: str, heads: tuple[str, ...], seed: int = 0, *, sees: Mapping[str, str] = MappingProxyType({})
) -> Trunk:
    """Return a trained box with new heads behind its own.

    Parameters
    ----------
    source : str
        "shipped" or a run folder.
    heads : names
        Of the new ones; their first weights are random.
    seed : int
    sees : mapping
        What new ones see beside the decoder's features, as `Box` takes it.

    Raises
    ------
    UsageError
        If it has a head of that name already, or is no box.
    WeightsError
        If it cannot be read.
    """
    if source == SHIPPED_TRUNK:
        file = Path(packaged(SHIPPED))
        before = read_exported(file)
    else:
        folder = RunFolder(user_path(source))
        file, before = folder.student, read_weights(folder.weights)
    old = before.heads
    taken = [head for head in heads if head in old]
    if taken:
        raise UsageError(f"{source} has a head '{taken[0]}' already (it has {', '.join(old)})")
    if not isinstance(before, Box):
        raise UsageError(f"{source} is a '{before.name}'; heads are added to a box")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        settings = {**before.settings, "sees": {**before.settings["sees"], **sees}}
        network = rebuild(before.name, [*old, *heads], settings)
    fresh = {name: t for name, t in network.state_dict().items() if _is_new(name, len(old))}
    load_tensors(network, {**fresh, **before.state_dict()}, file)
    student = open_network(file)
    teachers = {head.name: head.teacher for head in student.metadata.heads}
    network.init_note = f"trunk of {source}, frozen"
    return Trunk(network.train(), len(old), dict(student.cards), teachers)


def new_layers(network: TrainableNetwork, old: int) -> list[nn.Module]:
    """Return the modules of the heads behind the old ones."""
    assert isinstance(network, Box)  # noqa: S101  # with_new_heads made it
    return list(network.head_layers[old:])


def _is_new(name: str, old: int) -> bool:
    return name.startswith(HEADS) and int(name.removeprefix(HEADS).partition(".")[0]) >= old
