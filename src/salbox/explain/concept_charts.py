"""What a network looks at: charts of its concepts, and the table of them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..evaluation.bootstrap import Estimate
from ..reporting.document import Bar, Html, fragment, interval_chart, scrolling, tag
from .content import Page
from .pieces import basis_link, both_ends, concept_cell, count_cell, head_cell, value_cell

if TYPE_CHECKING:
    import pandas as pd

BARS = 16  # concepts of each sign in a chart
ROWS = 400  # of a table


def concepts(page: Page) -> Html:
    """Return the part of the page that says which concepts count, as far as it is known."""
    table = page.contributions
    if table is None:
        return _found_concepts(page)
    rising, falling = table[table["scaled"] > 0].head(BARS), table[table["scaled"] < 0].iloc[::-1].head(BARS)
    charts = []
    for title, rows in (("Makes salient", rising), ("Takes saliency away", falling)):
        if len(rows):
            charts.append(_figure(title, "scaled by the largest of its sign", _bars(rows, "concept")))
    if page.categories is not None and len(page.categories) > 1:
        charts.append(
            _figure("Categories", "sums over their concepts, scaled likewise", _bars(page.categories, "category"))
        )
    body = [
        tag(
            "tr",
            concept_cell(str(row["concept"])),
            value_cell(row["scaled"], (row["low"], row["high"])),
            value_cell(row["contribution"]),
            count_cell(row["photos"]),
        )
        for row in both_ends(table, ROWS).to_dict("records")
    ]
    head = tag(
        "tr",
        head_cell("concept", "ascending"),
        head_cell("scaled", "descending", is_first=True),
        head_cell("contribution", "descending"),
        head_cell("photos", "descending"),
    )
    whole = tag("table", tag("thead", head), tag("tbody", body), class_="figures")
    left_out = f" (the {ROWS} at both ends of {len(table):,})" if len(table) > ROWS else ""
    return fragment(
        tag(
            "p",
            "Dots are contributions, lines their 95 % intervals by the bootstrap over photos. A concept is positive "
            "where bases that cover it add to saliency; compare concepts with each other rather than with zero.",
            class_="small muted",
        ),
        tag("div", charts, class_="charts"),
        tag("details", tag("summary", f"All concepts{left_out}"), scrolling(whole, "Concepts")),
    )


def _found_concepts(page: Page) -> Html:
    body = [
        tag(
            "tr",
            concept_cell(str(row["concept"])),
            value_cell(row["iou"], (row["low"], row["high"])),
            tag("td", basis_link(int(row["basis"]), page), data_value=int(row["basis"])),
            count_cell(row["photos"]),
        )
        for row in page.concepts.head(ROWS).to_dict("records")
    ]
    head = tag(
        "tr",
        head_cell("concept", "ascending"),
        head_cell("IoU", "descending", is_first=True),
        head_cell("channel", "ascending"),
        head_cell("photos", "descending"),
    )
    whole = tag("table", tag("thead", head), tag("tbody", body), class_="figures")
    note = "Of each concept the channel that covers it best, with the 95 % interval of the mean IoU over photos."
    return fragment(tag("p", note, class_="small muted"), scrolling(whole, "Concepts"))


def _bars(table: pd.DataFrame, name: str) -> list[Bar]:
    """Return a bar for each row: its `name`, "scaled", and its interval if it has one."""
    has = "low" in table
    return [
        Bar(str(row[name]), Estimate(row["scaled"], *((row["low"], row["high"]) if has else (row["scaled"],) * 2)))
        for row in table.to_dict("records")
    ]


def _figure(title: str, note: str, rows: Sequence[Bar]) -> Html:
    """Return a chart under its title."""
    label = f"{title}: {note}; the figures are in the table below"
    return tag("figure", tag("figcaption", title, " ", tag("span", note)), interval_chart(label, rows))
