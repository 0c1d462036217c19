"""The network of a run, to be trained further."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError
from ..networks.checkpoints import load_tensors
from ..networks.trainable.base import TrainableNetwork
from ..networks.trainable.box import Box
from ..networks.trainable.factory import rebuild
from ..networks.trainable.growing import can_become, regrown
from ..networks.trainable.saved import read_weights
from ..types import Shape
from .recipe import Recipe
from .run_folder import RunFolder


def read_trained(run: Path, heads: Sequence[str], recipe: Recipe, *, renamed: bool = False) -> TrainableNetwork:
    """Return the network of a run, in training mode, at the recipe's size.

    A box may end earlier than it did, or see details anew.

    Parameters
    ----------
    run : Path
    heads : names
        What the network has to have, in this order.
    recipe : Recipe
        The training to come.
    renamed : bool
        Whether heads of other names will do, if there are as many; they are called so from then on.

    Raises
    ------
    UsageError
        If it is another network than the recipe's, was made otherwise, or has other heads.
    WeightsError
        If it cannot be read, or the size decides of what shape its weights are.
    """
    network = read_weights(RunFolder(run).weights)
    if network.name != recipe.student:
        raise UsageError(f"{run} is a '{network.name}', and the recipe's student a '{recipe.student}'")
    if renamed and len(network.heads) == len(heads):
        network.heads = tuple(heads)
    if list(network.heads) != list(heads):
        raise UsageError(f"{run} has the heads {', '.join(network.heads)}; train it further on the same ones, in order")
    size = network.settings.get("size")
    if size is not None and tuple(size) != recipe.size:
        network = _at_size(network, recipe.size, run)
    wanted = {"encoder": recipe.encoder, **recipe.network}
    changes = {}
    for key, value in wanted.items():
        own = network.settings.get(key)
        if isinstance(network, Box) and can_become(key, own, value):
            changes[key] = value
            continue
        own = tuple(own) if isinstance(own, list) else own  # as JSON keeps a size
        if value is not None and value != own:
            raise UsageError(f"{run} was trained with {key}={own}, and the recipe has {value}")
    if isinstance(network, Box) and changes:
        network = regrown(network, changes)
    network.init_note = f"trained further from {run.name}"
    return network.train()


def _at_size(network: TrainableNetwork, size: Shape, run: Path) -> TrainableNetwork:
    """Return a network with the same weights that looks at images of another size."""
    resized = rebuild(network.name, network.heads, {**network.settings, "size": list(size)})
    load_tensors(resized, network.state_dict(), run)
    return resized
