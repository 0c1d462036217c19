"""`salbox adapt`: a model fitted to a laboratory's, or one's own, people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..calibration import Adapted
from ..calibration import adapt as fit
from ..calibration.centers import SHAPES, Shape
from ..calibration.fitting import FOLDS
from ..calibration.held_out import CEILING, METRICS
from ..datasets import Dataset, open_dataset
from ..errors import UsageError, nearest
from ..evaluation import Evaluation, ModelSource
from ..evaluation.bootstrap import Difference, Estimate, interval_text
from ..models.profile_files import SUFFIX, write_profile
from ..models.profiles import VIEWS, Profile, degrees_of
from ..models.specs import parse_models
from ..paths import user_path
from .options import (
    AllowOutside,
    Device,
    MaxModelSize,
    ModelHashes,
    ModelParameters,
    ModelWeights,
    Sigma,
    Workers,
)
from .output import escape, figures_table, say, standard_output
from .progress import ConsoleProgress, console, name_failures

FittedSplit = Annotated[
    str | None, typer.Option("--split", metavar="SPLIT", help="Which images.  [default: train, else all]")
]
Photos = Annotated[
    int | None, typer.Option("--photos", metavar="N", min=1, help="Fit to N photos, drawn by the seed.  [default: all]")
]
CenterShape = Annotated[
    str,
    typer.Option("--center", metavar="|".join(SHAPES), help="The shape of the centre bias; grid wants many photos."),
]
Readout = Annotated[
    bool, typer.Option("--readout/--no-readout", help="Weigh a network's features anew, where it shows them.")
]
PixelsPerDegree = Annotated[
    float | None,
    typer.Option("--ppd", metavar="N", help="Pixels of a photo that took one degree of visual angle, if known."),
]
View = Annotated[
    str | None, typer.Option("--view", metavar="|".join(VIEWS), help="How the photos were looked at, instead of --ppd.")
]
Folds = Annotated[int, typer.Option("--folds", metavar="N", min=2, help="Parts that are held out in turn.")]
FitSeed = Annotated[int, typer.Option("--seed", metavar="N", help="Which photos, and which part each is of.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]


def adapt(
    model: Annotated[str, typer.Option("-m", "--models", metavar="NAME", help="A model that predicts fixations.")],
    dataset: Annotated[str, typer.Option("--dataset", metavar="NAME:PATH", help="Your people's fixations.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help=f"The profile: {SUFFIX}.")],
    split: FittedSplit = None,
    allow_outside: AllowOutside = False,
    photos: Photos = None,
    center: CenterShape = "gaussian",
    readout: Readout = True,
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
    as_json: AsJson = False,
) -> int:
    """Fit a model to the people of one laboratory.

    What is fitted: where people look whatever the photo, how much that counts, a blur, and a temperature, or a curve
    for a model that gives scores; of gaze and gaze.large also what each feature of the network counts. Twenty photos
    are enough, fifty better. All figures are of photos that the fit did not see. The profile is worn with --param
    profile=FILE wherever a model is named.

    Examples:

      salbox adapt -m gaze --dataset folder:ours -o ours.json

      salbox predict photo.jpg -m gaze --param profile=ours.json -o maps

      salbox adapt -m gbvs.student --dataset mit1003:~/data/MIT1003 --photos 50 -o lab.json
    """
    check_output(output)
    (name, arguments), *more = parse_models([model], param, weights, sha256, device, max_model_size).items()
    if more:
        raise UsageError("a profile is of one model: name one with -m ('salbox blend' takes several)")
    data = open_fitted(dataset, split, allow_outside=allow_outside)
    with ConsoleProgress() as progress:
        found = fit(
            ModelSource(name, arguments),
            data,
            photos=photos,
            center=center_shape(center),
            readout=readout,
            degrees=degrees_of(view, ppd, max(data.shape(0))),
            sigma=sigma,
            parts=folds,
            seed=seed,
            workers=workers,
            progress=progress,
        )
    write_profile(user_path(output), found.profile)
    console.print(escape(f"wrote {output}"))
    if as_json:
        say(json.dumps(_to_json(found), indent=2))
    else:
        print_figures(found.table)
        _print_profile(found)
    return name_failures(found.failures)


def check_output(output: Path) -> None:
    """Raise a UsageError, before anything is computed, if a file cannot be called so."""
    if output.suffix.lower() != SUFFIX:
        raise UsageError(f"-o {output}: the name has to end in {SUFFIX}")


def center_shape(text: str) -> Shape:
    """Return the shape of a centre bias; raise a UsageError if there is no such one."""
    for shape in SHAPES:
        if shape == text:
            return shape
    raise UsageError(f"--center '{text}'{nearest(text, SHAPES)} (one of {', '.join(SHAPES)})")


def open_fitted(dataset: str, split: str | None, *, allow_outside: bool) -> Dataset:
    """Return a data set to fit to: by default its training part, where it has one, so that its test stays one."""
    if split is None:
        data = open_dataset(dataset, "all", allow_outside=allow_outside)
        if "train" not in data.card.splits:
            return data
    return open_dataset(dataset, split or "train", allow_outside=allow_outside)


def print_figures(table: Evaluation) -> None:
    """Print rows and metrics with their intervals, and whose photos they are of."""
    header = ("", *(metric.title for metric in table.metrics))
    rows = [(row, *(figure(table.estimate(row, metric.name)) for metric in table.metrics)) for row in table.rows]
    standard_output().print(figures_table(header, rows))
    say(
        f"{table.dataset}, split {table.split}, {len(table.images)} photos, each scored by a fit that did not see it; "
        f"IG in bits a fixation above the centre bias; {interval_text()}"
    )


def figure(found: Estimate | None) -> str:
    """Return a figure with its interval."""
    return "n/a" if found is None else f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def signed(found: Difference) -> str:
    """Return a difference with its interval."""
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def _print_profile(found: Adapted) -> None:
    gains = [f"{name.upper()} {signed(gain)}" for name in METRICS if (gain := found.gain(name)) is not None]
    say(f"gained: {'; '.join(gains)}")
    closed = found.gap_closed()
    if closed is not None:
        share = f"{closed.value:.0%} [{closed.low:.0%}, {closed.high:.0%}]"
        say(f"of the gap in information gain between the model and the {CEILING}: {share} closed")
    if found.is_unchanged:
        say(
            "fits predicted photos that they did not see no better than the model as it is: the profile changes nothing"
        )
    else:
        say(f"fitted: {_in_words(found.profile)}")


def _in_words(profile: Profile) -> str:
    tail = profile.tail
    center = tail.center
    curve = f"temperature {tail.temperature:.3g}" if profile.curve is None else "a curve for its scores"
    degrees = "" if tail.degrees is None else f" ({tail.blur * tail.degrees:.2g} degrees)"
    sides = f"{center.width:.3f} of the width, {center.height:.3f} of the height"
    shape = "a grid" if center.grid else f"a Gaussian of {sides}"
    weighed = "" if profile.readout is None else f"; {profile.readout.channels} features of the network weighed anew"
    return (
        f"{curve}; blur {tail.blur:.3g} of the longest side{degrees}; centre bias {shape}, with the weight "
        f"{center.weight:.2f}{weighed}"
    )


def _to_json(found: Adapted) -> dict[str, Any]:
    table = found.table
    closed = found.gap_closed()
    return {
        "photos": len(table.images),
        "figures": {
            row: {m.name: _ends(own) for m in table.metrics if (own := table.estimate(row, m.name)) is not None}
            for row in table.rows
        },
        "gained": {name: _ends(gain) for name in METRICS if (gain := found.gain(name)) is not None},
        "unchanged": found.is_unchanged,
        "gap_closed": None if closed is None else _ends(closed),
        "failures": list(found.failures),
    }


def _ends(found: Estimate | Difference) -> list[float]:
    return [found.value, found.low, found.high]
