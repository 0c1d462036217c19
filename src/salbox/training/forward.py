"""What a network makes of a batch: of its pictures, or of what a frozen encoder made of them."""

from __future__ import annotations

from torch import Tensor

from ..errors import UsageError
from ..networks.trainable.base import Outputs, TrainableNetwork
from ..networks.trainable.split import SplitNetwork
from .batches import Batch


def outputs_of(network: TrainableNetwork, batch: Batch) -> Outputs:
    """Return all logits that can be learned from."""
    if not batch.features:
        return network.outputs(batch.images.float())
    return Outputs(split(network).decode([each.float() for each in batch.features]))


def maps_of(network: TrainableNetwork, batch: Batch) -> Tensor:
    """Return the maps as they are exported: (N, heads, h, w)."""
    if not batch.features:
        return network.maps(batch.images.float())
    return network.to_maps(outputs_of(network, batch).main)


def split(network: TrainableNetwork) -> SplitNetwork:
    """Return the network, as one that splits.

    Raises
    ------
    UsageError
        If it does not.
    """
    if not isinstance(network, SplitNetwork):
        raise UsageError(f"cache_features: network '{network.name}' does not split into encoder and readout")
    return network
