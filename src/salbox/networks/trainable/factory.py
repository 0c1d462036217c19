"""Networks that can be trained, by name: made with first weights, or made again as they were.

Some are small networks made to be taught, others published designs on an encoder of choice. One that only runs says in
its `card` module why it cannot be trained (NOT_TRAINABLE), where that is not plain. One of a user's own is named by its
import path, "module:Class".
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import MissingExtraError, SalboxError, UsageError, located, nearest, one_line
from ...models.entries import Checkpoint
from ...models.import_paths import is_import_path, resolve, resolve_own
from ...models.registry import MODELS
from ...runtime.metadata import is_head_name
from ...types import Output, Pixels

if TYPE_CHECKING:
    from .base import TrainableNetwork


NETWORKS = {
    "kdsalbox": "salbox.networks.kdsalbox.network:KDSalBox",
    "resnet18-a": "salbox.networks.trainable.resnet18:ResNet18A",
    "resnet18-b": "salbox.networks.trainable.resnet18:ResNet18B",
    "box": "salbox.networks.trainable.box:Box",
    "branched-box": "salbox.networks.trainable.branched_box:BranchedBox",
    "msinet": "salbox.networks.msinet.design:MSINetDesign",
    "sam": "salbox.networks.sam.design:SamDesign",
    "dinet": "salbox.networks.dinet.design:DINetDesign",
    "transalnet": "salbox.networks.transalnet.design:TranSalNetDesign",
    "unisal": "salbox.networks.unisal.design:UniSalDesign",
    "dgii": "salbox.networks.dgii.design:DGIIDesign",
    "salicon": "salbox.networks.salicon.design:SaliconDesign",
    "gaze": "salbox.networks.trainable.gaze:Gaze",
    "scfnet": "salbox.networks.scfnet.design:SCFNetDesign",
    "u2net": "salbox.networks.u2net.network:U2Net",
    "u2netp": "salbox.networks.u2net.network:U2NetP",
    "samnet": "salbox.networks.samnet.network:SAMNet",
    "gcpanet": "salbox.networks.gcpanet.network:GCPANet",
}

# Networks that are made of another one; its name and settings are among theirs.
DERIVED = {"factorized": "salbox.networks.factorized.design:Factorized"}

MAX_NUMBERS = 1 << 28  # of a network that a file describes; the largest has 70 million
FIRST_WEIGHTS = ("none", "imagenet", "timm", "shipped")  # an encoder's, where they are no file


def build_network(
    name: str,
    heads: Sequence[str],
    *,
    encoder: str | None = None,
    init: str | Path = "none",
    size: tuple[int, int] | None = None,
    output: Output | None = None,
    seed: int = 0,
    calibration: Sequence[Pixels] | None = None,
    **arguments: Any,
) -> TrainableNetwork:
    """Return a network with first weights, in training mode, on the CPU.

    Parameters
    ----------
    name : str
        One of `NETWORKS`: "kdsalbox", "resnet18-a", "resnet18-b", "box" and "branched-box", or a published design:
        "msinet", "sam", "dinet", "transalnet", "unisal", "dgii", "salicon". Or the import path of a `TrainableNetwork`
        of one's own.
    heads : names
        The teachers' names, one output channel each.
    encoder : str, optional
        See `salbox.networks.encoders.make_encoder`; by default the network's own. "kdsalbox" has no other. Where that
        is "mobilenetv2", first weights trained in PyTorch (`init` "timm" or a torch file) come with "mobilenetv2_100",
        and `init` "imagenet" with "tf_efficientnet_lite0".
    init : {"none", "imagenet", "timm", "shipped"} or path
        The encoder's first weights: random, with a warning; those that an installed package brings; timm's from its
        hub; those of the network that salbox ships; or a file, see
        `salbox.networks.trainable.initial_weights.load_initial_weights`.
    size : (int, int), optional
        Height and width in pixels at which photos are looked at; by default the network's own.
    output : {"score", "log_density", "probability"}, optional
        What its maps are; by default the network's own kind, a log density of "gaze" and a score of all others.
    seed : int
        Of the random weights. The same seed gives the same weights; PyTorch's own generator is left as it was.
    calibration : sequence of images, optional
        Photos that a batch norm's statistics are taken from if the file has none; 64 are enough. By default crops of
        scikit-image's sample photos.
    **arguments
        Further ones of the network's class, such as `stride` of the box.

    Raises
    ------
    UsageError
        For an unknown network, encoder or argument.
    WeightsError
        If the first weights cannot be had or do not fit.
    MissingExtraError
        If PyTorch or timm is not installed.
    """
    torch = _torch()
    from ..encoders import TENSORFLOW, timm_name
    from . import imagenet
    from .initial_weights import load_initial_weights, trained_in_pytorch

    if encoder is None and _defaults(name).get("encoder") == TENSORFLOW:
        if init == "imagenet":
            encoder = imagenet.ENCODER
        elif trained_in_pytorch(init):
            encoder = timm_name(TENSORFLOW)
    named = {"encoder": encoder, "size": size}
    given = {**arguments, **{key: value for key, value in named.items() if value is not None}}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _make(name, heads, given, output)
    network.init_note = load_initial_weights(network, init, calibration)
    network.first_weights_loaded()
    return network.train()


def rebuild(name: str, heads: Sequence[str], settings: Mapping[str, Any]) -> TrainableNetwork:
    """Return a network of the architecture that another one's `settings` describe, its weights yet to be loaded.

    A class that is no part of salbox must have been imported before: files name it, and a file is not to run code. One
    of salbox's is made without memory first: a file may describe one of any size.

    Raises
    ------
    UsageError
        If the description is none, there is no such network, a setting does not fit it, or it would be larger than
        networks are.
    """
    torch = _torch()
    if not isinstance(name, str) or not isinstance(settings, Mapping) or not _are_names(heads):
        raise UsageError("the description of its network is not a name, a list of heads' names and settings")
    module = name.partition(":")[0]
    if is_import_path(name) and module not in sys.modules:
        raise UsageError(f"network '{name}' is no part of salbox: import {module} first")
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    output: Any = given.pop("output", None)
    try:
        if not is_import_path(name):
            with torch.device("meta"):
                sketch = _make(name, heads, given, output)
            numbers = sum(parameter.numel() for parameter in sketch.parameters())
            if numbers > MAX_NUMBERS:
                raise UsageError(f"network '{name}' of these settings has {numbers:,} numbers, more than networks have")
        return _make(name, heads, given, output)
    except SalboxError:
        raise
    except Exception as error:  # settings out of a file may be anything, and so may be what a class makes of them
        raise UsageError(f"network '{one_line(name, 60)}' cannot be made as described ({located(error)})") from None


def _are_names(heads: Any) -> bool:
    return isinstance(heads, (list, tuple)) and all(isinstance(head, str) and is_head_name(head) for head in heads)


def network_class(name: str) -> type[TrainableNetwork]:
    """Return the class of a network that can be trained.

    Raises
    ------
    UsageError
        If there is no such network; the nearest is proposed.
    """
    if is_import_path(name):
        return _own_class(name)
    known = NETWORKS | DERIVED
    if name not in known:
        if reason := _not_trainable(name):
            raise UsageError(f"network '{name}' cannot be trained: {reason}")
        raise UsageError(
            f"no network '{name}' to train{nearest(str(name), NETWORKS)} (there are {', '.join(NETWORKS)})"
        )
    found: type[TrainableNetwork] = resolve(known[name])
    return found


def encoder_of(name: str, encoder: str | None = None) -> str | None:
    """Return the encoder that a network is made on: the one named, or its own; None if it has no choice.

    Raises
    ------
    UsageError
        If there is no such network.
    """
    return encoder if encoder is not None else _defaults(name).get("encoder")


def _make(name: str, heads: Sequence[str], arguments: Mapping[str, Any], output: Output | None) -> TrainableNetwork:
    from .base import OUTPUTS

    known = set(_defaults(name))
    for key in arguments:
        if key not in known:
            raise UsageError(
                f"network '{name}' has no '{key}'{nearest(key, known)} (it has {', '.join(sorted(known))})"
            )
    if output not in (None, *OUTPUTS):
        raise UsageError(f"network '{name}': output={output!r}: expected one of {', '.join(OUTPUTS)}")
    network = network_class(name)(heads, **arguments)  # type: ignore[arg-type]  # each has a name of its own
    network.name = name
    network.output = output or network.output
    return network


def _defaults(name: str) -> dict[str, Any]:
    """Return what a network's class can be called with beside its heads, with defaults."""
    keywords: dict[str, Any] = network_class(name).__init__.__kwdefaults__ or {}
    return {key: value for key, value in keywords.items() if key != "name"}


def _own_class(path: str) -> type[TrainableNetwork]:
    """Return the class of somebody's own that an import path names."""
    _torch()
    from .base import TrainableNetwork

    found = resolve_own(path)
    if not (isinstance(found, type) and issubclass(found, TrainableNetwork)):
        raise UsageError(f"network '{path}': expected a class made of {TrainableNetwork.__module__}.TrainableNetwork")
    return found


def _not_trainable(name: str) -> str:
    """Return why a model of the registry cannot be trained, as its card's module states it; else ""."""
    entry = MODELS.get(name)
    if not isinstance(entry, Checkpoint):
        return ""
    return getattr(importlib.import_module(entry.card.partition(":")[0]), "NOT_TRAINABLE", "")


def _torch() -> Any:
    try:
        import timm  # noqa: F401
        import torch
    except ImportError:
        raise MissingExtraError("making a network to train", "train") from None
    return torch
