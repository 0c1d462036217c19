"""`salbox predict` of shards and buckets: its options, and what it does with them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..prediction.batch import BatchPlan
from ..prediction.images import output_folders
from ..prediction.shard_plan import ShardPlan
from ..prediction.shards import ShardRun, begin_run, carry_out
from ..scale.inputs import find_sources, is_of_shards
from ..scale.job import ERRORS
from ..scale.places import SCHEMES, Folder, Place, is_bucket, place_at
from ..scale.reading import Reading
from .output import escape, say
from .progress import ConsoleProgress, console

RESULTS = ("files", "parquet")
SHARDS = "Shards and buckets"

Results = Annotated[
    str,
    typer.Option(
        "--results",
        metavar="|".join(RESULTS),
        help="A file for each map, or Parquet files of many maps with what they are and statistics.",
        rich_help_panel=SHARDS,
    ),
]
RowsPerShard = Annotated[
    int,
    typer.Option(
        "--rows-per-shard",
        metavar="N",
        help="Images whose results are written, and known to be done, at once.",
        rich_help_panel=SHARDS,
    ),
]
ImageColumn = Annotated[
    str | None,
    typer.Option(
        "--image-column", metavar="NAME", help="Of Parquet inputs: where the bytes are.", rich_help_panel=SHARDS
    ),
]
KeyColumn = Annotated[
    str | None,
    typer.Option(
        "--key-column", metavar="NAME", help="Of Parquet inputs: what images are called.", rich_help_panel=SHARDS
    ),
]


def by_rows(inputs: Sequence[str], output: Path, results: str) -> bool:
    """Return whether shards or buckets are among inputs and outputs.

    Raises
    ------
    UsageError
        For an unknown kind of results, or an address that no bucket has.
    """
    if results not in RESULTS:
        raise UsageError(f"--results {results}: expected {' or '.join(RESULTS)}")
    return results != "files" or is_bucket(_address(output)) or any(is_of_shards(text) for text in inputs)


def predict_rows(
    inputs: Sequence[str],
    output: Path,
    batch: BatchPlan,
    reading: Reading,
    *,
    in_parquet: bool,
    recursive: bool,
    workers: int | None,
    as_json: bool,
) -> int:
    """Write the maps of images in shards and buckets, and print what came of them; return the exit code."""
    place = place_at(_address(output))
    # Within a bucket outputs are named from its beginning.
    folder = place.folder if isinstance(place, Folder) else Path()
    exclude = output_folders(folder, batch.models) if isinstance(place, Folder) else []
    plan = ShardPlan(replace(batch, folder=folder, file=None), place, in_parquet, reading)
    sources = find_sources(inputs, recursive=recursive, exclude=exclude)
    with ConsoleProgress() as progress:
        run = begin_run(sources, plan, workers)
        for _ in progress.track(carry_out(run, plan, workers), len(run.units), "shards and lists of images"):
            pass
    if as_json:
        say(json.dumps(run.to_dict(), indent=2))
    return _report(run, place)


def _address(output: Path) -> str:
    """Return an output as it was written: a path has one slash where an address has two."""
    return re.sub(rf"^({'|'.join(SCHEMES)}):/+", r"\1://", str(output), flags=re.IGNORECASE)


def _report(run: ShardRun, place: Place) -> int:
    """Print what was written, what failed, what has changed and what was made otherwise; return the exit code."""
    found = run.to_dict()
    images, earlier = found["images"], found["images_of_earlier_runs"]
    before = f" ({earlier} of them in earlier runs)" if earlier else ""
    there = f", {found['skipped']} were there already" if found["skipped"] else ""
    console.print(escape(f"{found['written']} maps of {images} images{before} written to {place.uri()}{there}"))
    if failures := run.failures:
        shown = "; ".join(f"{failure.source}: {failure.reason}" for failure in failures[:3])
        console.print(escape(f"{len(failures)} failed ({place.uri(ERRORS)}): {shown}"))
    what = "make them again with --overwrite, or choose another folder"
    if run.changed:
        console.print(escape(f"{len(run.changed)} inputs have changed since they were done ({run.changed[0]}): {what}"))
    if found["otherwise"]:
        path, difference = next(iter(found["otherwise"].items()))
        count = len(found["otherwise"])
        console.print(escape(f"{count} maps that are there were made otherwise ({path}: {difference}): {what}"))
    return 1 if failures or run.changed or found["otherwise"] else 0
