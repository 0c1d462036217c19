"""`salbox bench`: what models cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from ..bench import REPEAT, Cost
from ..bench import bench as measure_costs
from ..datasets import open_dataset
from ..errors import UsageError
from ..evaluation import ModelSource, evaluate
from ..evaluation.bootstrap import Estimate
from ..evaluation.cost_plot import Measured, cost_plot, read_figures
from ..evaluation.evaluating import usual_metrics
from ..evaluation.published import TEST_PHOTOS, Published, published_objects
from ..imaging.figures import check_figure
from ..imaging.writing import atomic
from ..metrics import Metric, get_metric
from ..models.specs import parse_models
from ..paths import user_path
from .options import (
    OUTPUT,
    ChannelsLast,
    Device,
    MaxModelSize,
    ModelHashes,
    ModelNames,
    ModelParameters,
    ModelWeights,
    Precision,
    refuse_unused,
)
from .output import escape, figures_table, say, standard_output, to_csv
from .progress import ConsoleProgress, console

F_MAXIMUM = "max_f"
NONE = "none"  # of --published

_UNITS = (("G", 1e9), ("M", 1e6), ("k", 1e3))


def bench(
    models: ModelNames,
    sizes: Annotated[
        list[str], typer.Option("--size", metavar="WxH", help="The photo's size in pixels. Repeatable.")
    ] = ["640x480"],  # noqa: B006
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", help="By default all cores, or SALBOX_THREADS.")
    ] = None,
    repeat: Annotated[int, typer.Option("--repeat", metavar="N", help="Timed runs a model and size.")] = REPEAT,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    device: Device = None,
    max_model_size: MaxModelSize = None,
    precision: Precision = "float32",
    channels_last: ChannelsLast = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Draw how good they are over what they cost: .png, .pdf, .svg.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset",
            metavar="NAME:PATH",
            help="Measure how good they are there, for --plot.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Or take it from what 'salbox evaluate --csv' printed.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="Drawn by --plot.  [default: max_f if there is one]",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    published: Annotated[
        str | None,
        typer.Option(
            "--published",
            metavar="NAME",
            help="Draw a paper's figures beside them: duts-te, ecssd, hku-is, dut-omron, pascal-s or none.  "
            "[default: those of --dataset]",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON, in bytes and seconds.", rich_help_panel=OUTPUT)
    ] = False,
    csv_file: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write the figures as CSV, in bytes and seconds.", rich_help_panel=OUTPUT
        ),
    ] = None,
) -> None:
    """Measure what models cost: parameters, MACs, FLOPs, file size, load time, latency, images per second, memory.

    Each is measured in a fresh process that is held to so many threads; models are timed in turn, run by run.

    parameters: learned numbers a map is computed with. MACs: multiply-adds in convolutions and matrix products for
    one photo. FLOPs: two a multiply-add, one for each number that any other operator of the network gives. Classical
    models have none of these. file: the file with the weights. load: with the libraries that loading imports.
    latency: one photo, from pixels to the map at its size; p95: one run in twenty takes longer. images/s: a batch of
    8 given at once where the model takes one, else one after another. memory: peak while maps are computed, less what
    Python and salbox took before loading; with --device cuda also on GPU: the most that PyTorch held there. With
    --precision half or --channels-last also difference: the largest from the model's map without them, as a share of
    that map's range.

    Examples:

      salbox bench -m gbvs,imsig

      salbox bench -m runs/mine,fastgaze --weights fastgaze=fastgaze_fp32.npz --size 640x480 --size 1920x1080

      salbox bench -m runs/mine --threads 1 --repeat 100 --json

      salbox bench -m unisal --weights weights_best.pth --device cuda --precision half --channels-last

      salbox bench -m u2netp.onnx,runs/objects --plot costs.png --dataset ecssd:~/data/ECSSD --metric mae

      salbox bench -m u2netp.onnx,runs/objects --plot costs.png --against results.csv --published duts-te
    """
    _check_plot(plot, dataset, against, metric, published)
    parsed = parse_models(models, param, weights, sha256, device, max_model_size)
    accuracy = None if plot is None else _accuracy(parsed, dataset, against, metric, published)
    costs = measure_costs(
        parsed,
        [_size(text) for text in sizes],
        threads=threads,
        repeat=repeat,
        precision=precision,
        channels_last=channels_last,
    )
    if csv_file is not None:
        with atomic(user_path(csv_file)) as temporary:
            rows = [cost.to_dict() for cost in costs]
            temporary.write_text(to_csv(list(rows[0]), [list(row.values()) for row in rows]) + "\n", encoding="utf-8")
    if plot is not None and accuracy is not None:
        _draw(costs, accuracy, user_path(plot))
        console.print(escape(f"wrote {plot}"))
    if as_json:
        say(json.dumps([cost.to_dict() for cost in costs], indent=2))
    else:
        _print(costs)


class _Accuracy(NamedTuple):
    """How good models are in a metric, in words where, and what a paper prints of others there."""

    metric: Metric
    figures: dict[str, Estimate]
    where: str
    published: tuple[Published, ...]


def _check_plot(
    plot: Path | None, dataset: str | None, against: Path | None, metric: str | None, published: str | None
) -> None:
    """Raise a UsageError, before anything is measured, for options that do nothing or exclude each other."""
    given = {"--dataset": dataset, "--against": against, "--metric": metric, "--published": published}
    refuse_unused("--plot", plot, given)
    if plot is None:
        return
    check_figure(plot)
    if (dataset is None) == (against is None):
        raise UsageError("--plot needs figures: --dataset NAME:PATH, or --against FILE of 'salbox evaluate --csv'")
    if metric is not None:
        get_metric(metric)
    if published not in (None, NONE):
        published_objects(published)


def _accuracy(
    models: Mapping[str, Mapping[str, Any]],
    dataset: str | None,
    against: Path | None,
    metric: str | None,
    published: str | None,
) -> _Accuracy:
    """Return how good the models are, measured on a dataset or read from a file."""
    if against is not None:
        chosen, found = read_figures(user_path(against), metric)
        where, beside = against.name, published
    else:
        data = open_dataset(str(dataset))
        usual = F_MAXIMUM if data.gives == {"mask"} else next(iter(usual_metrics(data)), None)
        names = [name] if (name := metric or usual) else None
        rows = [ModelSource(name, keywords) for name, keywords in models.items()]
        with ConsoleProgress() as progress:
            table = evaluate(data, rows, names, progress=progress)
        chosen, where = table.metrics[0], f"{table.dataset}, split {table.split}, {len(table.images)} images"
        found = {row: each for row in table.rows if (each := table.estimate(row, chosen.name)) is not None}
        beside = published or TEST_PHOTOS.get(data.card.name)
    if missing := [name for name in models if name not in found]:
        raise UsageError(f"no {chosen.name} of {', '.join(missing)} ({where} has {', '.join(found) or 'none'})")
    return _Accuracy(chosen, found, where, () if beside in (None, NONE) else published_objects(beside))


def _draw(costs: list[Cost], accuracy: _Accuracy, path: Path) -> None:
    first = costs[0]
    drawn = [
        Measured(cost.model, accuracy.figures[cost.model], cost.parameters, cost.macs, cost.images_per_second)
        for cost in costs
        if (cost.width, cost.height) == (first.width, first.height)
    ]
    how = f"photo of {first.width}x{first.height}, {first.threads} thread{'s' if first.threads > 1 else ''}"
    cost_plot(accuracy.metric, drawn, accuracy.published, path, title=f"{accuracy.where}; {how}")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise UsageError(f"size '{text}': expected WIDTHxHEIGHT in pixels, such as 640x480")
    return int(width), int(height)


def _print(costs: list[Cost]) -> None:
    rows = [_cells(cost) for cost in costs]
    # Memory on a GPU and the difference are left out where no network ran there, or in another way.
    header = [head for head in rows[0] if any(row[head] is not None for row in rows)]
    # Not folded: a figure whose digits stand in two lines cannot be read.
    console = standard_output(fold=False)
    console.print(figures_table(header, [[row[head] or "-" for head in header] for row in rows]))
    first = costs[0]
    ways = [f"{first.threads} threads", *([first.precision] if first.precision != "float32" else [])]
    ways += ["channels last"] if first.channels_last else []
    console.print(f"{', '.join(ways)}; 'salbox bench --help' says what each figure means")


def _cells(cost: Cost) -> dict[str, str | None]:
    """Return {column: cell}; None for a figure that no network has that runs as networks usually do."""
    return {
        "model": cost.model,
        "size": f"{cost.width}x{cost.height}",
        "parameters": "-" if cost.parameters is None else f"{cost.parameters:,}",
        "MACs": _scaled(cost.macs),
        "FLOPs": _scaled(cost.flops),
        "file": _megabytes(cost.file_bytes),
        "load": f"{cost.load_seconds:.2f} s",
        "latency": f"{cost.latency_median * 1e3:.1f} ms",
        "p95": f"{cost.latency_p95 * 1e3:.1f} ms",
        "images/s": f"{cost.images_per_second:.3g}",
        "memory": _megabytes(cost.peak_memory_bytes),
        "on GPU": None if cost.gpu_memory_bytes is None else _megabytes(cost.gpu_memory_bytes),
        "difference": None if cost.difference is None else f"{cost.difference:.1e}",
    }


def _scaled(number: int | None) -> str:
    if number is None:
        return "-"
    unit, size = next(((u, s) for u, s in _UNITS if number >= s), ("", 1.0))
    return f"{number / size:.3g} {unit}".strip()


def _megabytes(number: int | None) -> str:
    return "-" if number is None else f"{number / 1e6:.3g} MB"
