"""`salbox blend`: several models combined for one's own people, or masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..calibration import BlendedMasks, blend_masks
from ..calibration import blend as fit
from ..calibration.fitting import FOLDS
from ..calibration.held_out import METRICS
from ..calibration.masks import MEASURES
from ..datasets import Dataset
from ..evaluation import ModelSource
from ..evaluation.bootstrap import interval_text
from ..models.blends import Blend, write_blend
from ..models.profile_files import SUFFIX
from ..models.profiles import WORKING_SIDE, degrees_of
from ..models.specs import parse_models
from ..paths import user_path
from .adapt import (
    CenterShape,
    FitSeed,
    FittedSplit,
    Folds,
    Photos,
    PixelsPerDegree,
    View,
    center_shape,
    check_output,
    figure,
    open_fitted,
    print_figures,
    signed,
)
from .options import (
    AllowOutside,
    Device,
    MaxModelSize,
    ModelHashes,
    ModelNames,
    ModelParameters,
    ModelWeights,
    Sigma,
    Workers,
    refuse_unused,
)
from .output import escape, figures_table, say, standard_output
from .progress import ConsoleProgress, console, name_failures


def blend(
    models: ModelNames,
    dataset: Annotated[str, typer.Option("--dataset", metavar="NAME:PATH", help="People's fixations, or masks.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help=f"The blend: {SUFFIX}.")],
    split: FittedSplit = None,
    allow_outside: AllowOutside = False,
    photos: Photos = None,
    center: CenterShape = "gaussian",
    ppd: PixelsPerDegree = None,
    view: View = None,
    sigma: Sigma = None,
    folds: Folds = FOLDS,
    seed: FitSeed = 0,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
    workers: Workers = None,
) -> int:
    """Combine models as one's own fixations say.

    What is fitted: how much each model counts, a curve for each, centre bias and blur, all in one file, which is a
    model like any other. On a data set of masks the blend gives the probability that a pixel belongs to the object. All
    figures are of photos that the fit did not see.

    Examples:

      salbox blend -m "*.student" --dataset osie:~/data/OSIE -o students.json

      salbox predict photo.jpg -m students.json -o maps

      salbox blend -m bms,gbvs.student --dataset ecssd:~/data/ECSSD --photos 60 -o objects.json
    """
    check_output(output)
    named = parse_models(models, param, weights, sha256, device, max_model_size)
    data = open_fitted(dataset, split, allow_outside=allow_outside)
    sources = [ModelSource(name, arguments) for name, arguments in named.items()]
    target = user_path(output)
    is_gaze = "fixations" in data.gives
    of_people = {"--ppd": ppd, "--view": view, "--sigma": sigma, "--center": None if center == "gaussian" else center}
    refuse_unused("fixations", is_gaze, {option: value is not None for option, value in of_people.items()})
    if not is_gaze:
        return _masks(sources, data, target, output, photos, folds, seed, workers)
    with ConsoleProgress() as progress:
        found = fit(
            sources,
            data,
            photos=photos,
            center=center_shape(center),
            degrees=degrees_of(view, ppd, max(data.shape(0))),
            sigma=sigma,
            parts=folds,
            seed=seed,
            folder=target.parent,
            workers=workers,
            progress=progress,
        )
    _write(target, output, found.blend)
    print_figures(found.table)
    say("each model by itself has its own curve, blur and centre bias")
    gains = [f"{name.upper()} {signed(gain)}" for name in METRICS if (gain := found.gain(name)) is not None]
    say(f"blend less {found.best}, the best of them: {'; '.join(gains)}")
    _print_weights(found.blend)
    return name_failures(found.failures)


def _masks(
    sources: list[ModelSource],
    data: Dataset,
    target: Path,
    output: Path,
    photos: int | None,
    folds: int,
    seed: int,
    workers: int | None,
) -> int:
    with ConsoleProgress() as progress:
        found = blend_masks(
            sources,
            data,
            photos=photos,
            parts=folds,
            seed=seed,
            folder=target.parent,
            workers=workers,
            progress=progress,
        )
    _write(target, output, found.blend)
    _print_masks(found)
    _print_weights(found.blend)
    return name_failures(found.failures)


def _write(target: Path, output: Path, blend: Blend) -> None:
    write_blend(target, blend)
    console.print(escape(f"wrote {output}"))


def _print_masks(found: BlendedMasks) -> None:
    header = ("", "log loss", "MAE", "F above 1/2")
    rows = [(row, *(figure(found.estimate(row, measure)) for measure in MEASURES)) for row in found.figures]
    standard_output().print(figures_table(header, rows))
    photos = len(next(iter(found.figures.values()))[MEASURES[0]])
    say(f"{photos} photos, each scored by a fit that did not see it, at {WORKING_SIDE} pixels; {interval_text()}")
    gains = "; ".join(f"{measure} {signed(found.gain(measure))}" for measure in MEASURES)
    say(f"blend less {found.best}, the best of them: {gains}")


def _print_weights(blend: Blend) -> None:
    weights = sorted(blend.members, key=lambda member: -member.weight)
    say("weights in nats: " + ", ".join(f"{member.model} {member.weight:.2f}" for member in weights))
