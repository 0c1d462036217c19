"""Salient-object models: how good, how large, how fast, beside what a paper prints; ablations; best and worst photos.

Models are names, paths or run folders, each perhaps with a label in front; ablations are run folders in groups, whose
first is what the others are compared with. Figures are kept in salbox's cache: a second run goes on. Contact sheets of
the first model go to runs/objects, for the photos may not be handed on. Writes docs/results/objects.md.

    python benchmarks/objects.py scfnet scfnet.kd u2netp.onnx [LABEL=PATH ...]
        [--ablation table3 BCE=runs/bce Dice=runs/dice ...] [--weights isnet=FILE] [--note "isnet=saw DUTS-TE"]
        [--data ecssd:PATH ...] [--limit N] [--page FILE.md]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from _distilling import RUNS, Printer, read_csv
from _object_sheet import draw_extremes
from _tables import RESULTS, SHARED, markdown_table, provenance, write_page

from salbox.bench import Cost, bench
from salbox.datasets import Dataset, open_dataset
from salbox.evaluation import Evaluation, ModelSource, evaluate
from salbox.evaluation.bootstrap import Estimate
from salbox.evaluation.published import SOURCE, TEST_PHOTOS, published_objects
from salbox.evaluation.result import interval_text
from salbox.imaging.writing import atomic
from salbox.metrics import get_metric
from salbox.metrics.objects import settings
from salbox.models.exported import packaged
from salbox.models.loading import card
from salbox.models.specs import parse_models
from salbox.runtime.fingerprint import weights_fingerprint

PAGE = Path("objects.md")
FIGURES = RESULTS / "objects" / "figures.json"
SHIPPED = ("scfnet", "scfnet.kd")
METRICS = ("mae", "max_f", "mean_f", "adaptive_f", "weighted_f", "max_e", "mean_e", "adaptive_e", "s_measure")
COMPARED = ("mae", "max_f", "mean_e")  # in the tables of ablations
SIZE = (352, 352)  # of the photo that speed is measured with
HEAVY = 2e6  # parameters, above which a published method is shown in the cost table only if it is a teacher
TEACHERS = ("SCFNet-R50",)
PUBLISHED = {"table2": "kd_scfnet_table2_distillation.csv", "table3": "kd_scfnet_table3_ablation.csv"}


@dataclass(frozen=True)
class Row:
    """A model with the label that the page gives it."""

    label: str
    source: ModelSource


def rows_of(named: Sequence[str], weights: Sequence[str]) -> list[Row]:
    """Return the rows that texts mean, each NAME or LABEL=NAME."""
    labels = dict(text.split("=", 1)[::-1] if "=" in text else (text, text) for text in named)
    mine = [text for text in weights if text.partition("=")[0] in labels]
    parsed = parse_models(list(labels), (), mine)
    return [Row(labels[name], ModelSource(name, keywords)) for name, keywords in parsed.items()]


def measured(data: Dataset, rows: Sequence[Row], metrics: Sequence[str]) -> Evaluation:
    """Return the figures of rows on a data set, under their labels."""
    table = evaluate(data, [row.source for row in rows], metrics, workers=None, progress=Printer())
    labels = {row.source.name: row.label for row in rows}
    return replace(table, rows={labels[name]: values for name, values in table.rows.items()})


def costs_table(rows: Sequence[Row], costs: Sequence[Cost]) -> str:
    """Return parameters, multiply-adds and speed, and those of the paper's small networks and teacher."""
    found = {cost.model: cost for cost in costs}
    lines = []
    for row in rows:
        cost = found[row.source.name]
        lines.append(
            [f"`{row.label}`", _count(cost.parameters), _count(cost.macs), f"{cost.images_per_second:.3g}",
             f"{cost.latency_median * 1e3:.1f}", _count(cost.file_bytes)]
        )  # fmt: skip
    lines += [
        [f"{each.method} ({SOURCE})", _count(each.parameters), _count(each.macs), "", "", ""]
        for each in published_objects("ecssd")
        if each.parameters < HEAVY or each.method in TEACHERS
    ]
    head = ("model", "parameters", "multiply-adds", "images a second", "latency, ms", "bytes of the file")
    return markdown_table(head, lines, figures=5)


def accuracy_table(data: Dataset, table: Evaluation, notes: Mapping[str, str]) -> str:
    """Return all metrics of all rows on a data set, with intervals, and what the paper prints."""
    head = ["model", *(f"{get_metric(name).title}" for name in METRICS)]
    lines = [
        [f"`{row}`{f' ({notes[row]})' if row in notes else ''}", *(_cell(table.estimate(row, m)) for m in METRICS)]
        for row in table.rows
    ]
    return markdown_table(head, lines, figures=len(METRICS))


def published_table(dataset: str) -> str:
    """Return what the paper prints of all methods; apart, for it does not say which F and E it means."""
    lines = [
        [each.method, *(f"{each.figures[name]:.3f}" for name in ("mae", "f", "e"))]
        for each in published_objects(dataset)
    ]
    return markdown_table((SOURCE, "M", "F", "E"), lines, figures=3)


