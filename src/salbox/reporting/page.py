"""The page itself: parts in their order, one file, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from . import _about, _curves, _gallery, _tables
from ._html import Html, fragment, tag
from .content import Report


def page(report: Report) -> str:
    """Return a report as one HTML page that needs no other file and makes no request.

    All texts are escaped; a content security policy forbids requests and any script but the page's own.
    """
    parts = _parts(report)
    style, script = _file("page.css"), _file("page.js")
    body = tag(
        "div",
        tag("header", tag("h1", report.title), _lead(report), _facts(report), _contents(parts)),
        tag("main", [_section(name, title, content) for name, title, content in parts]),
        _footer(report),
        class_="wrap",
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", report.title),
        # Without an icon of its own a page that a server gives out makes the browser ask for one.
        tag("link", rel="icon", href="data:,"),
        tag("style", style),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', body, tag('script', script)), lang='en')}\n"


def _file(name: str) -> Html:
    """Return the style sheet or the script, which stand in files beside this one, as the page carries it."""
    return Html("\n" + resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _policy(script: str) -> str:
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{own}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _parts(report: Report) -> list[tuple[str, str, Html]]:
    """Return (anchor, title, content) of each part."""
    parts = [("results", "Results", _tables.results(report)), ("charts", "Charts", _tables.charts(report))]
    if (curves := _curves.curves(report)) is not None:
        parts.append(("curves", "Curves", curves))
    if (agreement := _tables.agreement(report)) is not None:
        parts.append(("agreement", "Agreement", agreement))
    if report.side_by_side:
        parts.append(("side-by-side", "Where the models differ", _walls(report)))
    parts.append(("models", "Models", _about.models(report)))
    parts.append(("metrics", "What the metrics mean", _about.metrics(report)))
    parts.append(("dataset", "Dataset", _about.dataset(report)))
    parts.append(("repeat", "Repeat it", _about.repeating(report)))
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
    facts = [(f"{len(evaluation.images):,}", "images"), (str(len(report.models)), "models")]
    facts += [(report.counts[label], label) for label in ("fixations", "observers an image") if label in report.counts]
    facts.append((str(len(evaluation.metrics)), "metrics"))
    return tag("ul", [tag("li", tag("b", value), tag("span", label)) for value, label in facts], class_="facts")


def _contents(parts: list[tuple[str, str, Html]]) -> Html:
    links = [tag("li", tag("a", title, href=f"#{name}")) for name, title, _ in parts]
    return tag("nav", tag("ul", links), aria_label="Parts of the page")


def _section(name: str, title: str, content: Html) -> Html:
    return tag("section", tag("h2", title, id=f"{name}-title"), content, id=name, aria_labelledby=f"{name}-title")


def _footer(report: Report) -> Html:
    environment = report.environment or {}
    made = ", ".join(environment[label] for label in ("salbox", "date") if label in environment)
    return tag("footer", f"Made by salbox {made}")
