"""Two explanations on one page: what rises, what falls, and every concept in a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluation.bootstrap import Estimate
from ..imaging.writing import atomic
from ..reporting.document import Bar, Html, Part, document, facts, fragment, interval_chart, scrolling, tag
from ..version import __version__
from .comparison import Comparison, compare
from .pieces import both_ends, concept_cell, count_cell, head_cell, value_cell

if TYPE_CHECKING:
    import pandas as pd

BARS = 16  # concepts of a chart
ROWS = 800  # of the table


def write_comparison(first: Path | str, second: Path | str, output: Path, **options: Any) -> Comparison:
    """Write two explanations side by side as one HTML page, and return the comparison; see `compare`."""
    found = compare(first, second, **options)
    with atomic(output) as temporary:
        temporary.write_text(html(found), encoding="utf-8")
    return found


def html(found: Comparison) -> str:
    """Return a comparison as one HTML page that needs no other file; see `reporting.document`."""
    first, second = found.names
    parts = [
        Part("changes", "What changes", _changes(found)),
        Part("table", "All concepts", _table(found)),
        Part("meaning", "What the numbers mean", _meaning(found)),
    ]
    return document(
        f"From {first} to {second}",
        parts,
        lead=[tag("p", _lead(found), class_="lead"), facts(_facts(found))],
        footer=f"Made by salbox {__version__}",
    )


def _lead(found: Comparison) -> str:
    first, second = found.names
    what = "count for more" if found.by_weight else "are covered better"
    return f"Which concepts {what} in {second} than in {first}, and which less."


def _facts(found: Comparison) -> list[tuple[str, str]]:
    table = found.table
    order = float(table["first"].rank().corr(table["second"].rank()))
    return [
        (f"{len(table):,}", "concepts in common"),
        (f"{len(found.certain):,}", "whose interval leaves zero out"),
        (f"{order:.2f}".replace("-", "\N{MINUS SIGN}"), "rank correlation of the two"),
    ]


def _changes(found: Comparison) -> Html:
    table = found.table
    rising, falling = table[table["difference"] > 0].head(BARS), table[table["difference"] < 0].iloc[::-1].head(BARS)
    first, second = found.names
    charts = [
        _figure(title, rows, "difference")
        for title, rows in ((f"More in {second}", rising), (f"Less in {second}", falling))
        if len(rows)
    ]
    for name, column in ((first, "first"), (second, "second")):
        ends = both_ends(table.sort_values(column, ascending=False), BARS)
        charts.append(_figure(f"{name}: highest and lowest", ends, column))
    note = "Lines are 95 % intervals by the bootstrap over photos" + (
        ", the same ones drawn for both." if found.same_photos else ", drawn apart: the two have other photos."
    )
    return fragment(tag("p", note, class_="small muted"), tag("div", charts, class_="charts"))


def _figure(title: str, rows: pd.DataFrame, column: str) -> Html:
    bars = []
    for row in rows.to_dict("records"):
        value = row[column]
        ends = (row["low"], row["high"]) if column == "difference" else (value, value)
        bars.append(Bar(str(row["concept"]), Estimate(value, *ends)))
    label = f"{title}; the figures are in the table of all concepts"
    return tag("figure", tag("figcaption", title), interval_chart(label, bars))


def _table(found: Comparison) -> Html:
    first, second = found.names
    body = [
        tag(
            "tr",
            concept_cell(str(row["concept"])),
            value_cell(row["difference"], (row["low"], row["high"])),
            value_cell(row["first"]),
            value_cell(row["second"]),
            count_cell(row["photos"]),
        )
        for row in both_ends(found.table, ROWS).to_dict("records")
    ]
    head = tag(
        "tr",
        head_cell("concept", "ascending"),
        head_cell("difference", "descending", is_first=True),
        head_cell(first, "descending"),
        head_cell(second, "descending"),
        head_cell("photos", "descending"),
    )
    return scrolling(tag("table", tag("thead", head), tag("tbody", body), class_="figures"), "Concepts")


def _meaning(found: Comparison) -> Html:
    if found.by_weight:
        lines = [
            "Figures are contributions to saliency, divided by the root of their mean square over the concepts in "
            "common: two networks have no common scale. A concept that shares in no basis is at 0.",
            "What all bases add or take away everywhere is among them: compare concepts with each other rather than "
            "with zero.",
        ]
    else:
        lines = [
            "Figures are the best mean IoU that any channel of the network has with a concept: how well it is told "
            "apart, not whether it makes salient. Networks of more channels have higher ones.",
        ]
    lines.append("An interval that leaves zero out says that other photos of this kind would show the same sign.")
    return tag("ul", [tag("li", line) for line in lines], class_="small")