def ablation(title: str, rows: Sequence[Row], sets: Sequence[Dataset]) -> Iterator[str]:
    """Yield a table of runs on each data set with the differences to the first run, and the paper's table."""
    yield f"## Ablation: {title}"
    first = rows[0].label
    for data in sets:
        table = measured(data, rows, COMPARED)
        lines = []
        for row in table.rows:
            cells = [_cell(table.estimate(row, m)) for m in COMPARED]
            between = table.difference(row, "mae", first)
            base = table.estimate(first, "mae")
            if row == first or between is None or base is None:
                lines.append([f"`{row}`", *cells, ""])
            else:
                ends = f"[{between.low / base.value:+.1%}, {between.high / base.value:+.1%}]"
                lines.append([f"`{row}`", *cells, f"{between.value / base.value:+.1%} {ends}"])
        head = ("run", *(get_metric(m).title for m in COMPARED), f"M against `{first}`")
        yield f"{data.card.title}, {len(table.images)} photos:"
        yield markdown_table(head, lines, figures=len(head) - 1)
    if title in PUBLISHED:
        printed = read_csv(SHARED / "published" / PUBLISHED[title])
        yield f"As published ({SOURCE.replace('table 1', title.replace('table', 'table '))}):"
        yield markdown_table(list(printed[0]), [list(line.values()) for line in printed], figures=len(printed[0]) - 1)


def _cell(found: Estimate | None) -> str:
    return "–" if found is None else f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _count(number: float | None) -> str:
    if number is None:
        return "–"
    unit, size = next(((u, s) for u, s in (("G", 1e9), ("M", 1e6), ("k", 1e3)) if number >= s), ("", 1.0))
    return f"{number / size:.3g} {unit}".strip()


def page(arguments: argparse.Namespace) -> str:
    """Return the page."""
    rows = rows_of(arguments.models, arguments.weights)
    sets = [open_dataset(text, "test") for text in arguments.data]
    sets = [data.subset(range(min(arguments.limit, len(data))), "the first ones") for data in sets]
    notes = dict(text.split("=", 1) for text in arguments.note)
    tables = [measured(data, rows, METRICS) for data in sets]
    keywords = {row.source.name: dict(row.source.parameters) for row in rows}
    costs = bench(keywords, [SIZE], threads=arguments.threads, repeat=arguments.repeat)
    parts = [
        "# Salient objects",
        provenance(("salbox", "numpy", "onnxruntime", "pysodmetrics")) + " Written by `benchmarks/objects.py`.",
        f"How to read and repeat it: [Object models](../objects.md). In brackets the {interval_text()}.",
        "## What they cost",
        f"A photo of {SIZE[0]}x{SIZE[1]} pixels, on {costs[0].threads} of the cores; of the paper what it prints.",
        costs_table(rows, costs),
    ]
    for data, table in zip(sets, tables, strict=True):
        parts += [f"## {data.card.title}: {len(table.images)} of its test photos", accuracy_table(data, table, notes)]
        parts += [f"- {note}" for note in table.notes if note != "the first ones"]
        if data.card.name in TEST_PHOTOS:
            parts += ["All of its test photos, as published:", published_table(TEST_PHOTOS[data.card.name])]
        best = rows[0]
        draw_extremes(data, table, best.label, best.source, RUNS / "objects")
    parts.append(
        f"How: {settings()}. The paper's figures are of maps that its authors were given, with an F and an E of "
        "which it does not say at what threshold."
    )
    if arguments.page == PAGE:
        keep_figures(rows, sets, tables)
    limits = [f"- `{row.label}`: {limit}" for row in rows for limit in card(row.source.name).limits]
    parts += ["## Known limits", "\n".join(limits)] if limits else []
    for title, *named in arguments.ablation:
        parts += ablation(title, rows_of(named, ()), sets)
    return "\n\n".join(parts)


def keep_figures(rows: Sequence[Row], sets: Sequence[Dataset], tables: Sequence[Evaluation]) -> None:
    """Write the figures of networks that ship, with what tells which networks they are, for their cards."""
    shipped = [row.label for row in rows if row.label in SHIPPED]
    found = {
        "weights": {name: weights_fingerprint(Path(packaged(f"{name}.onnx"))) for name in shipped},
        "sets": {
            data.card.title: {
                "photos": len(table.images),
                "rows": {
                    name: {metric: value.value for metric in METRICS if (value := table.estimate(name, metric))}
                    for name in shipped
                },
            }
            for data, table in zip(sets, tables, strict=True)
        },
    }
    with atomic(FIGURES) as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = [f"{name}:{SHARED / 'data' / folder}" for name, folder in (("duts", "DUTS-TE"), ("ecssd", "ECSSD"))]
    parser.add_argument("models", nargs="+", metavar="[LABEL=]MODEL")
    parser.add_argument("--ablation", nargs="+", action="append", default=[], metavar=("TITLE", "[LABEL=]RUN"))
    parser.add_argument("--weights", action="append", default=[], metavar="MODEL=FILE")
    parser.add_argument("--note", action="append", default=[], metavar="LABEL=TEXT")
    parser.add_argument("--data", nargs="+", default=usual, metavar="NAME:PATH")
    parser.add_argument("--limit", type=int, default=10**6, metavar="N", help="photos of each data set")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--page", type=Path, default=PAGE, help="where to, within docs/results")
    arguments = parser.parse_args()
    write_page(str(arguments.page), page(arguments))


if __name__ == "__main__":
    main()
