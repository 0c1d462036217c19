"""`salbox evaluate`: metrics of models or maps on a dataset, or against a teacher."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ..datasets import Dataset, open_dataset
from ..datasets.folder import open_images
from ..distillation.fidelity.own_photos import constant_rows, maps_teacher, model_teacher, worse_than_constant
from ..errors import UsageError, nearest
from ..evaluation import (
    CenterBias,
    Evaluation,
    HumanCeiling,
    MapSource,
    MixtureCeiling,
    ModelSource,
)
from ..evaluation import evaluate as measure
from ..evaluation.agreement import PairwiseCC, pairwise_cc
from ..evaluation.agreement_table import (
    agreement_grid,
    agreement_legend,
    agreement_records,
    agreement_to_dict,
    agreement_to_latex,
    agreement_to_markdown,
    heat_map,
)
from ..evaluation.bars import bars
from ..evaluation.formats import grids, legend, to_csv, to_markdown
from ..evaluation.latex import to_latex
from ..evaluation.metric_maps import for_metrics
from ..evaluation.next_fixation import METRICS as OF_NEXT_FIXATION
from ..evaluation.next_fixation import rows_for, score_next
from ..evaluation.rows import check_names, model_rows
from ..evaluation.sources import Source
from ..imaging.figures import check_figure
from ..imaging.postprocess import PostProcess
from ..imaging.scaling import REFERENCE_SIZE
from ..models.specs import parse_models, split_names
from ..paths import user_path
from .engine_options import with_engine
from .options import (
    OUTPUT,
    TEACHER,
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
from .output import escape, figures_table, say, standard_output
from .output import to_csv as csv_text
from .progress import ConsoleProgress, console, name_failures


@with_engine
@with_postprocess
def evaluate(
    postprocess: PostProcess,
    models: ModelNames = [],  # noqa: B006
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME:PATH", help="Its name ('salbox datasets' lists them), and where."),
    ] = None,
    split: Split = None,
    allow_outside: AllowOutside = False,
    metrics: MetricNames = [],  # noqa: B006
    maps: MapFolders = [],  # noqa: B006
    maps_output: MapsOutput = None,
    sigma: Sigma = None,
    baseline: Baseline = False,
    ceiling: Ceiling = False,
    mixture_ceiling: CeilingMixture = False,
    teacher: Annotated[
        str | None,
        typer.Option(
            "--teacher", metavar="NAME", help="Compare with this model's maps: fidelity.", rich_help_panel=TEACHER
        ),
    ] = None,
    teacher_maps: Annotated[
        Path | None,
        typer.Option(
            "--teacher-maps", metavar="DIR", help="Compare with these maps: fidelity.", rich_help_panel=TEACHER
        ),
    ] = None,
    teacher_size: Annotated[
        int | None,
        typer.Option(
            "--teacher-size",
            metavar="N",
            min=0,
            help="Longest side of the image that the teacher sees; 0: as it is.  "
            f"[default: {REFERENCE_SIZE} for a classical model, else 0]",
            rich_help_panel=TEACHER,
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            "--images", metavar="DIR", help="Photos to measure fidelity on, without a dataset.", rich_help_panel=TEACHER
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="MODEL", help="Add the differences to a row, paired bootstrap.")
    ] = None,
    agree: Annotated[
        bool,
        typer.Option(
            "--agreement",
            help="Instead of metrics: the correlation of every pair of models' maps.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Where results are kept and resumed.  [default: the cache]",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    workers: Workers = None,
    maps_for_metrics: Annotated[
        bool,
        typer.Option("--maps-for-metrics", help="Add a row for each density: a map of its own for each metric."),
    ] = False,
    next_fixation: Annotated[
        bool,
        typer.Option("--next-fixation", help="Score densities on each next fixation: as they are, and as scanpaths."),
    ] = False,
    per_image: Annotated[
        bool, typer.Option("--per-image", help="A line for each image instead of the means.", rich_help_panel=OUTPUT)
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, unrounded.", rich_help_panel=OUTPUT)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, unrounded.", rich_help_panel=OUTPUT)] = False,
    as_latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.", rich_help_panel=OUTPUT)] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.", rich_help_panel=OUTPUT)] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="FILE", help="Draw bars with intervals: .png, .pdf or .svg.", rich_help_panel=OUTPUT
        ),
    ] = None,
) -> int:
    """Measure models, or maps on disk, on a dataset; a second run goes on where the first ended.

    The exit code is 1 if images could not be scored.

    Examples:

      salbox evaluate -m gbvs,bms --dataset osie:~/data/OSIE --baseline --ceiling

      salbox evaluate -m gaussian --param sigma=.25 --dataset osie:~/data/OSIE --sigma 27 --metrics nss,auc_judd,cc

      salbox evaluate -m mymodels:contrast,gbvs --dataset osie:~/data/OSIE

      salbox evaluate --maps out --dataset eyecrowd:~/data/EyeCrowd --against gbvs --plot bars.pdf

      salbox evaluate -m bms --dataset ecssd:~/data/ECSSD --metrics max_f,mae,s_measure --latex

      salbox evaluate -m gaze --dataset osie:~/data/OSIE --next-fixation --baseline

      salbox evaluate -m bms --teacher gbvs --images photos

      salbox evaluate -m runs/mine --teacher fastgaze --weights fastgaze=fastgaze.npz --images photos --per-image
    """
    if sum((as_csv, as_json, as_latex, as_markdown)) > 1:
        raise UsageError("--csv, --json, --latex and --markdown exclude each other")
    if plot is not None:
        check_figure(plot)
    if teacher is not None and teacher_maps is not None:
        raise UsageError("--teacher and --teacher-maps exclude each other")
    refuse_unused("--maps", maps, {"--maps-output": maps_output is not None})
    refuse_unused("--teacher", teacher, {"--teacher-size": teacher_size is not None})
    of_people = {"--split": split is not None, "--sigma": sigma is not None, "--allow-outside": allow_outside}
    refuse_unused("--dataset", dataset, of_people)
    loading = loading_options(param, weights, sha256, device, max_model_size)
    refuse_unused("models (-m) or --teacher", models or teacher, loading)
    if next_fixation:
        others = {"--maps-for-metrics": maps_for_metrics, "--ceiling": ceiling, "--mixture-ceiling": mixture_ceiling}
        others |= {"--teacher": teacher is not None, "--teacher-maps": teacher_maps is not None, "--agreement": agree}
        others["--sigma"] = sigma is not None
        refuse_unused("figures of all fixations: leave --next-fixation out", False, others)
    if agree:
        of_metrics = {"--metrics": metrics, "--sigma": sigma is not None, "--against": against is not None}
        of_metrics["--maps-for-metrics"] = maps_for_metrics
        rows_of_people = {"--baseline": baseline, "--ceiling": ceiling, "--mixture-ceiling": mixture_ceiling}
        compared = {"--teacher": teacher is not None, "--teacher-maps": teacher_maps is not None}
        kept = {"--output": output is not None}
        refuse_unused("metrics: --agreement has none", False, {**of_metrics, **rows_of_people, **compared, **kept})
    names = [*models, *([teacher] if teacher else [])]
    parameters = parse_models(names, param, weights, sha256, device, max_model_size, distinct=False) if names else {}
    data = _open(dataset, split, images, allow_outside=allow_outside, fidelity=bool(teacher or teacher_maps or agree))
    measured = model_rows(models, maps, maps_output, data, parameters, postprocess)
    if agree:
        check_names(measured)
        with ConsoleProgress() as progress:
            found = pairwise_cc(data, measured, workers=workers, progress=progress)
        if plot is not None:
            heat_map(found, user_path(plot))
            console.print(escape(f"wrote {plot}"))
        if as_json:
            say(json.dumps(agreement_to_dict(found, per_image=per_image), indent=2))
        elif as_csv:
            say(csv_text(*agreement_records(found, per_image=per_image)))
        elif as_latex or as_markdown:
            say((agreement_to_latex if as_latex else agreement_to_markdown)(found, per_image=per_image))
        else:
            _print_agreement(found, per_image)
        return name_failures(found.failures)
    rows: list[Source] = [*measured]
    if maps_for_metrics:
        rows += for_metrics(measured)
    rows += [CenterBias()] * baseline + [HumanCeiling()] * ceiling + [MixtureCeiling()] * mixture_ceiling
    if next_fixation:
        rows = rows_for(rows)
    reference = _teacher(teacher, teacher_maps, teacher_size, data, parameters)
    if reference is not None:
        rows += constant_rows([row.name for row in measured if isinstance(row, ModelSource)], reference.name)
    if against is not None and against not in (known := [row.name for row in rows]):
        raise UsageError(f"--against '{against}'{nearest(against, known)} (rows: {', '.join(known)})")
    results = None if output is None else user_path(output)
    names_of_metrics = split_names(metrics)
    with ConsoleProgress() as progress:
        if next_fixation:
            of_next = names_of_metrics or OF_NEXT_FIXATION
            table = score_next(data, rows, of_next, folder=results, workers=workers, progress=progress)
        else:
            table = measure(
                data,
                rows,
                names_of_metrics or None,
                sigma=sigma,
                teacher=reference,
                folder=results,
                workers=workers,
                progress=progress,
            )
    table = replace(table, notes=(*table.notes, *worse_than_constant(table)))
    if plot is not None:
        bars(table, user_path(plot))
        console.print(escape(f"wrote {plot}"))
    if as_json:
        say(json.dumps(table.to_dict(per_image=per_image, against=against), indent=2))
    elif as_csv or as_latex or as_markdown:
        write = to_csv if as_csv else to_latex if as_latex else to_markdown
        say(write(table, per_image=per_image, against=against))
    else:
        _print(table, per_image, against)
    return name_failures(table.failures)


def _open(
    dataset: str | None, split: str | None, images: str | None, *, allow_outside: bool, fidelity: bool
) -> Dataset:
    if (dataset is None) == (images is None):
        raise UsageError("give --dataset NAME:PATH, or --images DIR with a teacher")
    if images is not None:
        if not fidelity:
            raise UsageError("--images alone has no ground truth; add --teacher NAME or --teacher-maps DIR")
        if not (path := user_path(images)).is_dir():
            raise UsageError(f"--images {images}: no such folder")
        return open_images(path)
    return open_dataset(str(dataset), split, allow_outside=allow_outside)


def _teacher(
    name: str | None,
    maps: Path | None,
    size: int | None,
    data: Dataset,
    parameters: dict[str, dict[str, Any]],
) -> ModelSource | MapSource | None:
    if maps is not None:
        return maps_teacher(maps, data)
    return None if name is None else model_teacher(name, parameters, size)


def _print_agreement(found: PairwiseCC, per_image: bool) -> None:
    grid = agreement_grid(found, per_image=per_image)
    standard_output(fold=False).print(figures_table(grid.header, grid.rows, names=2 if per_image else 1))
    say(f"\n{agreement_legend(found)}")


def _print(table: Evaluation, per_image: bool, against: str | None) -> None:
    page = standard_output()
    for grid in grids(table, per_image=per_image, against=against):
        # Of an image's figures the first two columns name the image and the model.
        page.print(figures_table(grid.header, grid.rows, names=2 if per_image else 1))
        page.print()
    for line in legend(table):
        page.print(escape(line), soft_wrap=True)
