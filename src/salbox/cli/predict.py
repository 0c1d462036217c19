"""`salbox predict`: maps for files, folders and glob patterns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..batch import BatchPlan, run_batch
from ..image import MAX_PIXELS
from ..inputs import find_images
from ..registry import parse_models
from ..writing import FORMATS
from .options import MaxPixels, ModelNames, ModelParameters
from .progress import report, track


def predict(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Images, folders or quoted glob patterns.")],
    models: ModelNames,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the maps go.")],
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Search folders with all below them.")] = False,
    file_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"{', '.join(FORMATS)}. Pictures (png, png16, jpg) are min-max scaled, the others raw.",
        ),
    ] = "png",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Compute maps again that are there.")] = False,
    param: ModelParameters = [],  # noqa: B006
    max_pixels: MaxPixels = MAX_PIXELS,
) -> int:
    """Write the saliency maps of images to DIR/<model>/<image>.<format>.

    Maps that are there already are not computed again. An unreadable image costs one line; the others are done, and
    the exit code is 1.

    Examples:

      salbox predict photo.jpg -m gbvs -o maps

      salbox predict photos -r -m aim,bms,gbvs -o maps --format png16

      salbox predict 'photos/*.jpg' -m aim,ikn --param ikn:channels=CIO -o maps --format npy
    """
    plan = BatchPlan(
        models=parse_models(models, param),
        folder=output,
        file_format=file_format,
        overwrite=overwrite,
        max_pixels=int(max_pixels),
    )
    images = find_images(inputs, recursive=recursive, exclude=output)
    outcomes = track(run_batch(images, plan), len(images), "predict")
    return report(outcomes, output)
