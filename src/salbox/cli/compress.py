"""`salbox compress`: photos in fewer bytes, with the bits where people look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..apps.compress_files import CompressOutcome, CompressPlan, run_compressions
from ..apps.compression import MIN_QUALITY
from ..imaging.image import MAX_PIXELS
from ..imaging.inputs import find_images
from ..paths import user_path
from .options import (
    Loading,
    MaxPixels,
    Recursive,
    Workers,
    pixel_limit,
    with_loading,
)
from .output import escape, say
from .progress import ConsoleProgress, console, report_failed


@with_loading
def compress(
    inputs: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Images, folders or quoted glob patterns.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the copies go.")],
    target_size: Annotated[
        str | None,
        typer.Option("--target-size", metavar="SIZE", help="No file is larger: 200KB, 1.5MB, 64KiB or bytes."),
    ] = None,
    quality: Annotated[
        int | None,
        typer.Option(
            "--quality", metavar="Q", help="As true where people look as a plain file at this quality, and smaller."
        ),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="jpeg|webp|avif", help="[default: the photo's own; else jpeg, with transparency webp]"
        ),
    ] = None,
    min_quality: Annotated[
        int,
        typer.Option(
            "--min-quality", metavar="Q", help="The whole picture is no worse than a plain file at this quality."
        ),
    ] = MIN_QUALITY,
    model: Annotated[str, typer.Option("-m", "--model", metavar="NAME", help="Says where people look.")] = "gaze",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written, with figures, as JSON.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make copies again that are there.")] = False,
    recursive: Recursive = False,
    workers: Workers = None,
    *,
    loading: Loading,
    max_pixels: MaxPixels = MAX_PIXELS,
) -> int:
    """Make photos smaller, with fewer bits where nobody looks: plain JPEG, WebP or AVIF files that any program reads.

    Colour profiles and what the camera noted are kept. A photo of the format that is small enough already is copied.
    Of an animation the first picture is taken.

    Examples:

      salbox compress photo.jpg --target-size 200KB -o small

      salbox compress photos -r --quality 75 -o small

      salbox compress photo.png --target-size 60KB --format webp --min-quality 50 -o small
    """
    name, arguments = loading.one_model(model)
    plan = CompressPlan(
        user_path(output),
        target_size,
        quality,
        file_format,  # type: ignore[arg-type]  # the plan says what is wrong with it
        min_quality,
        name,
        arguments,
        overwrite,
        pixel_limit(max_pixels),
    )
    images = find_images(inputs, recursive=recursive, exclude=plan.folder)
    with ConsoleProgress(keep=False) as progress:
        outcomes = list(progress.track(run_compressions(images, plan, workers), len(images), "images"))
    if as_json:
        say(json.dumps([outcome.to_dict() for outcome in outcomes], indent=2))
    return _report(outcomes, output)


def _report(outcomes: list[CompressOutcome], folder: Path) -> int:
    """Print how much smaller the photos have become and what failed; return the exit code."""
    made = [outcome for outcome in outcomes if outcome.written is not None]
    before, after = (sum(sizes) for sizes in ([o.source_bytes for o in made], [o.figures["bytes"] for o in made]))
    skipped = sum(outcome.skipped is not None for outcome in outcomes)
    there = f", {skipped} were there already (--overwrite makes them again)" if skipped else ""
    shrunk = f" ({before / 1e6:.3g} MB became {after / 1e6:.3g} MB)" if made else ""
    console.print(escape(f"{len(made)} of {len(outcomes)} images written to {folder}{shrunk}{there}"))
    return report_failed(outcomes)
