"""Write docs/models/, a page for each model, and the tables of docs/models.md and docs/which-model.md.

What a page says comes from the model's card and from the tables of docs/results, whose rows name the model; no figure
is typed. Run it after a card or a results page has changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import salbox
from salbox.bench import known_speeds
from salbox.evaluation.formats import markdown_table
from salbox.models.cards import NOT_STATED, ModelCard
from salbox.models.registry import CLASSICAL, STUDENTS
from salbox.models.registry import MODELS as MODEL_NAMES

DOCS = Path(__file__).resolve().parents[1] / "docs"
RESULTS = DOCS / "results"
MODELS = DOCS / "models"
FIGURES = DOCS / "images" / "models"
OVERVIEW = DOCS / "models.md"
WHICH = DOCS / "which-model.md"

# What is asked of a model, and the pages whose tables answer it.
QUESTIONS = {
    "Agreement with the original": ("conformance", "networks", "teachers"),
    "Fidelity to the teacher": ("fidelity", "histogram-matched"),
    "Prediction of where people look": ("fixations", "gaze", "training", "students-of-people", "teachers"),
    "Crops": ("crop",),
    "Salient objects": ("objects",),
    "Cutouts": ("cutout",),
    "Speed, size and memory": ("classical", "students", "networks", "teachers", "gaze", "objects"),
}
# The heads of columns that tell one question's table from another's on the same page.
TELLING = {
    "Agreement with the original": ("largest difference", "largest difference, of range"),
    "Fidelity to the teacher": ("CC ↑",),
    "Prediction of where people look": ("NSS", "NSS ↑", "EMD ↓"),
    "Crops": ("1:1",),
    "Salient objects": ("max F_β",),
    "Cutouts": ("boundary F",),
    "Speed, size and memory": (
        "ms",
        "ms, median",
        "ms (median)",
        "peak, MiB",
        "file, MB",
        "float32, ms",
        "latency, ms",
    ),
}
# Rows without a model's name that say what its figures are worth.
BESIDE = ("centre bias", "human ceiling", "centre crop", "other people")
COMPARED = ("Prediction of where people look", "Crops")

OUTPUTS = {
    "score": "a *score* without a unit: only its order, or its shape after scaling, means something",
    "log_density": "a *log density*: the natural log of how likely a look is to fall on a pixel; `exp` of it sums to 1",
    "probability": "a *probability* in 0 to 1: how sure the model is that a pixel belongs to the salient object",
}
GROUPS = (
    "Where will people look: they ship",
    "Classical algorithms: they ship",
    "Students: they ship",
    "Salient objects: they ship",
    "Where will people look: you bring weights",
    "Salient objects: you bring weights",
)

# Tables of docs/which-model.md: a line a model, a column a figure: (page, section, column).
EVIDENCE = {
    "people": (
        (
            "gaze.large",
            "gaze",
            "unisal.people",
            "bms",
            "imsig",
            "gbvs",
            "attention-center",
            "centre bias",
            "human ceiling",
        ),
        {
            "NSS ↑, OSIE": (("training", "OSIE test", "NSS ↑"), ("fixations", "OSIE test", "NSS ↑")),
            "NSS ↑, EyeCrowd": (("training", "EyeCrowd test", "NSS ↑"), ("fixations", "EyeCrowd test", "NSS ↑")),
            "NSS ↑, MIT1003": (("training", "MIT1003 validation", "NSS ↑"),),
        },
    ),
    "students": (
        tuple(f"{name}.student" for name in STUDENTS),
        {
            "CC ↑, OSIE": (("fidelity", "OSIE test", "CC ↑"),),
            "KL ↓, OSIE": (("fidelity", "OSIE test", "KL ↓"),),
            "CC ↑, DUTS-TR": (("fidelity", "DUTS-TR", "CC ↑"),),
        },
    ),
    "crops": (
        ("gaze", "unisal.people", "gbvs.student", "centre crop", "smartcrop", "other people"),
        {
            f"{size}, {short}": (("crop", section, size),)
            for short, section in (("OSIE", "OSIE test"), ("MIT1003", "MIT1003 validation"))
            for size in ("1:1", "16:9", "9:16")
        },
    ),
}


@dataclass(frozen=True)
class Table:
    """A table of a results page: where it stands, its head and its rows, each a cell a column."""

    page: str
    section: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def of(self, name: str, beside: Iterable[str] = ()) -> list[tuple[str, ...]]:
        """Return the rows of a model and, if there are any, those whose first cell begins with one of `beside`."""
        own = [row for row in self.rows if _is_of(row[0], name)]
        return own + [row for row in self.rows if plain(row[0]).startswith(tuple(beside))] if own else []


def plain(cell: str) -> str:
    """Return a cell without its marks."""
    return re.sub(r"[`*]", "", cell).strip()


def _is_of(cell: str, name: str) -> bool:
    """Return whether a row is of a model, or of one of its variants: "sam, ResNet-50"."""
    return plain(cell) == name or plain(cell).startswith(f"{name}, ")


@cache
def tables(page: str) -> tuple[Table, ...]:
    """Return the tables of a results page; none where there is no such page."""
    path = RESULTS / f"{page}.md"
    return tuple(_tables(page, path.read_text("utf-8"))) if path.is_file() else ()


def _tables(page: str, text: str) -> Iterator[Table]:
    section, rows = "", []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append(tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]))
        elif rows:
            yield Table(page, section, rows[0], tuple(rows[2:]))
            rows = []
        if found := re.match(r"##+ (.*)", line):
            section = found[1]


def title(page: str) -> str:
    """Return a results page's title."""
    return (RESULTS / f"{page}.md").read_text("utf-8").partition("\n")[0].removeprefix("# ")


