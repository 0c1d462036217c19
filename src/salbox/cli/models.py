"""`salbox models`: what is there, one card in full, how to cite."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..cards import ModelCard
from ..registry import card, list_models


def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Print this model's card in full.")] = None,
    task: Annotated[str | None, typer.Option("--task", metavar="TASK", help="fixation or object.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the cards as JSON.")] = False,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print how to cite.")] = False,
) -> None:
    """List the models, or print one model's card.

    Examples:

      salbox models

      salbox models gbvs

      salbox models --task fixation --json

      salbox models aim --bibtex
    """
    names = [name] if name else list_models(task)  # type: ignore[arg-type]
    cards = [card(n) for n in names]
    if as_json:
        typer.echo(json.dumps([c.to_dict() for c in cards] if name is None else cards[0].to_dict(), indent=2))
    elif bibtex:
        entries = dict.fromkeys(c.paper.bibtex for c in cards if c.paper)
        # What is said does not go where the entries go: into a file, as a rule.
        typer.echo("\n\n".join(entries) or f"model '{name}' has no paper to cite", err=not entries)
    elif name:
        _print_card(cards[0])
    else:
        _print_list(cards)


def _print_list(cards: list[ModelCard]) -> None:
    """Print a few lines a model: wide tables of sentences are hard to read in a terminal."""
    console = Console(highlight=False)
    width = max(len(c.name) for c in cards)
    for c in cards:
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(width=width, style="bold", no_wrap=True)
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        table.add_row(c.name, c.task, escape(c.title))
        table.add_row("", "origin", escape(c.origin))
        table.add_row("", "learned", escape(c.size))
        table.add_row("", "licence", escape(c.licence.code))
        table.add_row("", "measured", escape(c.agreement))
        if c.weights_from:
            table.add_row("", "needs", f"weights: {escape(c.weights_from)}")
        console.print(table)
    console.print("\n'salbox models NAME' prints a card in full.")


def _print_card(c: ModelCard) -> None:
    console = Console(highlight=False)
    console.print(f"[bold]{c.name}[/bold]  {escape(c.title)}\n{escape(c.summary)}\n")
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, text in _facts(c):
        facts.add_row(label, escape(text))
    console.print(facts)
    if c.parameters:
        console.print()
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("parameter", "default", "may be", "what it is"):
            table.add_column(column, overflow="fold", no_wrap=column == "parameter")
        for p in c.parameters:
            table.add_row(p.name, escape(str(p.default)), escape(p.expected()), escape(p.description))
        console.print(table)


def _facts(c: ModelCard) -> list[tuple[str, str]]:
    rows = [
        ("task", c.task),
        ("output", c.output),
        ("origin", c.origin),
        ("learned", c.size),
        ("agreement", c.agreement),
        ("code", c.licence.code),
        ("weights", c.licence.weights),
        ("training data", c.licence.training_data),
    ]
    if c.weights_from:
        rows.append(("weights from", c.weights_from))
    rows += [("limit", limit) for limit in c.limits]
    if c.paper:
        rows.append(("paper", f"{c.paper.authors} ({c.paper.year}). {c.paper.title}. {c.paper.venue}."))
        if c.paper.doi:
            rows.append(("doi", f"https://doi.org/{c.paper.doi}"))
    return rows
