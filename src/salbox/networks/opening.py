"""Networks as PyTorch modules, to look inside or to train further: what `salbox.network` returns.

Importing this module imports no torch, so that what is missing is said in one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError, UsageError
from ..models.ensembles import is_ensemble
from ..models.entries import Packaged, PackagedCheckpoint, PackagedPredictor
from ..models.exported import STUDENT_FILE, WEIGHTS_FILE, is_path
from ..models.import_paths import is_import_path
from ..models.loading import load, weights_path
from ..models.model import HasNetwork
from ..models.registry import MODELS
from ..models.weights import WeightsSource
from .trainable.factory import FIRST_WEIGHTS, NETWORKS, build_network, network_class

if TYPE_CHECKING:
    from torch import nn

    from .trainable.base import TrainableNetwork

HEADS = ("saliency",)  # of a new network, if nobody says


def network(
    name: str,
    *,
    weights: WeightsSource | None = None,
    sha256: str | None = None,
    device: str = "cpu",
    heads: Sequence[str] | None = None,
    **arguments: Any,
) -> nn.Module:
    """Return a network as a PyTorch module that can be differentiated, in evaluation mode; all its parameters learn.

    Images go in as (N, 3, H, W) floats, RGB, 0..255, whatever the network does to them first: `network(images)` gives
    what its losses see, such as logits or the log of a density, `network.features(images)` a dictionary of what is
    between, from early to late, each (N, C, h, w); the last is the map or what it is read off. Each network's own
    documentation says which sizes it takes and how its features are called. One that salbox can train has
    `maps(images)` as well, and `preprocessing`, the size at which it looks at photos. To fine-tune call `.train()`
    first, unless the statistics of its batch norms are to stay.

    Parameters
    ----------
    name : str
        - A model that comes with its weights: "gaze", "gbvs.student"; the path of an .onnx or run folder that salbox
          wrote, with `#head` behind it for one of its heads alone.
        - A model whose weights are given: "unisal", "fastgaze", .. (DeepGaze's forward takes a centre bias too).
        - A network to be trained: "box", "kdsalbox", the design of a published one, such as "msinet", or the import
          path of a class of one's own; see `salbox.networks.trainable.factory.build_network`.
    weights : path or https URL, or {"none", "imagenet", "timm", "shipped"}
        Of a model as `salbox.load` takes them. Of a network to be trained the encoder's first ones, by default "none":
        random, with a warning. "msinet" and others are both: a file is the published network's, a word or nothing means
        the design.
    sha256 : str, optional
        What the file must hash to; a URL needs it.
    device : str
        "cpu", "cuda", "cuda:1", ..
    heads : names, optional
        Of a network to be trained: the maps that it gives, by default one.
    **arguments
        Of a network to be trained: further ones of `build_network`, such as `encoder`, `size` and `output`.

    Raises
    ------
    UsageError
        If there is no such network, the model is none, or an argument does not fit.
    WeightsError
        If the weights are missing or cannot be read.
    MissingExtraError
        If PyTorch is not installed.

    Examples
    --------
    >>> import salbox
    >>> student = salbox.network("gbvs.student")
    >>> import torch
    >>> images = torch.zeros(1, 3, 384, 512)
    >>> student.maps(images).shape, list(student.features(images))[-1]
    (torch.Size([1, 1, 96, 128]), 'decoder')
    """
    try:
        import timm  # noqa: F401
        import torch  # noqa: F401
    except ImportError:
        raise MissingExtraError("salbox.network", "train") from None
    from .device import torch_device

    place = torch_device(device)
    found: nn.Module
    if _is_to_be_trained(name, weights):
        if sha256 is not None:
            raise UsageError(f"network '{name}' is to be trained: its first weights have no sha256 to check")
        init = "none" if weights is None else str(weights)
        found = build_network(name, HEADS if heads is None else heads, init=init, **arguments)
    else:
        given = [*arguments, *(["heads"] if heads is not None else [])]
        if given:
            raise UsageError(f"network '{name}' comes as it was trained: leave {given[0]} out")
        found = _trained(name, weights, sha256, device)
    return found.to(place).requires_grad_(True).eval()


def _is_to_be_trained(name: str, weights: WeightsSource | None) -> bool:
    """Return whether a network is made new, with first weights at most."""
    if isinstance(weights, str) and weights in FIRST_WEIGHTS:
        network_class(name)  # says why, where it cannot be
        return True
    if is_import_path(name):
        return True
    if name in MODELS and (weights is not None or isinstance(MODELS[name], (PackagedPredictor, PackagedCheckpoint))):
        return False
    return name in NETWORKS


def _trained(name: str, weights: WeightsSource | None, sha256: str | None, device: str) -> nn.Module:
    """Return the network of a model with its weights."""
    from torch import nn

    entry = MODELS.get(name)
    ours = isinstance(entry, (Packaged, PackagedPredictor)) or (
        isinstance(entry, PackagedCheckpoint) and weights is None
    )
    if ours or (entry is None and is_path(name)):
        from .trainable.reload import with_one_head

        read = _read(Path(str(weights_path(name, weights, sha256))))
        head = entry.head if isinstance(entry, (Packaged, PackagedCheckpoint)) else name.partition("#")[2]
        return with_one_head(read, head) if head else read
    if is_ensemble(name):
        raise UsageError(f"'{name}' is several models: ask for the network of each")
    function: object = load(name, weights=weights, sha256=sha256, device=device).function
    made = function.network if isinstance(function, HasNetwork) else None
    if not isinstance(made, nn.Module):
        raise UsageError(f"model '{name}' is no PyTorch network: there is nothing to train or to look inside")
    return made


def _read(path: Path) -> TrainableNetwork:
    """Return the network of a file that salbox exported, in evaluation mode.

    The graph holds what some networks compute of their weights alone, such as priors, as constants: beside that of a
    run folder the weights themselves are read.
    """
    from .trainable.reload import read_exported
    from .trainable.saved import read_weights

    beside = path.with_name(WEIGHTS_FILE)
    return read_weights(beside).eval() if path.name == STUDENT_FILE and beside.is_file() else read_exported(path)
