"""`salbox teach`: a teacher's maps for a folder of photos, to train students on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..imaging.inputs import find_images
from ..imaging.postprocess import PostProcess
from ..models.loading import card
from ..models.specs import parse_models
from ..paths import user_path
from ..prediction.batch import Outcome
from ..prediction.images import output_folders
from .engine_options import with_engine
from .options import (
    Device,
    MaxModelSize,
    ModelHashes,
    ModelNames,
    ModelParameters,
    ModelWeights,
    Recursive,
    Workers,
    WrittenAsJson,
    with_preprocess,
)
from .output import say
from .progress import ConsoleProgress, report


@with_engine
@with_preprocess
def teach(
    models: ModelNames,
    images: Annotated[
        list[str], typer.Option("--images", metavar="DIR", help="Photos: a folder, file or quoted pattern. Repeatable.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="MAPS", help="Where the maps go.")],
    preprocess: PostProcess,
    recursive: Recursive = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make maps again that are there, also those of another teacher.")
    ] = False,
    workers: Workers = None,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
    as_json: WrittenAsJson = False,
) -> int:
    """Write a teacher's maps of photos to MAPS/<model>/<name>.png: 16-bit pictures, longest side 320.

    Maps that are probabilities, of models of objects, are stored as they are, in 8 bits; confidence.csv says how sure
    the teacher is of each.

    Classical models see each photo at a longest side of 640, networks see it as it is. MAPS/<model>/teacher.json says
    what made the maps. A run that was interrupted or killed goes on where it was; maps of another teacher or other
    parameters are refused. An unreadable photo costs one line; the others are done, and the exit code is 1.

    Examples:

      salbox teach -m gbvs --images photos -o maps

      salbox teach -m aim,bms --images photos -r -o maps --workers 2

      salbox teach -m ikn --images photos -o matched --pre-histogram-matching biased
    """
    from ..distillation.teachers.teacher import map_folder, read_record
    from ..distillation.teachers.teacher import teach as teach_photos

    output = user_path(output)
    chosen = parse_models(models, param, weights, sha256, device, max_model_size)
    photos = find_images(images, recursive=recursive, exclude=output_folders(output, chosen))
    outcomes: list[Outcome] = []
    summaries: list[dict[str, Any]] = []
    for model, arguments in chosen.items():
        run = teach_photos(
            model, photos, output, arguments=arguments, preprocess=preprocess, workers=workers, overwrite=overwrite
        )
        with ConsoleProgress() as progress:
            done = list(progress.track(run, len(photos), model))
        outcomes += done
        folder = map_folder(output, card(model).name)
        summaries.append(_summary(folder, done, read_record(folder)))
    if as_json:
        say(json.dumps(summaries, indent=2))
    return report(outcomes, output)


def _summary(folder: Path, outcomes: list[Outcome], record: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "written": sum(len(outcome.written) for outcome in outcomes),
        "skipped": sum(len(outcome.skipped) for outcome in outcomes),
        "failures": [failure for outcome in outcomes for failure in outcome.failures],
        "record": record,
    }
