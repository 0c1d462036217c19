"""Students by name: made with first weights, or made again as they were."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..errors import MissingExtraError, UsageError, nearest
from ..image import Pixels

if TYPE_CHECKING:
    from .student import StudentNetwork

Output = Literal["score", "log_density"]

STUDENTS = {
    "kdsalbox": "salbox.networks.kdsalbox:KDSalBox",
    "resnet18-a": "salbox.networks.resnet18:ResNet18A",
    "resnet18-b": "salbox.networks.resnet18:ResNet18B",
    "box": "salbox.networks.box:Box",
}


def build_student(
    name: str,
    heads: Sequence[str],
    *,
    encoder: str | None = None,
    init: str | Path = "none",
    size: tuple[int, int] | None = None,
    output: Output = "score",
    seed: int = 0,
    calibration: Sequence[Pixels] | None = None,
    **arguments: Any,
) -> StudentNetwork:
    """Return a student network with first weights, in training mode, on the CPU.

    Parameters
    ----------
    name : {"kdsalbox", "resnet18-a", "resnet18-b", "box"}
    heads : names
        The teachers' names, one output channel each.
    encoder : str, optional
        See `salbox.networks.encoders.make_encoder`; by default the student's own. "kdsalbox" has no other. For first
        weights trained in PyTorch (`init` "timm" or a torch file) the box takes "mobilenetv2_100" by default.
    init : {"none", "timm", "shipped"} or path
        The encoder's first weights: random, with a warning; timm's from its hub; those of the network that salbox
        ships; or a file, see `salbox.networks.first_weights.give_first_weights`.
    size : (int, int), optional
        Height and width in pixels at which photos are looked at; by default the student's own.
    output : {"score", "log_density"}
        What its maps are.
    seed : int
        Of the random weights. The same seed gives the same weights; PyTorch's own generator is left as it was.
    calibration : sequence of images, optional
        Photos that a batch norm's statistics are taken from if the file has none; 64 are enough. By default crops of
        scikit-image's sample photos.
    **arguments
        Further ones of the student's class, such as `stride` of the box.

    Raises
    ------
    UsageError
        For an unknown student, encoder or argument.
    WeightsError
        If the first weights cannot be had or do not fit.
    MissingExtraError
        If PyTorch or timm is not installed.
    """
    torch = _torch()
    from .first_weights import give_first_weights, trained_in_pytorch

    if encoder is None and name == "box" and trained_in_pytorch(init):
        encoder = "mobilenetv2_100"
    named = {"encoder": encoder, "size": size}
    given = {**arguments, **{key: value for key, value in named.items() if value is not None}}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _make(name, heads, given, output)
    network.init_note = give_first_weights(network, init, calibration)
    return network.train()


def rebuild(name: str, heads: Sequence[str], settings: Mapping[str, Any]) -> StudentNetwork:
    """Return a student of the architecture that another one's `settings` describe, its weights yet to be loaded.

    Raises
    ------
    UsageError
        If there is no such student, or a setting does not fit it.
    """
    _torch()
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    output: Any = given.pop("output", "score")
    return _make(name, heads, given, output)


def _make(name: str, heads: Sequence[str], arguments: Mapping[str, Any], output: Output) -> StudentNetwork:
    if name not in STUDENTS:
        raise UsageError(f"no student network '{name}'{nearest(str(name), STUDENTS)} (there are {', '.join(STUDENTS)})")
    module, attribute = STUDENTS[name].split(":")
    make = getattr(importlib.import_module(module), attribute)
    known = set(make.__init__.__kwdefaults__) - {"name"}
    for key in arguments:
        if key not in known:
            raise UsageError(
                f"student '{name}' has no '{key}'{nearest(key, known)} (it has {', '.join(sorted(known))})"
            )
    if output not in get_args(Output):
        raise UsageError(f"student '{name}': output={output!r}: expected one of {', '.join(get_args(Output))}")
    network: StudentNetwork = make(heads, **arguments)
    network.output = output
    return network


def _torch() -> Any:
    try:
        import timm  # noqa: F401
        import torch
    except ImportError:
        raise MissingExtraError("making a student network", "train") from None
    return torch
