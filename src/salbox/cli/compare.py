"""`salbox compare`: models side by side in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..imaging.image import MAX_PIXELS
from ..imaging.postprocess import PostProcess
from ..models.specs import parse_models
from ..paths import user_path
from ..prediction.compare import compare_models
from .options import (
    Device,
    MaxModelSize,
    MaxPixels,
    ModelHashes,
    ModelNames,
    ModelParameters,
    ModelWeights,
    Size,
    pixel_limit,
    with_postprocess,
)
from .output import say


@with_postprocess
def compare(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A photo.")],
    models: ModelNames,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The picture: .png, .pdf or .svg.")],
    postprocess: PostProcess,
    fixations: Annotated[
        Path | None,
        typer.Option("--fixations", metavar="FILE", help="Where people looked: x, y in pixels a line (.csv) or .npy."),
    ] = None,
    ground_truth: Annotated[
        Path | None, typer.Option("--ground-truth", metavar="FILE", help="A map to show beside the models'.")
    ] = None,
    difference: Annotated[
        list[str], typer.Option("--difference", metavar="A,B", help="Add a panel with A minus B. Repeatable.")
    ] = [],  # noqa: B006
    columns: Annotated[int | None, typer.Option("--columns", metavar="N", min=1, help="Pictures in a row.")] = None,
    size: Size = None,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
    max_pixels: MaxPixels = MAX_PIXELS,
) -> None:
    """Draw a photo and the maps of several models side by side, labelled, each map min-max scaled.

    Examples:

      salbox compare photo.jpg -m aim,gbvs,bms -o grid.png

      salbox compare photo.jpg -m gbvs,ikn --difference gbvs,ikn --fixations points.csv -o grid.pdf
    """
    compare_models(
        image,
        parse_models(models, param, weights, sha256, device, max_model_size),
        user_path(output),
        postprocess=postprocess,
        size=size,
        max_pixels=pixel_limit(max_pixels),
        fixations=None if fixations is None else user_path(fixations),
        ground_truth=None if ground_truth is None else user_path(ground_truth),
        differences=difference,
        columns=columns,
    )
    say(f"wrote {output}")
