"""The page itself: its parts in their order."""

from __future__ import annotations

from . import _about, _curves, _gallery, _tables
from ._html import Html, fragment, tag
from .content import Report
from .document import Part, document, facts


def page(report: Report) -> str:
    """Return a report as one HTML page that needs no other file and makes no request; see `document`."""
    return document(report.title, _parts(report), lead=[_lead(report), _facts(report)], footer=_footer(report))


def _parts(report: Report) -> list[Part]:
    parts = [Part("results", "Results", _tables.results(report)), Part("charts", "Charts", _tables.charts(report))]
    if (curves := _curves.curves(report)) is not None:
        parts.append(Part("curves", "Curves", curves))
    if (agreement := _tables.agreement(report)) is not None:
        parts.append(Part("agreement", "Agreement", agreement))
    if report.side_by_side:
        parts.append(Part("side-by-side", "Where the models differ", _walls(report)))
    parts.append(Part("models", "Models", _about.models(report)))
    parts.append(Part("metrics", "What the metrics mean", _about.metrics(report)))
    parts.append(Part("dataset", "Dataset", _about.dataset(report)))
    parts.append(Part("repeat", "Repeat it", _about.repeating(report)))
    return parts


def _walls(report: Report) -> Html:
    images = report.side_by_side
    order = [row for row in report.order() if not report.is_reference(row)]
    note = (
        f"Images whose {images[0].metric.title} differs most between the models. Each map is scaled from its minimum "
        "to its maximum; of a log density exp of it is shown."
    )
    return fragment(tag("p", note, class_="small muted"), [_gallery.wall(each, order) for each in images])


def _lead(report: Report) -> Html:
    card, split = report.card, report.evaluation.split
    return tag("p", f"{card.title}, split {split}. {card.meaning}", class_="lead")


def _facts(report: Report) -> Html:
    evaluation = report.evaluation
    pairs = [(f"{len(evaluation.images):,}", "images"), (str(len(report.models)), "models")]
    pairs += [(report.counts[label], label) for label in ("fixations", "observers an image") if label in report.counts]
    pairs.append((str(len(evaluation.metrics)), "metrics"))
    return facts(pairs)


def _footer(report: Report) -> str:
    environment = report.environment or {}
    made = ", ".join(environment[label] for label in ("salbox", "date") if label in environment)
    return f"Made by salbox {made}"
