"""`salbox predict`: maps for files, folders, glob patterns and standard input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..imaging.image import MAX_PIXELS
from ..imaging.inputs import find_images_and_videos
from ..imaging.overlays import MASS_SHARES, OPACITY
from ..imaging.postprocess import PostProcess
from ..imaging.video_writing import VIDEO_FORMATS
from ..imaging.writing import FORMATS
from ..models.exported import HISTOGRAM_MATCHED
from ..models.specs import ensure_histogram_matched, parse_models
from ..paths import user_path
from ..prediction import one_file
from ..prediction.batch import BatchPlan, Outcome, run_batch
from ..prediction.images import output_folders
from ..prediction.stdin import predict_stream
from ..prediction.videos import ClipPlan, refuse_shared_names, run_clip
from ..scale.reading import ROWS, Reading
from .engine_options import with_engine
from .options import (
    MODELS,
    OVERLAYS,
    VIDEOS,
    ChannelsLast,
    Device,
    MaxModelSize,
    MaxPixels,
    ModelHashes,
    ModelNames,
    ModelParameters,
    ModelWeights,
    Precision,
    Recursive,
    Size,
    Workers,
    WrittenAsJson,
    pixel_limit,
    refuse_unused,
    with_postprocess,
)
from .output import say
from .progress import ConsoleProgress, report
from .shard_options import ImageColumn, KeyColumn, Results, RowsPerShard, by_rows, predict_rows


@with_engine
@with_postprocess
def predict(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Images, folders, quoted glob patterns, or - for stdin.")
    ],
    models: ModelNames,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Where the maps go: a folder, for one map a file; - for stdout."
        ),
    ],
    postprocess: PostProcess,
    recursive: Recursive = False,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"{', '.join(FORMATS)}: pictures (png, png16, jpg) are min-max scaled, of a log density the density; "
            f"the others are raw. Of videos also {', '.join(VIDEO_FORMATS)}; an image's format then gives numbered "
            "maps.  [default: png; of videos mp4]",
        ),
    ] = None,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Write a heat map over the photo beside each map.")
    ] = False,
    alpha: Annotated[
        float, typer.Option("--alpha", metavar="N", help="Opacity of the overlay, 0 to 1.", rich_help_panel=OVERLAYS)
    ] = OPACITY,
    contours: Annotated[
        bool,
        typer.Option(
            "--contours",
            help="In the overlay lines around 50, 75 and 90 % of the map's mass.",
            rich_help_panel=OVERLAYS,
        ),
    ] = False,
    legend: Annotated[
        bool,
        typer.Option(
            "--legend",
            help="Below the overlay a strip that says what colours and lines mean.",
            rich_help_panel=OVERLAYS,
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Compute maps again that are there.")] = False,
    workers: Workers = None,
    size: Size = None,
    stride: Annotated[
        int, typer.Option("--stride", metavar="N", help="Of videos every n-th frame.", rich_help_panel=VIDEOS)
    ] = 1,
    smooth_seconds: Annotated[
        float,
        typer.Option(
            "--smooth-seconds", metavar="S", help="Of videos: a running mean over the maps.", rich_help_panel=VIDEOS
        ),
    ] = 0.0,
    quality: Annotated[
        str | None,
        typer.Option(
            "--quality",
            metavar="fast|multiscale|best",
            help="Of gaze: one look, the mean of looks at three sizes, or of these and the mirrored picture's.",
            rich_help_panel=MODELS,
        ),
    ] = None,
    histogram_matched: Annotated[
        bool,
        typer.Option(
            "--histogram-matched",
            help="Of students that ship: their teachers' maps after histogram matching to a mean fixation map.",
            rich_help_panel=MODELS,
        ),
    ] = False,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
    precision: Precision = "float32",
    channels_last: ChannelsLast = False,
    max_pixels: MaxPixels = MAX_PIXELS,
    results: Results = "files",
    rows_per_shard: RowsPerShard = ROWS,
    image_column: ImageColumn = None,
    key_column: KeyColumn = None,
    as_json: WrittenAsJson = False,
) -> int:
    """Write the saliency maps of images and videos to DIR/<model>/<name>.<format>.

    Maps that are there already are not computed again; of one that was made otherwise, as its file tells, a line
    says so, and the exit code is 1. An unreadable image costs one line; the others are done, and
    the exit code is 1. A model made for videos carries what it remembers from frame to frame (unisal).

    Examples:

      salbox predict photo.jpg -m gbvs -o maps

      salbox predict photo.jpg -m gaze -o map.png

      salbox predict photos -r -m aim,bms,gbvs -o maps --format png16 --overlay

      salbox predict 'photos/*.jpg' -m aim,ikn --param ikn:channels=CIO -o maps --format npy

      salbox predict photos -m sun -o maps --do-smoothing proportional --smooth-prop 0.02

      salbox predict photos -m '*.student' --histogram-matched -o maps

      salbox predict photos -m mymodels:contrast -o maps

      salbox predict clip.mp4 -m gbvs -o maps --overlay --stride 2

      cat photo.jpg | salbox predict - -m gbvs -o - > map.png
    """
    refuse_unused("--overlay", overlay, {"--alpha": alpha != OPACITY, "--contours": contours, "--legend": legend})
    if histogram_matched and postprocess.histogram_matching != "none":
        raise UsageError("--histogram-matched and --histogram-matching: give one of the two")
    settings = [*param, *([f"quality={quality}"] if quality else [])]
    chosen = parse_models(models, settings, weights, sha256, device, max_model_size)
    if histogram_matched:
        for name, keywords in chosen.items():
            ensure_histogram_matched(name, max_model_size)
            keywords.setdefault(HISTOGRAM_MATCHED.name, True)
    of_videos = {"--stride": stride != 1, "--smooth-seconds": smooth_seconds != 0}
    folder = user_path(output)
    single = one_file.file_format(folder, file_format)
    plan = BatchPlan(
        models=chosen,
        folder=folder,
        file=None if single is None else folder,
        file_format=single or file_format or "png",
        postprocess=postprocess,
        size=size,
        overlay=alpha if overlay else None,
        contours=MASS_SHARES if contours else (),
        legend=legend,
        overwrite=overwrite,
        max_pixels=pixel_limit(max_pixels),
        precision=precision,
        channels_last=channels_last,
    )
    columns = {"--image-column": image_column, "--key-column": key_column}
    if by_rows(inputs, output, results):
        refuse_unused("a video among the inputs", False, of_videos)
        refuse_unused("a folder, or a bucket, for outputs", single is None and str(output) != "-", {"--output": True})
        return predict_rows(
            inputs,
            output,
            plan,
            Reading(rows_per_shard, image_column, key_column),
            in_parquet=results == "parquet",
            recursive=recursive,
            workers=workers,
            as_json=as_json,
        )
    refuse_unused("shards among the inputs", False, {**columns, "--rows-per-shard": rows_per_shard != ROWS})
    if str(output) == "-" or "-" in inputs:
        refuse_unused("a video among the inputs", False, of_videos)
        refuse_unused("files as inputs and a folder for outputs", False, {"--json": as_json, "--workers": workers})
        if single is not None:
            one_file.check_single(output, [Path(name) for name in inputs], 0, len(chosen))
        predict_stream(inputs, plan)
        return 0
    clip = ClipPlan(stride=stride, smooth_seconds=smooth_seconds)
    exclude = output_folders(output, plan.models)
    images, videos = find_images_and_videos(inputs, recursive=recursive, exclude=exclude)
    refuse_unused("a video among the inputs", videos, of_videos)
    refuse_shared_names(images, videos, overlays=overlay)
    if single is not None:
        one_file.check_single(output, [image.path for image in images], len(videos), len(chosen))
    outcomes: list[Outcome] = []
    with ConsoleProgress() as progress:
        if images:
            outcomes += progress.track(run_batch(images, plan, workers), len(images), "images")
        for video in videos:
            outcomes.append(run_clip(video, replace(plan, file_format=file_format or "mp4"), clip, progress))
    if as_json:
        say(json.dumps([outcome.to_dict() for outcome in outcomes], indent=2))
    return report(outcomes, output)
