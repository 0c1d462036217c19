"""Students by name: made with first weights, or made again as they were.

Some are small networks made to be taught, others published designs on an encoder of choice.
"""

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
    "msinet": "salbox.networks.designs.msinet:MSINetDesign",
    "sam": "salbox.networks.designs.sam:SamDesign",
    "dinet": "salbox.networks.designs.dinet:DINetDesign",
    "transalnet": "salbox.networks.designs.transalnet:TranSalNetDesign",
    "unisal": "salbox.networks.designs.unisal:UniSalDesign",
    "dgii": "salbox.networks.designs.dgii:DGIIDesign",
    "salicon": "salbox.networks.designs.salicon:SaliconDesign",
    "gaze": "salbox.networks.gaze:Gaze",
}
# Models that are no student, and why.
_NO_STUDENTS = {"deepgaze2e": "it is four networks with thirty readouts each; 'dgii' is the design on one encoder"}


def build_student(
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
) -> StudentNetwork:
    """Return a student network with first weights, in training mode, on the CPU.

    Parameters
    ----------
    name : str
        One of `STUDENTS`: "kdsalbox", "resnet18-a", "resnet18-b" and "box", or a published design: "msinet", "sam",
        "dinet", "transalnet", "unisal", "dgii", "salicon".
    heads : names
        The teachers' names, one output channel each.
    encoder : str, optional
        See `salbox.networks.encoders.make_encoder`; by default the student's own. "kdsalbox" has no other. For first
        weights trained in PyTorch (`init` "timm" or a torch file) "mobilenetv2_100" stands for "mobilenetv2".
    init : {"none", "timm", "shipped"} or path
        The encoder's first weights: random, with a warning; timm's from its hub; those of the network that salbox
        ships; or a file, see `salbox.networks.first_weights.give_first_weights`.
    size : (int, int), optional
        Height and width in pixels at which photos are looked at; by default the student's own.
    output : {"score", "log_density"}, optional
        What its maps are; by default the student's own kind, a log density of "gaze" and a score of all others.
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
    from .encoders import TENSORFLOW, timm_name
    from .first_weights import give_first_weights, trained_in_pytorch

    if encoder is None and _defaults(name).get("encoder") == TENSORFLOW and trained_in_pytorch(init):
        encoder = timm_name(TENSORFLOW)
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
    output: Any = given.pop("output", None)
    return _make(name, heads, given, output)


def _make(name: str, heads: Sequence[str], arguments: Mapping[str, Any], output: Output | None) -> StudentNetwork:
    known = set(_defaults(name))
    for key in arguments:
        if key not in known:
            raise UsageError(
                f"student '{name}' has no '{key}'{nearest(key, known)} (it has {', '.join(sorted(known))})"
            )
    if output not in (None, *get_args(Output)):
        raise UsageError(f"student '{name}': output={output!r}: expected one of {', '.join(get_args(Output))}")
    network: StudentNetwork = _class(name)(heads, **arguments)
    network.output = output or network.output
    return network


def _defaults(name: str) -> dict[str, Any]:
    """Return what a student's class can be called with beside its heads, with defaults."""
    return {key: value for key, value in _class(name).__init__.__kwdefaults__.items() if key != "name"}


def _class(name: str) -> Any:
    if name in _NO_STUDENTS:
        raise UsageError(f"'{name}' is no student network: {_NO_STUDENTS[name]}")
    if name not in STUDENTS:
        raise UsageError(f"no student network '{name}'{nearest(str(name), STUDENTS)} (there are {', '.join(STUDENTS)})")
    module, attribute = STUDENTS[name].split(":")
    return getattr(importlib.import_module(module), attribute)


def _torch() -> Any:
    try:
        import timm  # noqa: F401
        import torch
    except ImportError:
        raise MissingExtraError("making a student network", "train") from None
    return torch
