"""`salbox bench`: what models cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..bench import REPEAT, Cost
from ..bench import bench as measure_costs
from ..errors import UsageError
from ..imaging.writing import atomic
from ..models.specs import parse_models
from ..paths import user_path
from .options import (
    ChannelsLast,
    Device,
    MaxModelSize,
    ModelHashes,
    ModelNames,
    ModelParameters,
    ModelWeights,
    Precision,
)
from .output import figures_table, say, standard_output, to_csv

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
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON, in bytes and seconds.")] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the figures as CSV, in bytes and seconds.")
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
    """
    costs = measure_costs(
        parse_models(models, param, weights, sha256, device, max_model_size),
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
    if as_json:
        say(json.dumps([cost.to_dict() for cost in costs], indent=2))
    else:
        _print(costs)


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
