"""`salbox metrics`: what can be measured, and what each metric says."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ..metrics import METRICS, Metric, get_metric
from ..metrics.meanings import MEANINGS
from ..models.specs import split_names
from .options import OUTPUT
from .output import escape, facts_table, plain_table, say, standard_output

# What a metric compares a map with -> a heading, and what has it.
_KINDS = {
    "fixations": "Against where people looked: data sets of fixations",
    "density": "Against a density of fixations: data sets of fixations, or of fixation maps",
    "mask": "Against masks of objects",
    "teacher": "Against another model's maps: --teacher, --teacher-maps",
}


def metrics(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Say of these in full what they measure.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """List the metrics, or say in full what some measure: formula, source, what they need and which maps they take.

    Examples:

      salbox metrics

      salbox metrics nss auc_judd

      salbox metrics --json
    """
    chosen = [get_metric(name.lower()) for name in split_names(names or ())]
    if as_json:
        say(json.dumps([_to_dict(metric) for metric in chosen or METRICS.values()], indent=2))
    elif chosen:
        for metric in chosen:
            _print_in_full(metric)
    else:
        _print_list()


def _print_list() -> None:
    console = standard_output()
    width = max(map(len, METRICS))
    for kind, heading in _KINDS.items():
        console.print(f"[bold]{escape(heading)}[/bold]")
        table = plain_table()
        table.add_column(width=width, no_wrap=True)
        table.add_column(width=4, no_wrap=True)  # which way is better
        table.add_column(overflow="fold")
        for metric in METRICS.values():
            if metric.needs[0] == kind:
                table.add_row(metric.name, "high" if metric.direction == "higher" else "low", escape(_meaning(metric)))
        console.print(table)
        console.print()
    console.print(
        "high, low: which is better. 'salbox metrics NAME' says more; 'salbox evaluate --metrics' takes them."
    )


def _print_in_full(metric: Metric) -> None:
    console = standard_output()
    console.print(f"[bold]{escape(metric.name)}[/bold]  {escape(metric.title)}\n{escape(_meaning(metric))}\n")
    console.print(
        facts_table(
            [
                ("better", metric.direction),
                ("formula", metric.formula),
                ("source", metric.source),
                ("needs", ", ".join(metric.needs)),
                ("takes maps that are", ", ".join(metric.accepts)),
                ("of a log density", "exp of the map" if metric.reads == "density" else "the map itself"),
            ]
        )
    )
    console.print()


def _meaning(metric: Metric) -> str:
    """Return what a metric means; of a curve, which is in no list, its formula."""
    return MEANINGS.get(metric.name, metric.formula)


def _to_dict(metric: Metric) -> dict[str, object]:
    return {
        "name": metric.name,
        "title": metric.title,
        "meaning": _meaning(metric),
        "formula": metric.formula,
        "source": metric.source,
        "direction": metric.direction,
        "needs": list(metric.needs),
        "accepts": list(metric.accepts),
    }
