"""The channels that a network's map is a weighted sum of: the input of its last convolution, with its weights.

A map may be what several convolutions read, added up; then the channels are those of all.

They say without any training what each channel does to saliency, and of several heads on one decoder what each looks at
(class activation maps: Zhou, Khosla, Lapedriza, Oliva and Torralba, CVPR 2016, section 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from .plan import HEAD
from .subject import SIZE, Subject, check_one_head

if TYPE_CHECKING:
    import torch
    from torch import nn


def of_readout(network: Any, name: str, device: str = "cpu") -> Subject:
    """Return what a network's map is read off by its last convolutions as what is explained, with nothing trained.

    Parameters
    ----------
    network : TrainableNetwork
        With one head.
    name : str
    device : str

    Raises
    ------
    UsageError
        If the network has several heads, or its map is no convolution of anything.
    """
    import torch

    from ..networks.factorized.gains import logit_gains
    from ..networks.trainable.base import TrainableNetwork

    if not isinstance(network, TrainableNetwork):
        raise UsageError(f"{name}: does not say how its map is read off features: leave --layer {HEAD} out")
    check_one_head(network, name)
    network = network.eval().to(device)
    blank = network.preprocessing.prepare(np.zeros((*SIZE, 3), np.uint8)).transpose(2, 0, 1)
    images = torch.from_numpy(np.ascontiguousarray(blank))[None].to(device, torch.float32)
    last = _last_convolutions(network, images, name)
    seen: dict[nn.Conv2d, torch.Tensor] = {}  # the latest alone, whoever runs the network
    for each in last:
        each.register_forward_pre_hook(lambda layer, given: seen.__setitem__(layer, given[0]))

    def activation(images: torch.Tensor) -> torch.Tensor:
        network.decoder_readout(network.decoder_features(images))
        return torch.cat([seen.pop(each) for each in last], dim=1)

    kernel = (logit_gains(network, 1) * torch.cat([each.weight.detach()[0] for each in last])).cpu().numpy()
    prepare = network.preprocessing.prepare
    return Subject(name, len(kernel), activation, prepare, device, kernel, in_probabilities=False)


def _last_convolutions(network: Any, images: torch.Tensor, name: str) -> list[nn.Conv2d]:
    """Return the last convolution that runs between features and map, or those whose results are added up to it."""
    import torch
    from torch import nn

    ran: list[tuple[nn.Conv2d, torch.Tensor]] = []
    hooks = [
        module.register_forward_hook(lambda module, _, found: ran.append((module, found)))
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            decoded = network.decoder_features(images)
            ran.clear()
            read = network.decoder_readout(decoded)
    finally:
        for hook in hooks:
            hook.remove()
    if not ran or not _reads_a_map(ran[-1][0]):
        raise UsageError(f"{name}: its map is not read off by a plain convolution: leave --layer {HEAD} out")
    last = ran[-1][0]
    alike = [each for each in ran if _reads_a_map(each[0]) and each[0].kernel_size == last.kernel_size]
    added = [(layer, found) for layer, found in alike if found.shape == read.shape]
    if len(added) > 1 and torch.allclose(torch.stack([found for _, found in added]).sum(0), read, rtol=1e-4, atol=1e-4):
        return [layer for layer, _ in added]
    return [last]


def _reads_a_map(layer: nn.Conv2d) -> bool:
    sides = set(layer.kernel_size)
    keeps_places = len(sides) == 1 and sides.pop() % 2 == 1 and {*layer.stride, *layer.dilation} == {1}
    return layer.weight.shape[0] == 1 and layer.groups == 1 and keeps_places
