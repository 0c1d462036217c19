"""`salbox export`: a network as ONNX, to be used without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..networks.exporting import export_model, halve_student
from ..registry import load
from ..saved import is_path, model_file
from ..selection import parse_models
from ..students.student import copy_student
from .options import ModelHashes, ModelWeights


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A student network, a run folder or an .onnx that salbox wrote.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.onnx", help="Where to.")],
    half: Annotated[
        bool, typer.Option("--half", help="Store the weights in half precision: half the size, not slower.")
    ] = False,
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
) -> None:
    """Write a network as ONNX: any number and size of images, with its card and its preprocessing inside.

    The file is a model like any other: 'salbox predict photo.jpg -m FILE.onnx -o maps' needs no PyTorch. Its input is
    'image', uint8 (N, H, W, 3) RGB as it is; its output 'maps', float32 (N, heads, h, w).

    Examples:

      salbox export gbvs.kdsalbox --weights gbvs.pth -o gbvs.onnx

      salbox export unisal --weights weights_best.pth -o unisal.onnx

      salbox export runs/mine -o mine.onnx --half
    """
    if output.suffix.lower() != ".onnx":
        raise UsageError(f"{output}: an ONNX file is written, so its name ends in .onnx")
    if is_path(model):
        if weights or sha256:
            raise UsageError(f"model '{model}' is a file with its weights inside; leave --weights out")
        (halve_student if half else copy_student)(model_file(model), output)
    else:
        chosen = parse_models([model], (), weights, sha256)
        if len(chosen) > 1:
            raise UsageError(f"'{model}': one model a file")
        for name, keywords in chosen.items():
            export_model(load(name, **keywords), output, half=half)
    typer.echo(f"wrote {output} ({output.stat().st_size / 1e6:.3g} MB)")
