"""`salbox compare`: models and photos side by side in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..imaging.image import MAX_PIXELS
from ..imaging.overlays import MASS_SHARES, OPACITY
from ..imaging.plots import Drawing
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
    refuse_unused,
    with_postprocess,
)
from .output import say


@with_postprocess
def compare(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Photos, or pictures of pages; one a row.")],
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
    overlay: Annotated[bool, typer.Option("--overlay", help="Draw the maps over the photo.")] = False,
    alpha: Annotated[float, typer.Option("--alpha", metavar="N", help="Opacity of overlays, 0 to 1.")] = OPACITY,
    contours: Annotated[
        bool, typer.Option("--contours", help="In overlays lines around 50, 75 and 90 % of a map, labelled so.")
    ] = False,
    legend: Annotated[bool, typer.Option("--legend", help="Say in each map what its colours mean.")] = False,
    same_scale: Annotated[
        bool, typer.Option("--same-scale", help="Of several photos: one scale for all maps of a model.")
    ] = False,
    columns: Annotated[int | None, typer.Option("--columns", metavar="N", min=1, help="Pictures in a row.")] = None,
    size: Size = None,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
    max_pixels: MaxPixels = MAX_PIXELS,
) -> None:
    """Draw photos and the maps of several models side by side, labelled; several photos one a row.

    Each map is scaled for itself, from its minimum to its maximum, unless --same-scale asks for one scale for all maps
    of a model.

    Examples:

      salbox compare photo.jpg -m aim,gbvs,bms -o grid.png

      salbox compare a.png b.png -m gaze --overlay --contours --same-scale --legend -o layouts.png

      salbox compare photo.jpg -m gbvs,ikn --difference gbvs,ikn --fixations points.csv -o grid.pdf
    """
    refuse_unused("--overlay", overlay, {"--alpha": alpha != OPACITY, "--contours": contours})
    refuse_unused("several photos", len(images) > 1, {"--same-scale": same_scale})
    compare_models(
        images,
        parse_models(models, param, weights, sha256, device, max_model_size),
        user_path(output),
        postprocess=postprocess,
        size=size,
        max_pixels=pixel_limit(max_pixels),
        fixations=None if fixations is None else user_path(fixations),
        ground_truth=None if ground_truth is None else user_path(ground_truth),
        differences=difference,
        columns=columns,
        drawing=Drawing(overlay, alpha, MASS_SHARES if contours else (), same_scale, legend),
    )
    say(f"wrote {output}")
