"""`salbox models`: what is there, cards in full, how to cite."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ..errors import UsageError
from ..models.cards import NOT_STATED, ModelCard
from ..models.loading import card
from ..models.registry import list_models
from ..models.specs import expanded, split_names
from .model_table import HEADER, READY, WHAT, readiness, rows
from .options import OUTPUT, MaxModelSize, refuse_unused
from .output import escape, facts_table, paper_facts, plain_table, say, standard_output

_GAP = 2  # columns between those of a table


def models(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Print the cards of these models in full.")
    ] = None,
    task: Annotated[str | None, typer.Option("--task", metavar="TASK", help="fixation or object.")] = None,
    ready: Annotated[bool, typer.Option("--ready", help="Only those that run here as it is.")] = False,
    long: Annotated[bool, typer.Option("--long", help="A few lines a model instead of one.")] = False,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print how to cite.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the cards as JSON.", rich_help_panel=OUTPUT)] = False,
    max_model_size: MaxModelSize = None,
) -> None:
    """List the models, or print the cards of some.

    The table says of each whether it runs here or needs its authors' weights, how long a photo of 640x480 takes on
    one core of the machine that salbox was made on, and how near it is: to the original, as a student to its teacher
    (CC), or to people (NSS).

    Examples:

      salbox models

      salbox models --ready --task object

      salbox models gbvs

      salbox models aim,gbvs --bibtex

      salbox models --task fixation --json

      salbox models mymodels:contrast
    """
    if as_json and bibtex:
        raise UsageError("--json and --bibtex exclude each other")
    chosen = expanded(split_names(names or ()), max_model_size)
    of_all = {"--task": task is not None, "--ready": ready, "--long": long}
    refuse_unused("the list of all: leave NAME out", not chosen, of_all)
    cards = [card(n, max_model_size=max_model_size) for n in chosen or list_models(task)]  # type: ignore[arg-type]
    if ready:
        cards = [c for c in cards if readiness(c).label == READY]
    if as_json:
        said = [c.to_dict() for c in cards]
        say(json.dumps(said[0] if len(chosen) == 1 else said, indent=2))
    elif not cards:
        which = f" for the task '{task}'" if task else ""
        needed = " that runs here as it is ('salbox models' says what each needs)" if ready else ""
        say(f"there is no model{which}{needed}; one of your own is named by its path", to_error=True)
    elif bibtex:
        entries = dict.fromkeys(c.paper.bibtex for c in cards if c.paper)
        # What is said does not go where the entries go: into a file, as a rule.
        for c in cards if chosen else ():
            if c.paper is None:
                say(f"model '{c.name}' has no paper to cite", to_error=True)
        if entries:
            say("\n\n".join(entries))
    elif chosen:
        for place, c in enumerate(cards):
            _print_card(c, apart=place > 0)
    elif long:
        _print_list(cards)
    else:
        _print_table(cards)


def _print_table(cards: list[ModelCard]) -> None:
    """Print a line a model; where a terminal is narrow, what a model is is cut off rather than folded."""
    console = standard_output()
    found = [tuple(map(escape, row)) for row in rows(cards)]
    widths = [max(map(len, column)) for column in zip(HEADER, *found, strict=True)]
    left = max(console.width - sum(widths) + widths[WHAT] - _GAP * (len(widths) - 1), len(HEADER[WHAT]))
    table = plain_table()
    table.show_header = True
    for place, head in enumerate(HEADER):
        table.add_column(
            head,
            style="bold" if place == 0 else "",
            justify="right" if head == "speed" else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=min(widths[place], left) if place == WHAT else widths[place],
        )
    for row in found:
        table.add_row(*row)
    console.print(table)
    console.print("\nspeed: a photo of 640x480 on one core. 'salbox models NAME' prints a card, --long more of all.")


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
        state = readiness(c)
        for label, text in [*facts, (state.label, state.text)]:
            if text != NOT_STATED:
                table.add_row("", label, escape(text))
        console.print(table)
    console.print("\n'salbox models NAME' prints a card in full.")


def _print_card(c: ModelCard, *, apart: bool) -> None:
    console = standard_output()
    summary = "" if c.summary == NOT_STATED else f"{c.summary}\n"
    before = "\n" if apart else ""
    console.print(f"{before}[bold]{escape(c.name)}[/bold]  {escape(c.title)}\n{escape(summary)}")
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
        "commercial use": c.commercial_use,
    }
    missing = [label for label, text in facts.items() if text == NOT_STATED]
    rows = [("task", c.task), ("output", c.output), *(row for row in facts.items() if row[1] != NOT_STATED)]
    if c.weights_from:
        rows.append(("weights from", c.weights_from))
    rows += [*(("limit", limit) for limit in c.limits), *paper_facts(c.paper)]
    return [*rows, (NOT_STATED, ", ".join(missing))] if missing else rows
