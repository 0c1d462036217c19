"""`salbox scanpath`: in which order one person's eyes might go over an image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..apps.scanpath_files import HEADER, ScanpathOutcome, ScanpathPlan, run_scanpaths
from ..errors import UsageError
from ..imaging.image import MAX_PIXELS
from ..imaging.inputs import find_images
from ..models.scanpaths import DEFAULT, find_saccades
from ..paths import user_path
from .options import Loading, MaxPixels, Recursive, Workers, pixel_limit, with_loading
from .output import escape, say, to_csv
from .progress import ConsoleProgress, console, report_failed


@with_loading
def scanpath(
    inputs: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Images, folders or quoted glob patterns.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Where pictures and tables go, as <name>.scanpath.png."),
    ] = None,
    model: Annotated[str, typer.Option("-m", "--model", metavar="NAME", help="One that gives a density.")] = "gaze",
    fixations: Annotated[
        int, typer.Option("-n", "--fixations", metavar="N", min=1, max=1000, help="Of a scanpath.")
    ] = 8,
    paths: Annotated[int, typer.Option("--paths", metavar="N", min=1, max=1000, help="Scanpaths of an image.")] = 1,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Another number draws others.")] = 0,
    saccades: Annotated[
        str, typer.Option("--saccades", metavar="NAME", help="Whose way of going on: general, osie or mit1003.")
    ] = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scanpaths as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the scanpaths as CSV.")] = False,
    recursive: Recursive = False,
    workers: Workers = None,
    *,
    loading: Loading,
    max_pixels: MaxPixels = MAX_PIXELS,
) -> int:
    """Draw in which order one person's eyes might go over an image, one fixation after the other.

    They are samples of a model, not measurements: each fixation is drawn from the model's density, changed by how long
    saccades are and by where one has looked.

    Examples:

      salbox scanpath photo.jpg -o paths

      salbox scanpath photos -r -n 6 --paths 3 --seed 1 -o paths

      salbox scanpath photo.jpg --csv > path.csv
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv: give one of the two")
    if output is None and not (as_json or as_csv):
        raise UsageError("nowhere to put scanpaths: give -o DIR, or --csv or --json to print them")
    find_saccades(saccades)
    name, arguments = loading.one_model(model)
    folder = None if output is None else user_path(output)
    plan = ScanpathPlan(name, arguments, fixations, paths, seed, saccades, folder, pixel_limit(max_pixels))
    images = find_images(inputs, recursive=recursive, exclude=plan.folder)
    with ConsoleProgress(keep=False) as progress:
        outcomes: list[ScanpathOutcome] = list(
            progress.track(run_scanpaths(images, plan, workers), len(images), "images")
        )
    if as_json:
        say(json.dumps([outcome.to_dict() for outcome in outcomes], indent=2))
    elif as_csv:
        rows = [[str(outcome.source), *row] for outcome in outcomes for row in outcome.rows()]
        say(to_csv(["image", *HEADER], rows))
    if output is not None:
        written = sum(len(outcome.written) for outcome in outcomes)
        console.print(escape(f"{written} files of {len(outcomes)} inputs written to {output}"))
    return report_failed(outcomes)
