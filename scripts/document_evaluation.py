"""Write the tables of docs/evaluate.md and docs/losses.md from what metrics, datasets and losses say of themselves."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from salbox.datasets import DATASETS, dataset_card
from salbox.evaluation.formats import markdown_table
from salbox.losses import LOSSES
from salbox.metrics import METRICS

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = (DOCS / "evaluate.md", DOCS / "losses.md")


def documented(page: str) -> str:
    """Return the page with its tables written anew."""
    for name, table in (("datasets", dataset_table), ("metrics", metric_table), ("losses", loss_table)):
        pattern = re.compile(rf"(<!-- {name}: [^\n]* -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        page = pattern.sub(lambda found, table=table: f"{found[1]}\n{table()}\n\n{found[2]}", page)
    return page


def metric_table() -> str:
    """Return a line for each metric."""
    return markdown_table(
        ("name", "title", "formula", "source", "better", "defined for", "compares with"),
        [
            (f"`{m.name}`", m.title, m.formula, m.source, m.direction, ", ".join(m.accepts), ", ".join(m.needs))
            for m in METRICS.values()
        ],
    )


def loss_table() -> str:
    """Return a line for each loss; PyTorch is needed."""
    rows = []
    for loss in LOSSES.values():
        text = inspect.getdoc(loss.load()) or ""
        formula = text.partition(": a scalar")[0].removeprefix("Return ").removeprefix("the ")
        source = " ".join(text.partition("References\n----------\n")[2].partition("\n\n")[0].split())
        keywords = ", ".join(f"`{p}`" for p in loss.parameters if p != "output") or "-"
        rows.append((f"`{loss.name}`", formula, " or ".join(loss.needs), ", ".join(loss.accepts), keywords, source))
    return markdown_table(("name", "formula", "compares with", "defined for", "setting", "source"), rows)


def dataset_table() -> str:
    """Return a line for each dataset."""
    rows = []
    for name in DATASETS:
        card = dataset_card(name)
        splits = "; ".join(f"`{split}`: {what}" for split, what in card.splits.items()) or "none"
        side = "longest side" if card.sigma_side == "longest" else "width"
        sigma = f"{card.sigma:g} pixels at a {side} of {card.sigma_width} ({card.sigma_source})" if card.sigma else "-"
        paper = (
            f"{card.paper.authors}: {card.paper.title}. {card.paper.venue}, {card.paper.year}." if card.paper else "-"
        )
        rows.append((f"`{name}:PATH`", card.layout, splits, sigma, card.meaning, card.license, paper))
    return markdown_table(("name", "files", "splits", "sigma", "what the numbers mean", "licence", "paper"), rows)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(documented(path.read_text(encoding="utf-8")), encoding="utf-8")
