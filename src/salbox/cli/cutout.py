"""`salbox cutout`: the object of a photo or video by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..apps.cutout_files import CutoutPlan, cutout_stream, process, ready, refuse_shared_targets, run_cutouts
from ..apps.cutout_video import clip_format, cut_out_clip
from ..apps.cutout_watch import arrivals
from ..apps.cutout_writing import SUFFIXES, format_of
from ..apps.cutouts import DEFAULT_MODEL, CutoutOptions
from ..apps.matting import REFINEMENTS
from ..errors import UsageError
from ..imaging.image import MAX_PIXELS
from ..imaging.inputs import find_images_and_videos
from ..paths import user_path
from ..prediction.batch import BatchPlan, Outcome
from ..prediction.images import Pipeline
from ..prediction.videos import refuse_shared_names
from .engine_options import with_engine
from .options import (
    Loading,
    MaxPixels,
    Recursive,
    Workers,
    WrittenAsJson,
    pixel_limit,
    refuse_unused,
    with_loading,
)
from .output import say
from .progress import ConsoleProgress, report


@with_engine
@with_loading
def cutout(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Images, videos, folders, quoted glob patterns, or - for stdin."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Where the cutouts go; of one image also a file; - for stdout."
        ),
    ],
    model: Annotated[
        str, typer.Option("-m", "--model", metavar="NAME", help="An object model ('salbox models --task object').")
    ] = DEFAULT_MODEL,
    background: Annotated[
        str | None,
        typer.Option("--background", metavar="COLOR|IMAGE|blur", help="Lay the object on it.  [default: transparent]"),
    ] = None,
    objects: Annotated[
        str,
        typer.Option("--object", metavar="all|largest|X,Y", help="Which of several objects; X,Y is a pixel of it."),
    ] = "all",
    mask_only: Annotated[bool, typer.Option("--mask-only", help="Write the alpha itself, in grey.")] = False,
    feather: Annotated[
        float, typer.Option("--feather", metavar="PX", help="Soften the edge by a Gaussian of so many pixels.")
    ] = 0.0,
    refine: Annotated[
        str,
        typer.Option(
            "--refine",
            metavar="|".join(REFINEMENTS),
            help="How the edge is found in the photo; auto is closed-form where the extra 'matting' is installed.",
        ),
    ] = "auto",
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="png|webp|jpg",
            help="jpg needs a background. Of videos webm or mp4; a picture's gives numbered ones.  "
            "[default: png; of videos webm, with a background mp4]",
        ),
    ] = None,
    recursive: Recursive = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make cutouts again that are there.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on: cut out each photo that comes into the folder, until Ctrl-C.")
    ] = False,
    workers: Workers = None,
    *,
    loading: Loading,
    max_pixels: MaxPixels = MAX_PIXELS,
    as_json: WrittenAsJson = False,
) -> int:
    """Cut out the main object of photos and videos; what is around it becomes transparent, or another background.

    The edge follows the photo at its full size, and its colours are cleaned of the old background. EXIF and the colour
    profile stay. Cutouts that are there already are not made again; of one that was made otherwise a line says so, and
    the exit code is 1. An unreadable image costs one line; the others are done, and the exit code is 1.

    Examples:

      salbox cutout photo.jpg -o photo.png

      salbox cutout photos -r -o cutouts --format webp

      salbox cutout photo.jpg -o white.jpg --background white

      salbox cutout group.jpg -o cutouts --object 420,310 --feather 1.5

      salbox cutout photo.jpg -o cutouts -m isnet --background blur

      salbox cutout inbox -o cutouts --watch

      salbox cutout clip.mp4 -o cutouts

      cat photo.jpg | salbox cutout - -o - > cutout.png
    """
    folder = user_path(output)
    single = None if folder.is_dir() else format_of(folder)
    if single is not None and file_format not in (None, single):
        raise UsageError(f"{output}: such a file is {single}, not {file_format}; name a folder, or another file")
    options = CutoutOptions(background, mask_only, feather, objects, refine)
    batch = BatchPlan(
        models=loading.models([model]),
        folder=folder,
        overwrite=overwrite,
        max_pixels=pixel_limit(max_pixels),
    )
    of_images = file_format if file_format not in ("webm", "mp4") else None
    plan = CutoutPlan(batch, options, single or of_images or "png", None if single is None else folder)
    if str(output) == "-" or "-" in inputs:
        refuse_unused(
            "files as inputs and a folder for outputs",
            False,
            {
                "--json": as_json,
                "--workers": workers,
                "--watch": watch,
                f"--format {file_format}": not of_images and file_format,
            },
        )
        outcome = cutout_stream(inputs, plan, to_output=str(output) == "-")
        if str(output) == "-":
            with ConsoleProgress() as progress:
                for note in outcome.notes:
                    progress.say(f"note: {note}")
            return 0
        return report([outcome], output)
    if watch:
        refuse_unused("files as inputs", False, {"--json": as_json, "--workers": workers})
        return _watch(inputs, plan, recursive=recursive)
    images, videos = find_images_and_videos(inputs, recursive=recursive, exclude=folder)
    refuse_unused("a video among the inputs", videos, {f"--format {file_format}": not of_images and file_format})
    if single is not None and (len(images), len(videos)) != (1, 0):
        raise UsageError(
            f"{output} is one file, for one image: name a folder (there are {len(images)} images, {len(videos)} videos)"
        )
    clips = clip_format(file_format, is_opaque=options.is_opaque) if videos else ""
    if clips in SUFFIXES:
        refuse_shared_names(images, videos)
    outcomes: list[Outcome] = []
    with ConsoleProgress() as progress:
        if images:
            outcomes += progress.track(run_cutouts(images, plan, workers), len(images), "images")
        elif videos:
            ready(plan)
        if videos and clips == "png" and file_format is None:
            progress.say("note: numbered pictures; videos with transparency need pip install 'salbox[video]'")
        outcomes += [cut_out_clip(video, plan, clips, progress) for video in videos]
    if as_json:
        say(json.dumps([outcome.to_dict() for outcome in outcomes], indent=2))
    return report(outcomes, output)


def _watch(inputs: list[str], plan: CutoutPlan, *, recursive: bool) -> int:
    """Cut out what comes into a folder until somebody ends it; return the exit code."""
    if len(inputs) != 1 or plan.file is not None:
        raise UsageError("--watch takes one folder of photos, and a folder for outputs")
    ready(plan)
    pipeline = Pipeline(plan.load())
    again = replace(plan, batch=replace(plan.batch, overwrite=True))
    outcomes: dict[Path, Outcome] = {}
    with ConsoleProgress() as progress:
        progress.say(f"watching {inputs[0]}; Ctrl-C ends it")
        try:
            for image in arrivals(user_path(inputs[0]), plan.batch.folder, recursive=recursive):
                refuse_shared_targets([image], plan)
                # A photo that has changed meanwhile gets another cutout.
                outcome = process(image, pipeline, again if image.path in outcomes else plan)
                outcomes[image.path] = outcome
                for line in (*outcome.notes, *(f"failed: {failure}" for failure in outcome.failures)):
                    progress.say(line)
                for path in outcome.written:
                    progress.say(f"{path}")
        except KeyboardInterrupt:
            pass
    return report(outcomes.values(), plan.batch.folder)
