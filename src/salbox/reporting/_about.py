"""What one has to know beside the figures: the dataset, the models, the metrics, how to repeat it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from ..metrics.meanings import MEANINGS
from ..models.cards import ModelCard, Paper
from ._gallery import examples
from ._html import Child, Html, fragment, tag
from ._tables import ARROWS
from .content import ModelPart, Report

_DOI = re.compile(r"10\.\d{4,9}/\S+")


def dataset(report: Report) -> Html:
    """Return what the figures are of."""
    card, evaluation = report.card, report.evaluation
    split = card.splits.get(evaluation.split)
    facts: dict[str, Child] = {
        "dataset": card.title,
        "what it is": card.meaning,
        "split": f"{evaluation.split}: {split}" if split else evaluation.split,
        **report.counts,
    }
    if evaluation.split in card.images:
        facts["published"] = f"{card.images[evaluation.split]:,} images in this split"
    if card.pixels_per_degree is not None:
        facts["pixels per degree"] = f"{card.pixels_per_degree:g}"
    if "density" in evaluation.facts:
        facts["density of fixations"] = evaluation.facts["density"]
    facts["masks"] = evaluation.facts.get("objects")
    facts["sizes"] = evaluation.facts.get("sizes")
    facts["licence"] = card.license
    facts["citation"] = None if card.paper is None else _citation(card.paper)
    return fragment(_definitions(facts), _remarks(report))


def models(report: Report) -> Html:
    """Return a part for each model: what it is, and its best and worst images."""
    return fragment(*(_model(part, place) for place, part in enumerate(report.models)))


def metrics(report: Report) -> Html:
    """Return what the metrics mean."""
    head = [tag("th", text, scope="col", class_="text") for text in ("metric", "what it means", "definition", "source")]
    body = [
        tag(
            "tr",
            tag("th", f"{m.title} {ARROWS[m.direction]}", scope="row"),
            tag("td", MEANINGS.get(m.name, ""), class_="text"),
            tag("td", m.formula, class_="text"),
            tag("td", m.source, class_="text"),
        )
        for m in report.evaluation.metrics
    ]
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="wide")
    return fragment(
        tag("p", "p is the map, q the density of fixations. ↑: higher is better, ↓: lower is.", class_="small muted"),
        tag("div", table, class_="scroll", role="region", aria_label="Metrics", tabindex=0),
    )


def repeating(report: Report) -> Html:
    """Return the command, and what it ran on."""
    parts: list[Child] = []
    if report.command:
        copy = tag("button", "Copy", type="button", class_="copy", hidden=True)
        parts.append(tag("div", tag("pre", tag("code", report.command)), copy, class_="command"))
    parts.append(_definitions(dict(report.environment or {})))
    return fragment(parts)


def _remarks(report: Report) -> Html | None:
    lines = [*report.evaluation.notes]
    failures = [*report.evaluation.failures, *report.failures]
    lines += [f"failed: {line}" for line in failures[:10]]
    lines += [f"and {len(failures) - 10} more failures"] if len(failures) > 10 else []
    if not lines:
        return None
    return tag("div", tag("ul", [tag("li", line) for line in lines]), class_="warning", role="note")


def _model(part: ModelPart, place: int) -> Html:
    card = part.card
    title = part.name if card is None or card.title == part.name else f"{part.name}: {card.title}"
    return tag(
        "div",
        tag("h3", title),
        tag("p", "Maps on disk.") if card is None else tag("p", card.summary),
        _definitions(_model_facts(part, card)),
        examples(part),
        class_="model",
        id=f"model-{place + 1}",
    )


def _model_facts(part: ModelPart, card: ModelCard | None) -> dict[str, Child]:
    if card is None:
        return {"settings": part.how}
    license = card.license
    return {
        "origin": card.origin,
        "settings": part.how,
        "licence": f"code: {license.code}; weights: {license.weights}; training data: {license.training_data}",
        "citation": None if card.paper is None else _citation(card.paper),
        "limits": _limits(card.limits),
    }


def _limits(limits: Sequence[str]) -> Html | None:
    if not limits:
        return None
    return tag("details", tag("summary", f"{len(limits)} known"), tag("ul", [tag("li", limit) for limit in limits]))


def _citation(paper: Paper) -> Html:
    text = f"{paper.authors}: {paper.title}. {paper.venue}, {paper.year}."
    link: Child = None
    if paper.doi and _DOI.fullmatch(paper.doi):
        address = f"https://doi.org/{quote(paper.doi, safe='/()')}"
        link = fragment(" ", tag("a", f"doi:{paper.doi}", href=address, rel="noopener noreferrer"))
    bibtex = tag("details", tag("summary", "BibTeX"), tag("pre", paper.bibtex)) if paper.bibtex else None
    return fragment(text, link, bibtex)


def _definitions(facts: Mapping[str, Child]) -> Html:
    pairs = [(tag("dt", label), tag("dd", value)) for label, value in facts.items() if value not in (None, "")]
    return tag("dl", *pairs)