def caveats(page: str, name: str) -> list[str]:
    """Return what a results page says of all figures of a model that it holds."""
    path = RESULTS / f"{page}.md"
    text = path.read_text("utf-8") if path.is_file() else ""
    found = re.findall(rf"^The figures of `{re.escape(name)}` on this page .*$", text, re.MULTILINE)
    return [re.sub(r"\]\((?!http)", "](../results/", text) for text in found]


def group(card: ModelCard) -> str:
    """Return which of the groups a model belongs to."""
    if card.task == "object":
        kind = "Salient objects"
    elif card.name.endswith(".student"):
        kind = "Students"
    else:
        kind = "Classical algorithms" if card.name in CLASSICAL else "Where will people look"
    return f"{kind}: {'you bring weights' if card.weights_from else 'they ship'}"


def speed(name: str) -> str:
    """Return how long a photo of 640x480 takes on one core, to two digits; empty where nobody measured it."""
    seconds = known_speeds().get(name)
    if seconds is None:
        return ""
    return f"{float(f'{seconds:.2g}'):g} s" if seconds >= 1 else f"{float(f'{seconds * 1000:.2g}'):g} ms"


def page(card: ModelCard) -> str:
    """Return a model's page."""
    parts = [f"# {card.name}", f"<!-- written by scripts/{Path(__file__).name} -->", *_what_it_is(card)]
    if (FIGURES / f"{card.name}.jpg").is_file():
        parts.append("![The photos](../images/models/photos.jpg)")
        parts.append(f"![{card.name}: its maps of the photos](../images/models/{card.name}.jpg)")
    parts += ["## Use it", f"```sh\n{_command(card)}\n```", f"Its map is {OUTPUTS[card.output]}."]
    if card.weights_from:
        parts.append(f"You bring its weights ([how](../networks.md)): {card.weights_from}.")
    parts += _parameters(card)
    parts += ["## What was measured", *_measured(card)]
    parts += ["## When not to use it", _limits(card), "## Licence", *_terms(card), *_citation(card)]
    return "\n\n".join(parts) + "\n"


def _what_it_is(card: ModelCard) -> Iterator[str]:
    title = "" if card.title.casefold() == card.name else f"**{card.title}**. "
    yield title + ("" if card.summary in (NOT_STATED, card.title) else card.summary)
    rows = [
        ("predicts", "where people look" if card.task == "fixation" else "which pixels are the salient object"),
        ("origin", card.origin),
        ("learned numbers", card.size),
        ("a photo of 640x480, one core", speed(card.name) or "not measured"),
        ("paper", _paper(card)),
    ]
    yield markdown_table(("", card.name), [row for row in rows if row[1] != NOT_STATED])


def _paper(card: ModelCard) -> str:
    paper = card.paper
    if paper is None:
        return NOT_STATED
    link = f" [doi](https://doi.org/{paper.doi})" if paper.doi.startswith("10.") else ""
    return f"{paper.authors} ({paper.year}). {paper.title}. {paper.venue}.{link}"


def _command(card: ModelCard) -> str:
    weights = " --weights FILE" if card.weights_from else ""
    return f"salbox predict photo.jpg -m {card.name}{weights} -o maps"


def _parameters(card: ModelCard) -> list[str]:
    if not card.parameters:
        return ["It has no parameters."]
    rows = ((f"`{p.name}`", f"`{p.default}`", p.expected(), p.description) for p in card.parameters)
    return [
        "## Parameters",
        "`--param NAME=VALUE`, in Python by name.",
        markdown_table(("name", "default", "may be", "what"), rows),
    ]


