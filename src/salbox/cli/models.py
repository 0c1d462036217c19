"""`salbox models`: what is there, one card in full, how to cite."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ..errors import SalboxError, UsageError
from ..models.cards import NOT_STATED, ModelCard
from ..models.entries import Checkpoint
from ..models.loading import card
from ..models.registry import find_entry, list_models
from .options import MaxModelSize, refuse_unused
from .output import escape, facts_table, paper_facts, plain_table, say, standard_output


def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Print this model's card in full.")] = None,
    task: Annotated[str | None, typer.Option("--task", metavar="TASK", help="fixation or object.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the cards as JSON.")] = False,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print how to cite.")] = False,
    max_model_size: MaxModelSize = None,
) -> None:
    """List the models, or print one model's card.

    Examples:

      salbox models

      salbox models gbvs

      salbox models --task fixation --json

      salbox models aim --bibtex

      salbox models mymodels:contrast
    """
    if as_json and bibtex:
        raise UsageError("--json and --bibtex exclude each other")
    refuse_unused("the list of all: leave NAME out", name is None, {"--task": task is not None})
    names = [name] if name else list_models(task)  # type: ignore[arg-type]
    if not names:
        raise UsageError(f"no models for the task '{task}'; a model of your own is named by its path")
    cards = [card(n, max_model_size=max_model_size) for n in names]
    if as_json:
        say(json.dumps([c.to_dict() for c in cards] if name is None else cards[0].to_dict(), indent=2))
    elif bibtex:
        entries = dict.fromkeys(c.paper.bibtex for c in cards if c.paper)
        # What is said does not go where the entries go: into a file, as a rule.
        say("\n\n".join(entries) or f"model '{name}' has no paper to cite", to_error=not entries)
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
        table.add_row(escape(c.name), c.task, escape(c.title))
        facts = [("origin", c.origin), ("learned", c.size), ("licence", c.license.code), ("measured", c.agreement)]
        for label, text in [*facts, _readiness(c)]:
            if text != NOT_STATED:
                table.add_row("", label, escape(text))
        console.print(table)
    console.print("\n'salbox models NAME' prints a card in full.")


def _readiness(c: ModelCard) -> tuple[str, str]:
    """Return a label and a text: that a model is ready to run, or what it needs."""
    if not c.weights_from:
        return "ready", "comes with all it needs"
    entry = find_entry(c.name)
    try:
        found = entry.weights_at(c.name) if isinstance(entry, Checkpoint) else None
    except SalboxError as error:
        return "needs", str(error)
    return ("ready", f"weights: {found}") if found is not None else ("needs", f"weights: {c.weights_from}")


def _print_card(c: ModelCard) -> None:
    console = standard_output()
    summary = "" if c.summary == NOT_STATED else f"{c.summary}\n"
    console.print(f"[bold]{escape(c.name)}[/bold]  {escape(c.title)}\n{escape(summary)}")
    console.print(facts_table(_facts(c)))
    if c.parameters:
        console.print()
        table = plain_table(("parameter", "default", "may be", "what it is"))
        for p in c.parameters:
            what = "" if p.description == NOT_STATED else p.description
            table.add_row(escape(p.name), escape(str(p.default)), escape(p.expected()), escape(what))
        console.print(table)


def _facts(c: ModelCard) -> list[tuple[str, str]]:
    facts = {
        "origin": c.origin,
        "learned": c.size,
        "agreement": c.agreement,
        "code": c.license.code,
        "weights": c.license.weights,
        "training data": c.license.training_data,
    }
    missing = [label for label, text in facts.items() if text == NOT_STATED]
    rows = [("task", c.task), ("output", c.output), *(row for row in facts.items() if row[1] != NOT_STATED)]
    if c.weights_from:
        rows.append(("weights from", c.weights_from))
    rows += [*(("limit", limit) for limit in c.limits), *paper_facts(c.paper)]
    return [*rows, (NOT_STATED, ", ".join(missing))] if missing else rows
