"""The weights that Chen, Jiang and Zhao's program wrote, of any of its three networks and any phase."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ...errors import WeightsError
from ..checkpoints import load_tensors, read_tensors
from ..device import torch_device
from .published import DINet, Phase, Published, Salicon, TranSalNet

MOST = 1 << 14  # bases, and channels: a small file can describe more than fits into memory

# By which tensor a file is known: the network and, in the order of the phases, the layer that maps are read by.
_KNOWN: tuple[tuple[str, type[Published], tuple[str, str, str]], ...] = (
    ("encoder.inception_1.weight", DINet, ("decoder.decoder_3", "decoder.sal_decoder", "decoder.sal_decoder_1")),
    ("v_encoder.weight", Salicon, ("sal_layer", "sal_layer", "sal_layer_")),
    ("sal_decoder_4.4.weight", TranSalNet, ("sal_cls", "sal_cls", "sal_cls_1")),
)


def read_published(path: Path, device: str = "cpu") -> Published:
    """Return one of the three networks with the weights of a file, in evaluation mode; the file tells which.

    Parameters
    ----------
    path : Path
        What the authors' program saved: a state dict, of the plain network or of either phase.
    device : str
        "cpu", "cuda", "cuda:1", ..

    Raises
    ------
    WeightsError
        If it is no such file.
    UsageError
        If there is no such device.
    """
    place = torch_device(device)
    tensors = read_tensors(path)
    network = _made_for(tensors, path)
    load_tensors(network, tensors, path)
    return network.eval().requires_grad_(False).to(place)


def _made_for(tensors: Mapping[str, Tensor], path: Path) -> Published:
    for telling, kind, (plain, first, second) in _KNOWN:
        if telling not in tensors:
            continue
        bases = next((tensor.shape for name, tensor in tensors.items() if name.endswith("prototype.weight")), None)
        phase: Phase = 0 if bases is None else 2 if f"{second}.weight" in tensors else 1
        if f"{(plain, first, second)[phase]}.weight" not in tensors:
            raise WeightsError(f"{path}: lacks the layer that maps are read by, '{(plain, first, second)[phase]}'")
        sizes = {} if bases is None else {"bases": _number(bases[0], path)}
        if kind is DINet:
            sizes["width"] = _number(tensors[telling].shape[0], path)
        return kind(phase, **sizes)
    raise WeightsError(f"{path}: not weights of the customised SALICON, DINet or TranSalNet of saliency_analysis")


def _number(size: int, path: Path) -> int:
    if not 1 <= size <= MOST:
        raise WeightsError(f"{path}: a layer of {size:,}, expected 1 to {MOST:,}")
    return size
