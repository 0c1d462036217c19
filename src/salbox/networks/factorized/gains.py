"""What a map that is read off features adds to the logits, in the mean: by how much, and with which sign."""

from __future__ import annotations

import torch
from torch import Tensor

from ..trainable.base import TrainableNetwork

_SIDE = 8  # of the even maps that it is measured on


def logit_gains(network: TrainableNetwork, maps: int) -> Tensor:
    """Return how much the logits rise in the mean where a map that was read off the features is 1 higher: (maps,).

    1 of most networks, which add to what was read. UniSal smooths it by kernels that are learned, one a data set, whose
    numbers sum to anything: where that is below 0 the more was read, the less salient a place is, and what one data set
    teaches a layer that all share, another one takes back.

    Parameters
    ----------
    network : TrainableNetwork
        With its `after_readout`, for the data set that it sees pictures as of.
    maps : int
        How many are read off its features, see `TrainableNetwork.decoder_readout`.

    Examples
    --------
    >>> import torch
    >>> from types import SimpleNamespace
    >>> from salbox.networks.factorized.gains import logit_gains
    >>> parameters = lambda: iter([torch.zeros(1)])
    >>> logit_gains(SimpleNamespace(parameters=parameters, after_readout=lambda read: 3 - 2 * read), 1)
    tensor([-2.])
    """
    like = next(network.parameters())
    places = torch.arange(maps, device=like.device)
    # No `torch.eye`: exported files may not hold what it becomes.
    one = (places[:, None] == places).to(like.dtype)[:, :, None, None].expand(-1, -1, _SIDE, _SIDE)
    with torch.no_grad():
        raised = network.after_readout(one) - network.after_readout(torch.zeros_like(one[:1]))
    return raised.mean(dim=(2, 3)).sum(dim=1)
