"""The page that sets the students' figures by kind of picture beside all 25 categories of the paper's Table 2."""

from __future__ import annotations

from typing import Any

from _held_out import HEADS, OF_PEOPLE
from _paper import CONTEXT, Published, table2
from _tables import markdown_table

from salbox.distillation.domains import DOMAINS

MODELS = ("aim", "sun", "ikn", "gbvs", "bms", "rare2012", "imsig", "dgii", "unisal", "sam")  # in the paper's order
TITLES = {"cc": "CC ↑", "kl": "KL ↓"}
PHOTOS = {"OSIE test photos": "osie", "DUTS-TR photos": "duts"}


def table2_page(figures: dict[str, Any]) -> str:
    """Return the page, of the figures that benchmarks/fidelity.py keeps."""
    categories = list(dict.fromkeys(category for category, _ in table2()))
    kinds = {category: [d for d in DOMAINS if DOMAINS[d].nearest == category] for category in categories}
    matched = [category for category in categories if kinds[category]]
    others = ", ".join(category.partition(" ")[2] for category in categories if not kinds[category])
    parts = [
        "# The paper's Table 2, and kinds of pictures here",
        f"{figures['measured']} Written by `benchmarks/fidelity.py` from the same figures as [Fidelity](fidelity.md)."
        + "".join(f" `{head}` was trained anew since: {line}" for head, line in figures.get("renewed", {}).items())
        + added(figures),
        "Kastrati et al. (*KDSalBox*, Table 2) measure students of ten models, which saw photos of SALICON alone, on "
        "20 categories of CAT2000 and 5 of Imp1K, which are not at hand here. salbox's students are measured on kinds "
        f"of pictures that imitate {len(matched)} of these {len(categories)} categories: photos that were changed or "
        "laid out, and patterns. A line of ours stands below the category that it imitates; pictures and teachers' "
        "programs differ, so that the lines are neighbours and no contest. The figures of a kind *in training* are of "
        "pictures like those that students learned from, which the paper's students did not have.",
        f"No kind here imitates {others}. Most of these are photos: the first two lines are those of ours.",
        f"`rare2012` has a teacher of salbox's own reading.{_other_teachers()}",
    ]
    for metric, title in TITLES.items():
        parts += [f"## {title}", _table(figures, kinds, metric)]
    parts.append(
        f"Pictures of ours: {int(figures['osie'][HEADS[0]]['pictures'])} photos of OSIE, "
        f"{int(figures['duts'][HEADS[0]]['pictures'])} of DUTS-TR, of most kinds "
        f"{max(int(own['pictures']) for own in figures['domains']['grey'].values())}; [Fidelity](fidelity.md) says how "
        "they are made and compared, and has standard deviations."
    )
    return "\n\n".join(parts)


def added(figures: dict[str, Any]) -> str:
    """Return a sentence on the heads that came later, "" where there are none."""
    if "added" not in figures:
        return ""
    names = ", ".join(f"`{head}`" for head in figures["added"]["heads"])
    return (
        f" {names} came later, on a branch that left the others' maps as they were, and learned from photos alone, so "
        f"that no kind of picture was in their training: {figures['added']['measured']}"
    )


def _table(figures: dict[str, Any], kinds: dict[str, list[str]], metric: str) -> str:
    rows = [["", f"here: {name}", *_own(figures[key], metric)] for name, key in PHOTOS.items()]
    for category, domains in kinds.items():
        paper = [_published(table2()[category, model], metric) for model in MODELS]
        rows.append([category, "paper", *paper])
        for domain in domains:
            training = ", in training" if DOMAINS[domain].training else ""
            rows.append(["", f"here: `{domain}`{training}", *_own(figures["domains"][domain], metric)])
    return markdown_table(["category", "figures", *MODELS], rows)


def _own(found: dict[str, dict[str, float]], metric: str) -> list[str]:
    """Return a figure for each of the paper's models, "" where no student imitates it."""
    heads = [_head_of(model) for model in MODELS]
    return ["" if head is None or head not in found else f"**{found[head][metric]:.2f}**" for head in heads]


def _published(figures: Published, metric: str) -> str:
    return f"{getattr(figures, metric):.2f} ± {getattr(figures, f'{metric}_sd'):.2f}"


def _other_teachers() -> str:
    """Return sentences on the columns whose students have other teachers than the paper's, or none."""
    found = ""
    if stand_ins := {model: head for head, model in CONTEXT.items() if _head_of(model) == head}:
        listed = "; ".join(f"in the column {model} stands `{head}.student`" for model, head in stand_ins.items())
        found += f" {listed[0].upper()}{listed[1:]}, whose teacher is another."
    if own := [model for model in MODELS if model in OF_PEOPLE and model in HEADS]:
        listed = ", ".join(f"`{model}`" for model in own)
        found += f" The teachers of {listed} are these designs as salbox trained them on people."
    if names := [model for model in MODELS if _head_of(model) is None]:
        found += f" No student here stands beside the paper's {' and '.join(names)}."
    return found


def _head_of(model: str) -> str | None:
    """Return the shipped student that stands beside one of the paper's models: its own, or one of a relative."""
    if model in HEADS:
        return model
    return next((head for head, own in CONTEXT.items() if own == model and head in HEADS), None)
