"""`salbox models`: what is there, one card in full, how to cite."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.markup import escape

from ..models.cards import ModelCard
from ..models.loading import card
from ..models.registry import list_models
from .output import facts_table, paper_facts, plain_table, standard_output


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
    console = standard_output()
    width = max(len(c.name) for c in cards)
    for c in cards:
        table = plain_table()
        table.add_column(width=width, style="bold", no_wrap=True)
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        table.add_row(c.name, c.task, escape(c.title))
        table.add_row("", "origin", escape(c.origin))
        table.add_row("", "learned", escape(c.size))
        table.add_row("", "licence", escape(c.license.code))
        table.add_row("", "measured", escape(c.agreement))
        if c.weights_from:
            table.add_row("", "needs", f"weights: {escape(c.weights_from)}")
        console.print(table)
    console.print("\n'salbox models NAME' prints a card in full.")


def _print_card(c: ModelCard) -> None:
    console = standard_output()
    console.print(f"[bold]{c.name}[/bold]  {escape(c.title)}\n{escape(c.summary)}\n")
    console.print(facts_table(_facts(c)))
    if c.parameters:
        console.print()
        table = plain_table(("parameter", "default", "may be", "what it is"))
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
        ("code", c.license.code),
        ("weights", c.license.weights),
        ("training data", c.license.training_data),
    ]
    if c.weights_from:
        rows.append(("weights from", c.weights_from))
    return [*rows, *(("limit", limit) for limit in c.limits), *paper_facts(c.paper)]
