"""Curves of object models over the 256 thresholds: precision over recall, and F; the papers' usual two plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..evaluation import DEFAULTS, Evaluation
from ..metrics.objects import CURVES
from ._charts import COLORS, Line, line_chart
from ._html import Html, fragment, tag
from .content import ObjectCurves, Report

F_CURVE = "max_f"  # the metric that is a maximum of the F curve
_PRECISION, _RECALL = (metric.name for metric in CURVES)
_LOWEST_RECALL = 1 / 256  # below it a point of the curve is of hardly any predicted pixel


def with_curves(data: Dataset, metrics: Sequence[str] | None) -> Sequence[str] | None:
    """Return the metrics to compute for a page: where F's maximum is among them, precision and recall besides."""
    is_usual = metrics is None and data.gives == {"mask"}
    wanted = DEFAULTS["mask"] if is_usual else tuple(metrics or ())
    is_asked = F_CURVE in wanted or ("all" in wanted and "mask" in data.gives)
    return [*wanted, _PRECISION, _RECALL] if is_asked else metrics


def curves_of(evaluation: Evaluation) -> dict[str, ObjectCurves]:
    """Return {row: curves}, means over images, of the rows that have them."""
    return {
        row: ObjectCurves(*(values[name].mean(axis=0) for name in (_PRECISION, _RECALL, F_CURVE)))
        for row, values in evaluation.rows.items()
        if {_PRECISION, _RECALL, F_CURVE} <= values.keys()
    }


def without_curves(evaluation: Evaluation) -> Evaluation:
    """Return an evaluation without what only `curves_of` is for."""
    names = {metric.name for metric in CURVES}
    rows = {row: {k: v for k, v in values.items() if k not in names} for row, values in evaluation.rows.items()}
    return replace(evaluation, metrics=tuple(m for m in evaluation.metrics if m.name not in names), rows=rows)


def curves(report: Report) -> Html | None:
    """Return both plots and their legend; None if no row has curves."""
    found = {row: report.curves[row] for row in report.order() if row in report.curves}
    if not found:
        return None
    plots = [
        ("Precision over recall", "recall", "precision", {row: _over_recall(each) for row, each in found.items()}),
        ("F over the threshold", "threshold", "F", {row: (_thresholds(), each.f) for row, each in found.items()}),
    ]
    figures = [
        tag("figure", tag("figcaption", title), line_chart(_label(title, found), _lines(values), across, up))
        for title, across, up, values in plots
    ]
    legend = [tag("li", tag("i", class_=f"line line-{place % COLORS}"), row) for place, row in enumerate(found)]
    explained = (
        "Means over the images at each threshold, 0 to 255, of the map in 8 bits; a model that is sure of its object "
        "has curves that stay high and flat."
    )
    return fragment(
        tag("p", explained, class_="small muted"),
        tag("ul", legend, class_="legend"),
        tag("div", figures, class_="charts curves"),
    )


def _over_recall(each: ObjectCurves) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    kept = each.recall > _LOWEST_RECALL
    return each.recall[kept], each.precision[kept]


def _thresholds() -> npt.NDArray[np.float64]:
    return np.arange(255.0, -1, -1, dtype=np.float64)


def _lines(values: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]) -> list[Line]:
    return [Line(row, x, y) for row, (x, y) in values.items()]


def _label(title: str, rows: Mapping[str, ObjectCurves]) -> str:
    return f"{title} of {', '.join(rows)}; the best F of each is in the table of results"
