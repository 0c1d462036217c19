"""The figures on the page: the table, the charts, the agreement matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..evaluation import Evaluation
from ..evaluation.result import interval_text
from ..metrics import Metric
from ._charts import Bar, interval_chart
from ._html import Child, Html, fragment, number, tag
from .content import Report

ARROWS = {"higher": "↑", "lower": "↓"}
_UNDEFINED = "–"
_MANY = 10  # more models than these make the agreement matrix a dense one, of two digits
_LEVEL = 0.05  # below it a row is told apart from the best


def results(report: Report) -> Html:
    """Return the table with intervals."""
    evaluation, order = report.evaluation, report.order()
    best = {m.name: _best(report, m, order) for m in evaluation.metrics}
    first = evaluation.metrics[0]
    head = [tag("th", tag("button", "model", type="button"), scope="col", data_first="ascending")]
    head += [_metric_head(metric, metric is first) for metric in evaluation.metrics]
    body = []
    for row in order:
        cells = [tag("th", _linked(report, row), scope="row", title=row, data_value=row)]
        cells += [_cell(evaluation, row, m, row in best[m.name]) for m in evaluation.metrics]
        body.append(tag("tr", cells, class_="reference" if report.is_reference(row) else None))
    return fragment(
        tag(
            "p",
            f"Means over {len(evaluation.images)} images. Under each figure the {interval_text()}.",
            _best_text(report),
            " Click a column's head to sort by it.",
            class_="small muted",
        ),
        _scrolling(tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="figures"), "Results"),
    )


def charts(report: Report) -> Html:
    """Return a chart for each metric."""
    figures = []
    for metric in report.evaluation.metrics:
        bars = [
            Bar(row, report.evaluation.estimate(row, metric.name), report.is_reference(row)) for row in report.order()
        ]
        caption = tag("figcaption", metric.title, " ", tag("span", f"{metric.direction} is better"))
        label = f"{metric.title} of each row with its interval; the figures are in the table of results"
        figures.append(tag("figure", caption, interval_chart(label, bars)))
    return fragment(
        tag("p", f"Dots are means over images, lines the {interval_text()}.", class_="small muted"),
        tag("div", figures, class_="charts"),
    )


def agreement(report: Report) -> Html | None:
    """Return the matrix of correlations as a heat table, in the order of the table of results."""
    if (found := report.agreement) is None:
        return None
    places = [found.names.index(row) for row in report.order() if row in found.names]
    is_dense = len(places) > _MANY
    names = [found.names[k] for k in places]
    head = tag("tr", tag("td"), [tag("th", tag("span", name), scope="col", title=name) for name in names])
    body = []
    for name, values in zip(names, found.matrix[np.ix_(places, places)].tolist(), strict=True):
        cells = [_heat_cell(value, 2 if is_dense else 3) for value in values]
        body.append(tag("tr", tag("th", name, scope="row", title=name), cells))
    table = tag("table", tag("thead", head), tag("tbody", body), class_="heat dense" if is_dense else "heat")
    explained = (
        "Linear correlation of every pair of models' maps, both brought to 320x240 by area, mean over "
        f"{found.images} images: 1 where two models say the same, 0 where they have nothing in common."
    )
    return fragment(tag("p", explained, class_="small muted"), _scrolling(table, "Agreement"))


def _heat_cell(value: float, digits: int) -> Html:
    style = f"--v:{min(abs(value), 1):.3f}"
    return tag("td", number(value, digits), class_="negative" if value < 0 else None, style=style)


def _linked(report: Report, row: str) -> Child:
    """Return a row's name, leading to what is said of the model."""
    place = next((k for k, part in enumerate(report.models) if part.name == row), None)
    return row if place is None else tag("a", row, href=f"#model-{place + 1}")


def _scrolling(table: Html, label: str) -> Html:
    # Reachable by keyboard, since it scrolls on narrow screens.
    return tag("div", table, class_="scroll", role="region", aria_label=label, tabindex=0)


def _metric_head(metric: Metric, is_first: bool) -> Html:
    first = "descending" if metric.direction == "higher" else "ascending"
    button = tag("button", f"{metric.title} {ARROWS[metric.direction]}", type="button", title=metric.formula)
    return tag("th", button, scope="col", data_first=first, aria_sort=first if is_first else None)


def _cell(evaluation: Evaluation, row: str, metric: Metric, is_best: bool) -> Html:
    found = evaluation.estimate(row, metric.name)
    if found is None:
        return tag("td", _UNDEFINED, title="not defined for this row's output")
    interval = tag("span", f"[{number(found.low)}, {number(found.high)}]", class_="interval")
    value = repr(found.value)
    return tag("td", number(found.value), interval, data_value=value, class_="best" if is_best else None)


def _best(report: Report, metric: Metric, rows: Sequence[str]) -> set[str]:
    """Return the best of the models in a metric and those that the bootstrap does not tell apart from it."""
    evaluation = report.evaluation
    sign = 1 if metric.direction == "higher" else -1
    values = {
        row: sign * found.value
        for row in rows
        if not report.is_reference(row) and (found := evaluation.estimate(row, metric.name)) is not None
    }
    if len(values) < 2:
        return set()
    winner = max(values, key=lambda row: values[row])
    differences = {row: evaluation.difference(row, metric.name, winner) for row in values}
    return {row for row, found in differences.items() if row == winner or (found is not None and found.p >= _LEVEL)}


def _best_text(report: Report) -> str:
    if len(report.models) < 2:
        return ""
    return (
        f" Set off by weight and colour: the best of the models, and those that the paired bootstrap does not tell "
        f"apart from it (p of at least {_LEVEL:g})."
    )
