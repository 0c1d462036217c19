"""`salbox datasets`: what is known, one dataset's card, and what a folder holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..datasets import DATASETS, DatasetCard, dataset_card
from ..datasets.integrity import Holding, inspect
from ..datasets.known import KNOWN
from ..datasets.recognizing import Candidate, describe, recognize
from ..errors import UsageError, nearest
from ..paths import user_path
from .output import escape, facts_table, paper_facts, plain_table, say, standard_output

MAX_BROKEN = 5  # files that are named of those that cannot be read
UNKNOWN = 1  # the exit code for a folder that holds no known layout


def datasets(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|PATH]", help="Print this dataset's card, or say what this folder holds."),
    ] = None,
    read_all: Annotated[
        bool, typer.Option("--read", help="Of a folder: also read every image and all that is known of it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print how to cite.")] = False,
) -> int:
    """List the datasets that salbox reads, print one's card, or say what a folder holds.

    A folder is recognised by its layout; its images are counted and compared with the published numbers. With
    NAME:PATH a folder is looked at as that dataset. The exit code is 1 for a folder of no known layout, or if
    something in it cannot be read.

    Examples:

      salbox datasets

      salbox datasets osie

      salbox datasets ~/Downloads/MIT1003

      salbox datasets duts:~/data --read

      salbox datasets --bibtex
    """
    if as_json and bibtex:
        raise UsageError("--json and --bibtex exclude each other")
    folder = _folder(what)
    if folder is not None:
        if bibtex:
            raise UsageError("--bibtex goes with a dataset's name, not with a folder")
        return _print_folder(*folder, read_all=read_all, as_json=as_json)
    if read_all:
        raise UsageError("--read goes with a folder")
    cards = [dataset_card(what)] if what else [dataset_card(name) for name in DATASETS]
    if as_json:
        found = [_card_dict(c) for c in cards]
        say(json.dumps(found if what is None else found[0], indent=2))
    elif bibtex:
        say("\n\n".join(dict.fromkeys(c.paper.bibtex for c in cards if c.paper and c.paper.bibtex)))
    elif what:
        _print_card(cards[0])
    else:
        _print_list(cards)
    return 0


def _folder(what: str | None) -> tuple[Path, str | None] | None:
    """Return a folder and the dataset that it is said to be, if any; None if a name is meant."""
    if what is None or what in DATASETS:
        return None
    name, colon, path = what.partition(":")
    if colon and name in DATASETS and path:
        return user_path(path), name
    if user_path(what).exists():
        return user_path(what), None
    if any(mark in what for mark in "/\\~"):
        raise UsageError(f"{what}: no such folder")
    hint = nearest(what, DATASETS) or " ('salbox datasets' lists what is known)"
    raise UsageError(f"'{what}' is neither a dataset nor a folder{hint}")


def _print_list(cards: list[DatasetCard]) -> None:
    console = standard_output()
    table = plain_table(("name", "tells of", "images", "licence", "cite"))
    name, kind, images, *_ = table.columns
    name.style, images.justify = "bold", "right"
    kind.no_wrap = images.no_wrap = True
    for c in cards:
        table.add_row(c.name, _kind(c), _number(_images(c)), escape(c.license), escape(_citation(c)))
    console.print(table)
    console.print("\n'salbox datasets NAME' prints a card in full, 'salbox datasets PATH' says what a folder holds.")


def _print_card(c: DatasetCard) -> None:
    console = standard_output()
    console.print(f"[bold]{c.name}[/bold]  {escape(c.title)}\n{escape(c.meaning)}\n")
    console.print(facts_table(_facts(c)))
    if c.paper and c.paper.bibtex:
        console.print(f"\n{escape(c.paper.bibtex)}", soft_wrap=True)


def _facts(c: DatasetCard) -> list[tuple[str, str]]:
    rows = [("tells of", _kind(c)), ("layout", c.layout)]
    if c.images:
        rows.append(("images", ", ".join(f"{split} {number:,}" for split, number in c.images.items())))
    if c.fixations:
        rows.append(("fixations", f"{c.fixations:,}"))
    rows += [("split", f"{name}: {text}") for name, text in c.splits.items()]
    if c.sigma is not None:
        side = "whose longest side is" if c.sigma_side == "longest" else "of width"
        at = f" in images {side} {c.sigma_width}" if c.sigma_width else ""
        rows.append(("sigma", f"{c.sigma:g} pixels{at}; {c.sigma_source}"))
    if c.pixels_per_degree:
        rows.append(("visual angle", f"{c.pixels_per_degree:g} pixels a degree"))
    rows.append(("licence", c.license))
    rows += paper_facts(c.paper)
    rows.append(("use", f"salbox evaluate -m NAMES --dataset {c.name}:PATH"))
    return rows


def _print_folder(path: Path, name: str | None, *, read_all: bool, as_json: bool) -> int:
    """Print what a folder holds; return the exit code."""
    candidates = recognize(path) if name is None else [Candidate(name, path)]
    holdings = [inspect(candidate.name, candidate.root, read_all=read_all) for candidate in candidates]
    if name is not None and holdings[0].error:
        raise UsageError(holdings[0].error)
    # A layout that fits and cannot be opened is worth a word only where nothing else can.
    holdings = [h for h in holdings if not h.error] or holdings
    if as_json:
        remark = None if holdings else describe(path)
        say(json.dumps({"path": str(path), "holds": [_dict(h) for h in holdings], "remark": remark}, indent=2))
    elif not holdings:
        say(f"{path}: {describe(path)}")
    else:
        for number, holding in enumerate(holdings):
            if number:
                say("")
            _print_holding(holding)
    broken = any(h.error or (h.truth and h.truth.broken) for h in holdings)
    return UNKNOWN if broken or not holdings else 0


def _print_holding(h: Holding) -> None:
    console = standard_output()
    console.print(f"[bold]{h.card.name}[/bold]  {escape(h.card.title)}  [dim]{escape(str(h.path))}[/dim]")
    console.print(facts_table(_holding_facts(h)))
    if not h.error:
        console.print(f"[bold]use[/bold] {escape(_command(h))}", soft_wrap=True)  # on one line, to be copied


def _holding_facts(h: Holding) -> list[tuple[str, str]]:
    if h.error:
        return [("error", h.error)]
    rows = [("images", ", ".join(f"{split} {number:,}" for split, number in h.splits.items()))]
    rows += [("published", f"{p} ({p.name})" if len(h.parts) > 1 else str(p)) for p in h.parts]
    rows.append(("tells of", ", ".join(h.gives) or "nothing but the images"))
    rows += [("note", note) for note in h.notes]
    if h.unused:
        rows.append(("unused", f"{h.unused} pictures beside the images that belong to none"))
    if h.truth is not None:
        if "fixations" in h.gives:
            published = h.truth.published_fixations
            of = f" of {published:,} published" if published else ""
            rows.append(("fixations", f"{h.truth.fixations:,}{of} lie on the images"))
        if "concepts" in h.gives:
            rows.append(("regions", f"{h.truth.regions:,}"))
        broken = h.truth.broken
        rows.append(("read", "all of it" if not broken else f"all but {len(broken)}"))
        rows += [("broken", line) for line in broken[:MAX_BROKEN]]
    return rows


def _command(h: Holding) -> str:
    spec = f"{h.card.name}:{h.path}"
    spec = f'"{spec}"' if " " in spec else spec
    if {"fixations", "mask", "density"} & set(h.gives):
        return f"salbox evaluate -m NAMES --dataset {spec}"
    if "concepts" in h.gives:
        return f'salbox.datasets.open_dataset("{h.card.name}:{h.path}").concepts(0)'
    return f"salbox predict {spec.partition(':')[2]} -r -m NAMES -o DIR"


def _kind(c: DatasetCard) -> str:
    return KNOWN[c.name].kind


def _images(c: DatasetCard) -> int | None:
    """Return how many images were published, or None where that is not known."""
    return c.images.get("all") or sum(c.images.values()) or None


def _number(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _citation(c: DatasetCard) -> str:
    if c.paper is None:
        return ""
    authors = c.paper.authors.split(", ")
    return f"{authors[0].split()[-1]}{' et al.' if len(authors) > 1 else ''} {c.paper.year}"


def _card_dict(c: DatasetCard) -> dict[str, Any]:
    paper = None if c.paper is None else {**vars(c.paper)}
    facts = {"licence" if name == "license" else name: value for name, value in vars(c).items()}
    return {**facts, "kind": _kind(c), "images": dict(c.images), "splits": dict(c.splits), "paper": paper}


def _dict(h: Holding) -> dict[str, Any]:
    truth = None if h.truth is None else {**vars(h.truth)}
    return {
        "name": h.card.name,
        "path": str(h.path),
        "splits": h.splits,
        "published": [{"part": p.name, "present": p.present, "published": p.published} for p in h.parts],
        "gives": list(h.gives),
        "notes": list(h.notes),
        "unused": h.unused,
        "error": h.error or None,
        "read": truth,
        "use": None if h.error else _command(h),
    }
