"""The pages that the figures of benchmarks/fidelity.py are written into."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from _held_out import DUTS_PHOTOS, HEADS, SHOWN
from _paper import CONTEXT, paper_name, table1, table2
from _student_pictures import GROUPS
from _table2_page import added, table2_page
from _tables import ROOT, markdown_table

from salbox.distillation.domains import DOMAINS, TEST_DOMAINS, TRAINING_DOMAINS
from salbox.distillation.fidelity.measure import CONSTANT, FORMULAS
from salbox.imaging.writing import atomic

# What the students are to reach on OSIE test: the paper's Table 1; of fastgaze, which it does not have, a pilot's.
TARGETS = {
    "aim": 0.99, "ikn": 0.97, "gbvs": 0.98, "bms": 0.89, "imsig": 0.96, "rare2012": 0.87, "sun": 0.94, "fastgaze": 0.93,
    "unisal": 0.92, "sam": 0.82, "dgii": 0.90,
}  # fmt: skip
NO_BETTER = 0.02  # CC above a constant's that is nothing
KL_SLACK = 0.02  # above the paper's, whose scaling of maps is not published

OTHER_TEACHERS = (
    "`rare2012`: the teacher is salbox's own reading of the paper, not verified against the original program (see "
    "[RARE2012](rare2012.md)), so that the paper's figure is context only. `fastgaze`: the paper has another teacher, "
    "DeepGaze II, from which FastGaze's authors distilled theirs; its figures stand beside as context. `unisal`, `sam` "
    "and `dgii`: the teachers are these designs as salbox trained them on people (see [Training](training.md)), the "
    "paper's are their authors' networks, whose weights cannot be had."
)

Figures = dict[str, Any]


def write_pages(figures: Figures, docs: Path) -> None:
    """Write docs/results/fidelity.md and kdsalbox-table2.md, and the parts with figures of the two pages for users."""
    _write(docs / "results" / "fidelity.md", fidelity_page(figures))
    _write(docs / "results" / "kdsalbox-table2.md", table2_page(figures))
    for name, parts in (
        ("students.md", {"fidelity": overview(figures)}),
        ("when-not-to-trust-a-student.md", {"lowest": lowest_table(figures), "pictures": worst_pictures()}),
    ):
        page = (docs / name).read_text(encoding="utf-8")
        for part, text in parts.items():
            page = filled(page, part, text)
        _write(docs / name, page)


def filled(page: str, part: str, text: str) -> str:
    """Return a page with what stands between the marks of a part replaced."""
    pattern = re.compile(rf"(<!-- {part}: [^\n]* -->\n).*?(<!-- end of {part} -->)", re.DOTALL)
    page, count = pattern.subn(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)
    if count != 1:
        raise SystemExit(f"the page has the marks of '{part}' {count} times, not once")
    return page


def fidelity_page(figures: Figures) -> str:
    network = figures["network"]
    return "\n\n".join(
        [
            "# Students that ship: fidelity",
            f"{figures['measured']} Written by `benchmarks/fidelity.py`; every figure is in `fidelity/figures.json`."
            + "".join(f" `{head}` was trained anew since: {line}" for head, line in figures.get("renewed", {}).items())
            + added(figures),
            f"One network, {len(heads_in(figures))} heads: {network['bytes'] / 1e6:.2f} MB, {network['parameters']:,} "
            f"learned numbers, {network['macs'] / 1e9:.2f} billion multiply-adds for a photo of 640x480, all heads "
            f"together (target: at most 6 MB). SHA-256 of its graph: `{figures['weights'][:16]}`.",
            f"A classical teacher sees a picture with its longest side at 640, the student the picture as it is. "
            f"{FORMULAS} The row *{CONSTANT}* is what a picture that never changes gets; the training photos are those "
            "of the run that `scripts/distil_students.py` makes again.",
            "None of these pictures was learned from or chosen by.",
            f"## OSIE test: {_pictures(figures['osie'])} photos",
            "*Target*: the CC of the paper's Table 1 (5,000 photos of SALICON), of `fastgaze` that of a pilot; reached "
            f"if the CC rounded to two digits is no lower. KL: at most {KL_SLACK:.2f} above the paper's, both rounded.",
            table_of(figures["osie"], targets=True),
            OTHER_TEACHERS,
            "## What 8 bits cost",
            f"The file holds large weights in 8 bits: {network['bytes'] / 1e6:.2f} MB instead of "
            f"{figures['float32_bytes'] / 1e6:.2f} MB. All figures are of that file. The same photos by the network as "
            "it was trained, in float32:",
            stored_table(figures),
            "## AIM and SUN beside the originals' filters",
            "The teachers use salbox's own filters, since the originals' may not be handed on. The same photos, "
            "compared with the maps that the originals' filters give:",
            filters_table(figures["original_filters"]),
            f"## DUTS-TR: {_pictures(figures['duts'])} of the {figures['duts_held_out']} held-out photos",
            f"The first {DUTS_PHOTOS} by the SHA-1 of the file's name. Their longest side is 320: enlarged for the "
            "classical teachers, they are softer than a photo of 640 pixels.",
            table_of(figures["duts"], targets=False),
            shortfalls(figures),
            f"## Kinds of pictures that the training had: {_pictures_of_domains(figures)}",
            "Made of the OSIE test photos whose number ends in 3, with seeds that training never drew. Mean CC; below "
            "each the paper's CC on the category that the kind imitates, whose students saw photos alone: context, no "
            f"target. *Constant* is the {CONSTANT}.",
            domain_table(figures, TRAINING_DOMAINS, targets=False),
            "## Kinds of pictures that no training had",
            "Fixed before any training. Here the paper's CC on the nearest category is the target: *met*, or by how "
            "much it is missed, both rounded to two digits.",
            domain_table(figures, TEST_DOMAINS, targets=True),
            met_line(figures),
            "## What the maps look like",
            "Each teacher above its student, on photos that come with scikit-image; no student learned from them.",
            *(f"![{name}: teachers above students](../images/students-{name}.jpg)" for name in SHOWN),
            "All 25 categories of the paper's Table 2 stand [beside these kinds](kdsalbox-table2.md), the originals' "
            "maps of one photo [beside ours](kdsalbox-demo.md).",
            "The worst cases: [when not to trust a student](../when-not-to-trust-a-student.md).",
        ]
    )


def heads_in(figures: Figures) -> list[str]:
    """Return the heads that were measured, in the order of the registry: a branch's may be yet to come."""
    return [head for head in HEADS if head in figures["osie"]]