def _measured(card: ModelCard) -> Iterator[str]:
    if card.agreement != NOT_STATED:
        yield f"In short: {card.agreement[0].upper()}{card.agreement[1:].rstrip('.')}."
    for question, pages in QUESTIONS.items():
        found = [part for name in pages for part in _answers(card.name, question, name)]
        if found:
            yield f"### {question}"
            yield from found
    if card.name.endswith(".student"):
        yield "On other kinds of pictures: [when not to trust a student](../when-not-to-trust-a-student.md)."


def _answers(name: str, question: str, source: str) -> Iterator[str]:
    """Yield the tables of a results page that answer a question, with the model's rows alone."""
    beside = BESIDE if question in COMPARED else ()
    found = [
        (table, rows)
        for table in tables(source)
        if set(map(plain, table.head)) & set(TELLING[question]) and (rows := table.of(name, beside))
    ]
    if found:
        yield from caveats(source, name)
    for table, rows in found:
        heading = title(source) + (f", {table.section}" if table.section else "")
        yield f"[{heading}](../results/{source}.md):"
        yield markdown_table(table.head, rows)


def _limits(card: ModelCard) -> str:
    limits = list(card.limits)
    if card.name.endswith(".student"):
        limits.append("A figure in a paper rests on it, or a parameter has to be changed: use the original.")
    if card.task == "fixation" and card.output == "score":
        limits.append("A probability is wanted: a score is none (`gaze` gives a density).")
    if card.task == "object":
        limits.append("The question is where people look: a mask of the object does not say.")
    if card.task == "fixation":
        limits.append("A mask is wanted: use [an object model](../objects.md).")
    return "\n".join(f"- {limit}" for limit in limits)


def _terms(card: ModelCard) -> Iterator[str]:
    yield "What may be done with it where money is made (no legal advice): " + card.commercial_use
    terms = (
        ("code", card.license.code),
        ("weights", card.license.weights),
        ("learned from", card.license.training_data),
    )
    yield markdown_table(("", "terms"), terms)


def _citation(card: ModelCard) -> list[str]:
    return ["## Cite", f"```bibtex\n{card.paper.bibtex.strip()}\n```"] if card.paper else []


def overview(text: str) -> str:
    """Return docs/models.md with its table of all models written anew."""
    cards = [salbox.card(name) for name in sorted(MODEL_NAMES, key=list(MODEL_NAMES).index)]
    parts = []
    for name in GROUPS:
        rows = [(f"[`{c.name}`](models/{c.name}.md)", _in_short(c), speed(c.name)) for c in cards if group(c) == name]
        parts.append(f"### {name}\n\n" + markdown_table(("model", "what it is", "640x480, one core"), rows))
    return filled(text, "all models", "\n\n".join(parts))


def _in_short(card: ModelCard) -> str:
    """Return what a model is in a line: its title, or the summary where the title is but the name."""
    is_name = card.title.casefold() == card.name and card.summary != NOT_STATED
    return card.summary.rstrip(".") if is_name else card.title


def which(text: str) -> str:
    """Return docs/which-model.md with its tables of evidence written anew."""
    for name, (rows, columns) in EVIDENCE.items():
        body = [(label(row), *(_figure(row, places) for places in columns.values()), speed(row)) for row in rows]
        text = filled(text, name, markdown_table(("", *columns, "640x480, one core"), body))
    return text


def label(row: str) -> str:
    """Return a row's name, with a link to the model's page if it is one."""
    return f"[`{row}`](models/{row}.md)" if row in MODEL_NAMES else row


def _figure(row: str, places: Iterable[tuple[str, str, str]]) -> str:
    for source, section, column in places:
        for table in tables(source):
            if table.section.startswith(section) and column in table.head:
                for found in table.of(row):
                    return found[table.head.index(column)]
    return ""


def filled(text: str, name: str, body: str) -> str:
    """Return a page with what stands between two marks written anew."""
    pattern = re.compile(rf"(<!-- {name}: [^\n]* -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    new, count = pattern.subn(lambda found: f"{found[1]}\n{body}\n\n{found[2]}", text)
    if count != 1:
        raise SystemExit(f"the page has {count} places for '{name}'; expected one")
    return new


def written() -> dict[Path, str]:
    """Return all that this script writes: paths with their text."""
    pages = {MODELS / f"{name}.md": page(salbox.card(name)) for name in MODEL_NAMES}
    return {**pages, OVERVIEW: overview(OVERVIEW.read_text("utf-8")), WHICH: which(WHICH.read_text("utf-8"))}


def main() -> None:
    """Write all pages; say which one no model has any more."""
    MODELS.mkdir(exist_ok=True)
    texts = written()
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    for path in sorted(set(MODELS.glob("*.md")) - set(texts)):
        print(f"{path}: no model is called so any more; remove it")


if __name__ == "__main__":
    main()
