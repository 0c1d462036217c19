"""Networks read back from the ONNX files that they were exported to: names and batch norms are the network's own."""

from __future__ import annotations

from pathlib import Path

from ...errors import UsageError, WeightsError
from ...runtime.network import open_network
from ..checkpoints import exported_tensors, load_tensors
from .base import TrainableNetwork
from .factory import rebuild


def read_exported(path: Path) -> TrainableNetwork:
    """Return the network that a file was exported from, in evaluation mode.

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
    load_tensors(network, tensors, path)
    return network.eval()