def table_of(found: dict[str, dict[str, float]], *, targets: bool) -> str:
    """Return a row for each head and one for its constant; with targets also what is to be reached."""
    rows = []
    for head in (head for head in HEADS if head in found):
        own, paper = found[head], table1()[paper_name(head)]
        cells = [f"`{head}.student`", f"{int(own['pictures'])}", _spread(own, "cc"), _spread(own, "kl")]
        published = f"{paper.cc:.2f} ± {paper.cc_sd:.2f}", f"{paper.kl:.2f} ± {paper.kl_sd:.2f}"
        if targets:
            kl_target = paper.kl + KL_SLACK
            target = [f"{TARGETS[head]:.2f}", verdict(own["cc"], TARGETS[head]), *published]
            cells += [*target, "" if head in CONTEXT else verdict(own["kl"], kl_target, lower=True)]
        else:
            cells += published
        rows.append(cells)
        constant = [CONSTANT, "", _spread(own, "constant_cc"), _spread(own, "constant_kl")]
        rows.append([*constant, *[""] * (len(cells) - len(constant))])
    head_row = ["maps", "N", "CC ↑", "KL ↓"]
    head_row += (
        ["target CC", "CC reached", "paper: CC", "paper: KL", "KL reached"] if targets else ["paper: CC", "paper: KL"]
    )
    return markdown_table(head_row, rows)


def shortfalls(figures: Figures) -> str:
    """Return where the DUTS-TR photos fall short of the paper's Table 1, and what goes with it."""
    found = []
    for head in heads_in(figures):
        own, plain = figures["duts"][head], figures["osie"][head]
        if head not in CONTEXT and verdict(own["cc"], TARGETS[head]) != "met":
            found.append(
                f"{head} by {verdict(own['cc'], TARGETS[head]).split()[0]} (standard deviation {own['cc_std']:.3f}, on "
                f"OSIE {plain['cc_std']:.3f}; worst photo {own['lowest_cc']:.2f}, on OSIE {plain['lowest_cc']:.2f})"
            )
    if not found:
        return "No head falls short of the paper's Table 1 here."
    return (
        f"Short of the paper's Table 1: {'; '.join(found)}. The means fall with the spread: it is some photos that "
        "pull them down, not all. A photo of 320 pixels is enlarged for its teacher, whose fine filters then see what "
        "enlarging made of it, while the student looks at a reduced photo either way."
    )


def stored_table(figures: Figures) -> str:
    """Return CC and KL of the network as it ships and as it was trained."""
    rows = []
    for head in heads_in(figures):
        own, whole = figures["osie"][head], figures["osie_float32"][head]
        rows.append([f"`{head}.student`", *(f"{f[name]:.4f}" for name in ("cc", "kl") for f in (own, whole))])
    return markdown_table(["maps", "CC, 8 bits", "CC, float32", "KL, 8 bits", "KL, float32"], rows)


def verdict(value: float, target: float, *, lower: bool = False) -> str:
    """Return "met", or by how much a figure misses its target; both are rounded to two digits."""
    missing = round(round(target, 2) - float(f"{value:.2f}"), 2) * (-1 if lower else 1)
    return "met" if missing <= 0 else f"{missing:.2f} {'over' if lower else 'short'}"


def filters_table(found: dict[str, dict[str, dict[str, float]]]) -> str:
    rows = []
    for head, kinds in found.items():
        student, teacher = kinds["student"], kinds["teacher"]
        rows.append([f"`{head}.student`", _spread(student, "cc"), _spread(student, "kl")])
        rows.append([f"`{head}`, its teacher", _spread(teacher, "cc"), _spread(teacher, "kl")])
        rows.append([CONSTANT, _spread(student, "constant_cc"), _spread(student, "constant_kl")])
    return markdown_table(["maps", "CC ↑", "KL ↓"], rows)


