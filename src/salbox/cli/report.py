"""`salbox report`: an evaluation as one HTML page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ..datasets import Dataset, open_dataset
from ..errors import UsageError
from ..evaluation.rows import model_rows
from ..imaging.postprocess import NOTHING, PostProcess
from ..models.specs import parse_models, split_names
from ..paths import user_path
from ..reporting import write_report
from ..reporting.collecting import EXAMPLES, check_page
from .options import (
    DATA,
    OUTPUT,
    AllowOutside,
    Baseline,
    Ceiling,
    CeilingMixture,
    Device,
    MapFolders,
    MapsOutput,
    MaxModelSize,
    MetricNames,
    ModelHashes,
    ModelNames,
    ModelParameters,
    ModelWeights,
    Sigma,
    Split,
    Workers,
    loading_options,
    refuse_unused,
    with_postprocess,
)
from .output import escape
from .progress import ConsoleProgress, console, name_failures


@with_postprocess
def report(
    postprocess: PostProcess,
    dataset: Annotated[
        str, typer.Option("--dataset", metavar="NAME:PATH", help="As in 'salbox evaluate'; its name, and where.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The page: .html.")],
    models: ModelNames = [],  # noqa: B006
    split: Split = None,
    allow_outside: AllowOutside = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Only N of the images, evenly spaced.", rich_help_panel=DATA),
    ] = None,
    metrics: MetricNames = [],  # noqa: B006
    maps: MapFolders = [],  # noqa: B006
    maps_output: MapsOutput = None,
    sigma: Sigma = None,
    baseline: Baseline = False,
    ceiling: Ceiling = False,
    mixture_ceiling: CeilingMixture = False,
    agree: Annotated[
        bool, typer.Option("--agreement/--no-agreement", help="The correlation of every pair of models' maps.")
    ] = True,
    examples: Annotated[
        int,
        typer.Option(
            "--examples",
            metavar="N",
            min=0,
            max=50,
            help="Best and worst images shown of each model.",
            rich_help_panel=OUTPUT,
        ),
    ] = EXAMPLES,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Of the page.", rich_help_panel=OUTPUT)
    ] = None,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            metavar="DIR",
            help="Where results are kept and resumed.  [default: the cache]",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    workers: Workers = None,
) -> int:
    """Write an evaluation as one HTML page: figures with intervals, charts, agreement, best and worst images.

    The page is one file, opens offline, and says how to repeat it. Figures are shared with 'salbox evaluate'; what
    was computed once is not computed again. The exit code is 1 if images could not be scored.

    Examples:

      salbox report --dataset osie:~/data/OSIE -m gbvs,bms,imsig --baseline --ceiling -o osie.html

      salbox report --dataset folder:mine -m bms --maps out --title "Our cameras" -o page.html

      salbox report --dataset ecssd:~/data/ECSSD -m bms --metrics max_f,mae --limit 100 -o objects.html
    """
    check_page(user_path(output))
    refuse_unused("--maps", maps, {"--maps-output": maps_output is not None})
    refuse_unused("models (-m)", models, loading_options(param, weights, sha256, device, max_model_size))
    data = open_dataset(dataset, split, allow_outside=allow_outside)
    parameters = parse_models(models, param, weights, sha256, device, max_model_size, distinct=False) if models else {}
    chosen = _limited(data, limit)
    sources = model_rows(models, maps, maps_output, chosen, parameters, postprocess)
    if not sources:
        raise UsageError("nothing to report on: name models (-m) or a folder of maps (--maps)")
    names = split_names(metrics)
    command = _command(
        ("--dataset", dataset), ("--split", data.split), ("--allow-outside", allow_outside),
        ("-m", ",".join(models)), ("--limit", limit),
        ("--metrics", ",".join(names)), ("--maps", maps), ("--maps-output", maps_output if maps else None),
        ("--sigma", sigma), ("--baseline", baseline), ("--ceiling", ceiling),
        ("--mixture-ceiling", mixture_ceiling), ("--no-agreement", not agree),
        ("--examples", examples if examples != EXAMPLES else None), ("--title", title), ("--param", param),
        ("--weights", weights), ("--sha256", sha256), ("--device", device), ("--max-model-size", max_model_size),
        *_changed(postprocess), ("-o", output),
    )  # fmt: skip
    with ConsoleProgress() as progress:
        found = write_report(
            user_path(output),
            chosen,
            sources,
            metrics=names or None,
            sigma=sigma,
            baseline=baseline,
            ceiling=ceiling,
            mixture_ceiling=mixture_ceiling,
            agree=agree,
            examples=examples,
            title=title,
            command=command,
            folder=None if results is None else user_path(results),
            workers=workers,
            progress=progress,
        )
    console.print(escape(f"wrote {output}"))
    return name_failures([*found.evaluation.failures, *found.failures])


def _limited(data: Dataset, limit: int | None) -> Dataset:
    if limit is None or limit >= len(data):
        return data
    places = np.linspace(0, len(data) - 1, limit).round().astype(int).tolist()
    return data.subset(places, f"{limit} of the split's {len(data)} images, evenly spaced (--limit)")


def _command(*options: tuple[str, Any]) -> str:
    """Return the command with these options, quoted for a shell; None, False and nothing are left out."""
    words = ["salbox", "report"]
    for flag, value in options:
        if isinstance(value, bool):
            words += [flag] * value
        elif isinstance(value, list):
            words += [word for each in value for word in (flag, str(each))]
        elif value is not None and value != "":
            words += [flag, str(value)]
    return shlex.join(words)


def _changed(postprocess: PostProcess) -> Iterator[tuple[str, Any]]:
    """Yield the options of a post-processing that differ from the defaults."""
    for option in fields(PostProcess):
        value = getattr(postprocess, option.name)
        if value != getattr(NOTHING, option.name):
            flag = option.name.replace("_", "-")
            yield (f"--{flag}", value) if value is not False else (f"--no-{flag}", True)
