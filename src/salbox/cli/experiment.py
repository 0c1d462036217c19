"""`salbox experiment`: several models distilled, tested and run in one go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..errors import MissingExtraError
from ..paths import user_path
from .options import TRAINING_PACKAGES, TrainingDevice, Workers
from .output import figures_table, say, standard_output
from .progress import ConsoleProgress, name_failures


def experiment(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to do, in YAML.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Where to.  [default: a folder of its name beside FILE]"),
    ] = None,
    workers: Workers = None,
    device: TrainingDevice = "cpu",
) -> int:
    """Train students of several models, test them and run them on photos, as a file says.

    FILE has the keys models, images, and perhaps name, maps, pre, post, recipe, init, test, run; paths are relative to
    it. DIR then holds all_results.csv, a grid of pictures, a page (experiment.md), the students and their maps. An
    experiment that was stopped goes on when the same command is given again. A model that fails is a line in the
    results, and the exit code is 1.

    Examples:

      salbox experiment study.yaml

      salbox experiment study.yaml -o /data/study --workers 4
    """
    # As in `distill`: threads that wait for each other are not to spin for long. Read when PyTorch is imported.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    try:
        from ..experiments.experiment import run_experiment
        from ..experiments.plan import read_experiment
        from ..experiments.results import COLUMNS, PAGE
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in TRAINING_PACKAGES:
            raise
        raise MissingExtraError("salbox experiment", "train") from None
    plan = read_experiment(
        user_path(file), None if output is None else user_path(output), workers=workers, device=device
    )
    with ConsoleProgress(keep=False) as progress:
        done = run_experiment(plan, progress)
    rows = [(each.name, *(f"{each.means[c]:.3f}" if each.means else "–" for c in COLUMNS)) for each in done.results]
    standard_output().print(figures_table(("model", *COLUMNS), rows))
    say(f"wrote {plan.folder / PAGE}")
    failed = [f"{each.name}: {each.error}" for each in done.results if each.error]
    return name_failures([*failed, *done.failures])
