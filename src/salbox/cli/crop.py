"""`salbox crop`: the window of a photo or video that keeps the most attention."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..apps.box import parse_box
from ..apps.crop_files import CropOutcome, CropPlan, crop_stream, run_crops
from ..apps.crop_video import crop_clip
from ..apps.crops import CUT_WEIGHT, CropOptions
from ..apps.sizes import parse_size
from ..errors import UsageError
from ..imaging.image import MAX_PIXELS
from ..imaging.inputs import find_images_and_videos
from ..paths import user_path
from .engine_options import with_engine
from .options import (
    AttentionModel,
    Loading,
    MaxPixels,
    Recursive,
    Workers,
    pixel_limit,
    refuse_unused,
    with_loading,
)
from .output import escape, say
from .progress import ConsoleProgress, console, report_failed


@with_engine
@with_loading
def crop(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE...", help="Images, videos, folders, quoted glob patterns, or - for stdin."),
    ],
    size: Annotated[
        list[str],
        typer.Option("--size", metavar="W:H|WxH", help="An aspect (1:1), or pixels (1200x630). Repeatable."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Where crops go, as <name>.<size>; - for stdout; without it --json."
        ),
    ] = None,
    model: AttentionModel = "gaze",
    zoom: Annotated[
        float,
        typer.Option(
            "--zoom", metavar="N", help="Up to N times closer: the smallest window with .9 of what the largest keeps."
        ),
    ] = 1.0,
    rule_of_thirds: Annotated[
        bool,
        typer.Option("--rule-of-thirds", help="Bring the peak of attention to a line of thirds, for .05 at most."),
    ] = False,
    keep: Annotated[
        list[str], typer.Option("--keep", metavar="X,Y,W,H", help="Pixels that must be in the crop. Repeatable.")
    ] = [],  # noqa: B006
    cut_weight: Annotated[
        float,
        typer.Option("--cut-weight", metavar="N", help="What it costs to cut through what stands out; 0: nothing."),
    ] = CUT_WEIGHT,
    min_kept: Annotated[
        float,
        typer.Option(
            "--min-kept", metavar="N", help="A crop that keeps a smaller share is not written; the exit code is 1."
        ),
    ] = 0.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the boxes, what they keep, and how sure that is.")
    ] = False,
    recursive: Recursive = False,
    workers: Workers = None,
    *,
    loading: Loading,
    max_pixels: MaxPixels = MAX_PIXELS,
) -> int:
    """Cut photos and videos to other shapes, so that what people look at stays in.

    Of each size the window is found that keeps the most attention by a model, to the pixel, whatever the photo's size.
    Crops are written as the photos are: JPEG, PNG, WebP or TIFF, with their colour profiles; a size in pixels is
    reached by resizing. A video's window follows smoothly.

    Examples:

      salbox crop photo.jpg --size 1:1 --size 16:9 -o crops

      salbox crop photos -r --size 1200x630 --min-kept 0.6 -o social

      salbox crop photo.jpg --size 4:5 --zoom 1.5 --rule-of-thirds --keep 40,60,200,120 -o crops

      salbox crop photo.jpg --size 1:1 --json

      salbox crop clip.mp4 --size 9:16 -o vertical

      cat photo.jpg | salbox crop - --size 1:1 -o - > square.jpg
    """
    if output is None and not as_json:
        raise UsageError("nowhere to put crops: give -o DIR, or --json to print the boxes")
    name, arguments = loading.one_model(model)
    plan = CropPlan(
        name,
        [parse_size(text) for text in size],
        arguments,
        CropOptions(zoom, rule_of_thirds, tuple(map(parse_box, keep)), cut_weight),
        None if output is None else user_path(output),
        min_kept,
        pixel_limit(max_pixels),
    )
    to_output = str(output) == "-"
    if to_output or "-" in inputs:
        refuse_unused("files as inputs and a folder for outputs", False, {"--workers": workers})
        refuse_unused("another place for crops than standard output", not to_output, {"--json": as_json})
        outcome = crop_stream(inputs, plan, to_output=to_output)
        for note in outcome.notes:
            console.print(escape(f"note: {note}"))
        if as_json:
            say(json.dumps([outcome.to_dict(name)], indent=2))
        return _report([outcome], None if to_output else output, min_kept)
    images, videos = find_images_and_videos(inputs, recursive=recursive, exclude=plan.folder)
    refuse_unused("images as inputs", images, {"--zoom": zoom > 1, "--rule-of-thirds": rule_of_thirds})
    outcomes: list[CropOutcome] = []
    with ConsoleProgress(keep=False) as progress:
        if images:
            outcomes += progress.track(run_crops(images, plan, workers), len(images), "images")
        outcomes += [crop_clip(video, plan, progress) for video in videos]
    if as_json:
        say(json.dumps([outcome.to_dict(name) for outcome in outcomes], indent=2))
    return _report(outcomes, output, min_kept)


def _report(outcomes: list[CropOutcome], folder: Path | None, min_kept: float) -> int:
    """Print what was written, what failed and what keeps too little; return the exit code."""
    if folder is not None:
        written = sum(len(outcome.written) for outcome in outcomes)
        console.print(escape(f"{written} crops of {len(outcomes)} inputs written to {folder}"))
    code = report_failed(outcomes)
    too_little = [text for outcome in outcomes for text in outcome.too_little]
    if too_little:
        console.print(escape(f"{len(too_little)} keep less than {min_kept:g}: {'; '.join(too_little)}"))
    return 1 if too_little else code
