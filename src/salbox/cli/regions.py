"""`salbox regions`: how much attention each region of an image gets."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer

from ..apps.region_files import read_regions
from ..apps.region_report import AGAINST, HEADER, RegionOutcome, RegionPlan, run_regions, to_json
from ..errors import UsageError
from ..imaging.image import MAX_PIXELS
from ..imaging.inputs import find_images
from ..paths import user_path
from .options import (
    AttentionModel,
    Loading,
    MaxPixels,
    Recursive,
    Workers,
    pixel_limit,
    with_loading,
)
from .output import escape, figures_table, say, standard_output, to_csv
from .progress import ConsoleProgress, console, report_failed


@with_loading
def regions(
    inputs: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Images, folders or quoted glob patterns.")],
    region: Annotated[
        list[str],
        typer.Option(
            "--regions",
            metavar="FILE|X,Y,W,H[,NAME]",
            help="A box in pixels; a .json or table of them; or a folder of masks. Repeatable.",
        ),
    ],
    model: AttentionModel = "gaze",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Where annotated pictures go, as <name>.regions.png."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="OTHER", help="The image before the change, to compare with.")
    ] = None,
    fail_under: Annotated[
        list[str],
        typer.Option(
            "--fail-under", metavar="NAME=N", help="The exit code is 1 if a region gets a smaller share. Repeatable."
        ),
    ] = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; its schema comes with the package.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    recursive: Recursive = False,
    workers: Workers = None,
    *,
    loading: Loading,
    max_pixels: MaxPixels = MAX_PIXELS,
) -> int:
    """Say how much attention each region of an image gets, and in which order they are looked at.

    The share of attention, its rank, how many times as much that is as evenly spread attention would give, the peak,
    and the place in the order of first looks; with the clarity of the image as a whole.

    Examples:

      salbox regions page.png --regions 40,20,300,90,logo --regions 700,500,260,80,button

      salbox regions page.png --regions page.json --fail-under button=0.05

      salbox regions new.png --against old.png --regions page.csv -o pictures

      salbox regions photos --regions masks --csv
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv: give one of the two")
    name, arguments = loading.one_model(model)
    plan = RegionPlan(
        name,
        read_regions(region),
        arguments,
        None if against is None else user_path(against),
        dict(map(_least, fail_under)),
        None if output is None else user_path(output),
        pixel_limit(max_pixels),
    )
    images = find_images(inputs, recursive=recursive, exclude=plan.folder)
    with ConsoleProgress(keep=False) as progress:
        outcomes = list(progress.track(run_regions(images, plan, workers), len(images), "images"))
    if as_json:
        say(json.dumps(to_json(outcomes), indent=2))
    elif as_csv:
        rows = [[str(outcome.source), *row] for outcome in outcomes for row in outcome.rows()]
        header = [name.replace(" ", "_") for name in ("image", *HEADER, *(AGAINST if against else ()))]
        say(to_csv(header, rows))
    else:
        _print(outcomes, has_before=against is not None)
    return _report(outcomes, output)


def _print(outcomes: list[RegionOutcome], *, has_before: bool) -> None:
    out = standard_output()
    header = (*HEADER, *(AGAINST if has_before else ()))
    for outcome in outcomes:
        if outcome.report is None:
            continue
        before = "" if outcome.before is None else f", before {outcome.before.clarity:.2f}"
        clarity = f"clarity {outcome.report.clarity:.2f}{before}; none of the regions {outcome.report.rest:.3f}"
        out.print(f"[bold]{escape(str(outcome.source))}[/bold]  {escape(clarity)}")
        out.print(figures_table(header, outcome.rows()))


def _report(outcomes: list[RegionOutcome], folder: Path | None) -> int:
    """Print what was written, failed or gets too little; return the exit code."""
    if folder is not None:
        written = sum(len(outcome.written) for outcome in outcomes)
        console.print(escape(f"{written} pictures written to {folder}"))
    code = report_failed(outcomes)
    below = [text for outcome in outcomes for text in outcome.below]
    for text in below:
        console.print(escape(text))
    return 1 if below else code


def _least(text: str) -> tuple[str, float]:
    """Return what "name=0.05" says."""
    name, equals, value = text.rpartition("=")
    try:
        share = float(value)
    except ValueError:
        share = math.nan
    if not equals or not name or not 0 <= share <= 1:
        raise UsageError(f"--fail-under '{text}': expected NAME=SHARE, such as logo=0.05")
    return name.strip(), share
