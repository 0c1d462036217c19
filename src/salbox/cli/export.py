"""`salbox export`: a network as ONNX, to be used without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..models.exported import is_path, model_file
from ..models.loading import load
from ..models.specs import parse_models
from ..networks.export.models import export_any_size, export_model, is_exported, shrink_exported
from ..paths import user_path
from ..runtime.network import copy_network
from .options import ModelHashes, ModelWeights, refuse_unused
from .output import say


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A network's name, a run folder or an .onnx that salbox wrote.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.onnx", help="Where to.")],
    half: Annotated[
        bool, typer.Option("--half", help="Store the weights in half precision: half the size, not slower.")
    ] = False,
    int8: Annotated[
        bool, typer.Option("--int8", help="Store large weights in 8 bits: a quarter of the size, maps a little off.")
    ] = False,
    any_size: Annotated[
        bool,
        typer.Option(
            "--any-size",
            help="Of an .onnx or run folder: resizing inside, so that any program gets salbox's own maps.",
        ),
    ] = False,
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
) -> None:
    """Write a network as ONNX: any number and size of images, with its card and its preprocessing inside.

    The file is a model like any other: 'salbox predict photo.jpg -m FILE.onnx -o maps' needs no PyTorch. Its input is
    'image', uint8 (N, H, W, 3) RGB as it is; its output 'maps', float32 (N, heads, h, w). Of networks that ship, and
    with --any-size, resizing is inside: any program that runs ONNX gets salbox's own maps, at the image's size.

    Examples:

      salbox export gbvs.kdsalbox --weights gbvs.pth -o gbvs.onnx

      salbox export unisal --weights weights_best.pth -o unisal.onnx

      salbox export runs/mine -o mine.onnx --half

      salbox export gaze -o gaze.onnx

      salbox export '*.student' -o students.onnx

      salbox export runs/mine -o mine.onnx --any-size
    """
    if output.suffix.lower() != ".onnx":
        raise UsageError(f"{output}: an ONNX file is written, so its name ends in .onnx")
    output = user_path(output)
    if half and int8:
        raise UsageError("--half and --int8: give one of the two")
    if is_path(model) and not any_size:
        if weights or sha256:
            raise UsageError(f"model '{model}' is a file with its weights inside; leave --weights out")
        if half or int8:
            shrink_exported(model_file(model), output, "int8" if int8 else "half")
        else:
            copy_network(model_file(model), output)
    else:
        models = [load(name, **keywords) for name, keywords in parse_models([model], (), weights, sha256).items()]
        if any_size or all(is_exported(each) for each in models):  # those that ship
            refuse_unused("a network that is no ONNX file yet", False, {"--half": half, "--int8": int8})
            export_any_size(models, output)
        elif len(models) > 1:
            raise UsageError(f"'{model}': one model a file")
        else:
            export_model(models[0], output, half=half)
            if int8:
                shrink_exported(output, output, "int8")
    say(f"wrote {output} ({output.stat().st_size / 1e6:.3g} MB)")
