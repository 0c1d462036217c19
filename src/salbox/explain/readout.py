"""The channels that a network's map is a weighted sum of: the input of its last convolution, with its weights.

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
    """Return what a network's map is read off by its last convolution as what is explained, with nothing trained.

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
    last = _last_convolution(network, images, name)
    seen: dict[nn.Conv2d, torch.Tensor] = {}  # the latest alone, whoever runs the network
    last.register_forward_pre_hook(lambda layer, given: seen.__setitem__(layer, given[0]))

    def activation(images: torch.Tensor) -> torch.Tensor:
        network.decoder_readout(network.decoder_features(images))
        return seen.pop(last)

    kernel = (logit_gains(network, 1) * last.weight.detach()[0]).cpu().numpy()
    prepare = network.preprocessing.prepare
    return Subject(name, len(kernel), activation, prepare, device, kernel, in_probabilities=False)


def _last_convolution(network: Any, images: torch.Tensor, name: str) -> nn.Conv2d:
    """Return the last convolution that runs between features and map."""
    import torch
    from torch import nn

    ran: list[nn.Conv2d] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: ran.append(module))
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            decoded = network.decoder_features(images)
            ran.clear()
            network.decoder_readout(decoded)
    finally:
        for hook in hooks:
            hook.remove()
    last = ran[-1] if ran else None
    if last is None or last.weight.shape[0] != 1 or last.groups != 1 or not _keeps_places(last):
        raise UsageError(f"{name}: its map is not read off by a plain convolution: leave --layer {HEAD} out")
    return last


def _keeps_places(layer: nn.Conv2d) -> bool:
    sides = set(layer.kernel_size)
    return len(sides) == 1 and sides.pop() % 2 == 1 and {*layer.stride, *layer.dilation} == {1}
