"""The page of what each student that ships looks at, of explanations that benchmarks/explain.py has made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from _tables import markdown_table, provenance

import salbox
from salbox.explain import Explanation, compare

BEFORE, AFTER = "gbvs.student", "gaze"
SHOWN = 5  # concepts of each end
DIFFERENCES = 12


def students_page(folder: Path, concepts: Sequence[str], limit: int, min_photos: int) -> str:
    """Return the page; `folder` has a folder of an explanation for each student, and one for gaze.

    Parameters
    ----------
    folder : Path
    concepts : sequence of str
        The names of the data sets that name regions.
    limit, min_photos : int
        As these explanations were made.
    """
    found = {path.name: Explanation(path) for path in sorted(folder.iterdir()) if (path / "report.html").exists()}
    found = {AFTER: found.pop(AFTER), **found} if AFTER in found else found
    given = " ".join(f"--concepts {name}:PATH" for name in concepts)
    photos = max(int(each.contributions["photos"].max()) for each in found.values())
    *few, most = map(str, sorted({len(each.bases) for each in found.values()}))
    channels = f"{', '.join(few)} or {most}" if few else most
    missing = [f"`{name}`" for name in filter(is_student, salbox.list_models()) if name not in found]
    lacks = f"Not looked at yet: {', '.join(missing)}.\n" if missing else ""
    parts = [
        f"""# What each student looks at

Written by `benchmarks/explain.py`. {provenance(("salbox", "torch", "numpy"))}

Named regions: {", ".join(concepts)}, at most {limit} photos of each; a concept is on {min_photos} photos at least, the
most frequent on {photos}. "frontal", "profile" and "back" are poses of EyeCrowd's faces; names that end in "-merged" or
"-other-merged" are COCO's, for grounds of several kinds. No text is named there, so that nothing is said of it.

Nothing is trained: what the last convolution before each map reads, {channels} channels of a network, is compared
with named regions, and each channel comes with its weight. A contribution is positive where channels that cover a
concept add to saliency, and scaled by the largest of its sign, so that +1.00 and -1.00 stand in every row; brackets are
95 % intervals by the bootstrap over photos. [What a network looks at](../explain.md) says what that means and what it
does not: what stands beside faces shares their channels.

A page of one student, with its photos, channels and their names, is one command:

```bash
salbox explain gbvs.student --no-train --layer head {given} --limit {limit} --min-photos {min_photos} -o why/gbvs
```

and what changed from one to another is `salbox explain why/gbvs --against why/gaze -o what-changed.html`.

## At a glance

{_overview(found)}

*Like gaze*: the rank correlation of both networks' contributions over the concepts that share in a channel of either.
{lacks}"""
    ]
    parts += [f"## {name}\n\n{ranking(each, SHOWN)}\n" for name, each in found.items()]
    if {BEFORE, AFTER} <= found.keys():
        parts.append(_change(folder))
    return "\n".join(parts)


def is_student(name: str) -> bool:
    """Return whether a model is one of the students that ship."""
    return name.endswith(".student")


def _overview(found: dict[str, Explanation]) -> str:
    rows = []
    for name, each in found.items():
        high, low = _ends(each.contributions, 3)
        like = f"{_alike(each, found[AFTER]):.2f}" if AFTER in found and name != AFTER else ""
        rows.append([f"`{name}`", *(", ".join(part["concept"]) for part in (high, low)), like])
    return markdown_table(["network", "highest", "lowest", "like gaze"], rows)


def ranking(found: Explanation, number: int) -> str:
    """Return a table of one network's concepts of both ends, and its categories."""
    both = [
        [[row["concept"], f"{row['scaled']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})"] for row in rows]
        for rows in (part.to_dict("records") for part in _ends(found.contributions, number))
    ]
    rows = [[*high, *low] for high, low in zip_longest(*both, fillvalue=["", ""])]
    table = markdown_table(["highest", "scaled", "lowest", "scaled"], rows)
    categories = ", ".join(f"{each.category} {each.scaled:+.2f}" for each in found.categories.itertuples())
    return f"{table}\n\nCategories: {categories}."


def _change(folder: Path) -> str:
    """Return which concepts count for more and for less in gaze than in the student of GBVS."""
    found = compare(folder / BEFORE, folder / AFTER)
    certain = found.certain
    rising, falling = certain[certain["difference"] > 0], certain[certain["difference"] < 0].iloc[::-1]
    lines = []
    for title, part in (("more", rising), ("less", falling)):
        named = [
            f"{row['concept']} {row['difference']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})"
            for row in part.head(DIFFERENCES).to_dict("records")
        ]
        lines.append(f"- {title}: {', '.join(named) or 'none'}")
    said = "\n".join(lines)
    return f"""## From {BEFORE} to {AFTER}

One learned from an algorithm, the other from people. Of {len(found.table)} concepts {len(certain)} have an interval
that leaves zero out. Contributions over their root mean square:

{said}
"""


def _ends(table: Any, number: int) -> tuple[Any, Any]:
    """Return the highest and the lowest concepts, of those that share in a channel."""
    rising, falling = table[table["scaled"] > 0], table[table["scaled"] < 0]
    return rising.head(number), falling.tail(number).iloc[::-1]


def _alike(one: Explanation, other: Explanation) -> float:
    """Return Spearman's correlation of two networks' contributions."""
    both = [each.contributions.set_index("concept")["contribution"] for each in (one, other)]
    joined = both[0].to_frame("one").join(both[1].to_frame("other"), how="inner")
    taking_part = joined[(joined != 0).any(axis=1)]
    return float(taking_part["one"].corr(taking_part["other"], method="spearman"))