def domain_table(figures: Figures, domains: tuple[str, ...], *, targets: bool) -> str:
    """Return three rows for each domain: student, paper, constant."""
    rows = []
    for domain in domains:
        own, nearest = figures["domains"][domain], DOMAINS[domain].nearest
        papers = {head: table2()[nearest, paper_name(head)].cc for head in heads_in(figures)}
        cells = []
        for head in heads_in(figures):
            cell = f"{own[head]['cc']:.2f}"
            if targets and head not in CONTEXT:
                found = verdict(own[head]["cc"], papers[head])
                cell = f"**{cell}** met" if found == "met" else f"{cell}, {found}"
                if found == "met" and verdict(own[head]["constant_cc"], papers[head]) == "met":
                    cell += ", as by the constant"
            cells.append(cell)
        rows.append([f"`{domain}`", "student", *cells])
        rows.append(["", f"paper, {nearest}", *(f"{papers[head]:.2f}" for head in heads_in(figures))])
        rows.append(["", "constant", *(f"{own[head]['constant_cc']:.2f}" for head in heads_in(figures))])
    return markdown_table(["kind", "CC", *heads_in(figures)], rows)


def met_line(figures: Figures) -> str:
    """Return on how many of the kinds that no training had each head reaches the paper's figure."""
    counts = []
    for head in heads_in(figures):
        if head not in CONTEXT:
            reached = [
                verdict(figures["domains"][d][head]["cc"], table2()[DOMAINS[d].nearest, head].cc) == "met"
                for d in TEST_DOMAINS
            ]
            counts.append(f"{head} {sum(reached)}")
    return f"Met on how many of {len(TEST_DOMAINS)} kinds: {', '.join(counts)}. {OTHER_TEACHERS}"


def overview(figures: Figures) -> str:
    """Return the table of the page for users."""
    rows = []
    for head in heads_in(figures):
        own = figures["osie"][head]
        cells = [f"`{head}.student`", f"{own['cc']:.2f}", f"{own['kl']:.2f}", f"{own['constant_cc']:.2f}"]
        for domains in (TRAINING_DOMAINS, TEST_DOMAINS):
            by_cc = sorted(domains, key=lambda d, head=head: figures["domains"][d][head]["cc"])
            low, high = (figures["domains"][d][head]["cc"] for d in (by_cc[0], by_cc[-1]))
            cells.append(f"{low:.2f} (`{by_cc[0]}`) to {high:.2f}")
        rows.append(cells)
    head_row = ["model", "CC, photos", "KL", f"CC of the {CONSTANT}", "CC, kinds in training", "CC, kinds never seen"]
    resolution = figures["network"]["looks_at"]
    size = f"The network looks at a photo at about {resolution}, whatever its size; what is finer is a guess."
    alone = ", ".join(f"`{head}.student`" for head in figures.get("added", {}).get("heads", ()))
    note = f"\n\nOf {alone} no kind was in training: they learned from photos alone." if alone else ""
    return f"{markdown_table(head_row, rows)}{note}\n\n{size}"


def lowest_table(figures: Figures) -> str:
    """Return the mean CC of each domain and head, the lowest single picture's in brackets."""
    rows = [["photos", *(_low(figures["osie"][head]) for head in heads_in(figures))]]
    for domain in (*TRAINING_DOMAINS, *TEST_DOMAINS):
        name = f"`{domain}`" if DOMAINS[domain].training else f"`{domain}` *"
        rows.append([name, *(_low(figures["domains"][domain][head]) for head in heads_in(figures))])
    about = f"° no better (by less than {NO_BETTER:.2f}) than one map for all pictures, the {CONSTANT}."
    return f"{markdown_table(['pictures', *heads_in(figures)], rows)}\n\n{about}"


def worst_pictures() -> str:
    """Return the pictures of the worst cases, a paragraph a group of domains."""
    return "\n\n".join(f"![{group}: the worst cases](images/students-worst-{group}.jpg)" for group in GROUPS)


def _low(own: dict[str, float]) -> str:
    mark = "°" if own["cc"] < own["constant_cc"] + NO_BETTER else ""
    return f"{own['cc']:.2f}{mark} ({own['lowest_cc']:.2f})"


def _spread(own: dict[str, float], name: str) -> str:
    return f"{own[name]:.3f} ± {own[name + '_std']:.3f}"


def _pictures(found: dict[str, dict[str, float]]) -> int:
    return max(int(own["pictures"]) for own in found.values())


def _pictures_of_domains(figures: Figures) -> str:
    """Return how many pictures a kind has, and which heads have fewer."""
    first = figures["domains"][TRAINING_DOMAINS[0]]
    most = _pictures(first)
    fewer = [f"{head} {int(own['pictures'])}" for head, own in first.items() if own["pictures"] < most]
    return f"{most} pictures each" + (f" ({', '.join(fewer)})" if fewer else "")


def _write(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text.rstrip() + "\n", encoding="utf-8")
    print(f"wrote {path.relative_to(ROOT)}")
