"""How closely a student follows its teachers, beside a constant: means and standard deviations by head and domain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...errors import UsageError, nearest
from ...evaluation.formats import markdown_table
from ...evaluation.result import as_utf8
from ...metrics.fidelity import EPS, HEIGHT, WIDTH, fidelity_cc, fidelity_kl, fidelity_sim, to_common_size
from ...types import DoubleMap

if TYPE_CHECKING:
    import pandas as pd

Map = npt.NDArray[Any]

STUDENT = "student"
CONSTANT = "mean teacher map of the training photos"
PHOTOS = "photos"  # the name of pictures that no domain changed

FORMULAS = (
    f"Both maps brought to {WIDTH}x{HEIGHT} by area (OpenCV's INTER_AREA) and min-max scaled; CC is Pearson's "
    f"correlation, KL the sum of t log(eps + t / (s + eps)), SIM the sum of min(s, t), with t the teacher's and s the "
    f"student's map divided by their sums, eps {EPS}. Mean ± standard deviation (N) over pictures."
)


@dataclass(frozen=True)
class Pair:
    """What a student and its teacher make of one picture: two maps of any size, of a log density exp of it.

    `head` is the student's head, `domain` what was done to the photo (None: nothing).
    """

    key: str
    head: str
    student: Map
    teacher: Map
    domain: str | None = None


@dataclass(frozen=True)
class Compared:
    """The figures of one picture and head, of the student and of what is constant."""

    key: str
    head: str
    domain: str
    cc: float
    kl: float
    sim: float
    constant_cc: float
    constant_kl: float
    constant_sim: float


@dataclass(frozen=True)
class Row:
    """Means and standard deviations (N) over the pictures of a domain; `maps` is `STUDENT` or `CONSTANT`."""

    head: str
    maps: str
    domain: str
    pictures: int
    cc: float
    cc_std: float
    kl: float
    kl_std: float
    sim: float
    sim_std: float


@dataclass(frozen=True)
class Fidelity:
    """The fidelity of a student, picture by picture.

    Attributes
    ----------
    compared : tuple of Compared
    notes : tuple of str
        What a reader of the table should know: maps that were missing or broken.
    """

    compared: tuple[Compared, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The table: for each head and domain the student, and below it what a constant gets."""
        groups: dict[tuple[str, str], list[Compared]] = {}
        for one in self.compared:
            groups.setdefault((one.head, one.domain), []).append(one)
        # Heads as they came; plain photos first, as they are what the other domains are compared with.
        heads = list(dict.fromkeys(head for head, _ in groups))
        order = sorted(groups, key=lambda group: (heads.index(group[0]), group[1] != PHOTOS))
        return tuple(row for group in order for row in _rows(*group, groups[group]))

    def row(self, head: str, domain: str = PHOTOS, maps: str = STUDENT) -> Row:
        """Return one row of the table.

        Raises
        ------
        UsageError
            If there is none; the nearest head or domain is proposed.
        """
        for row in self.rows:
            if (row.head, row.domain, row.maps) == (head, domain, maps):
                return row
        heads, domains = {row.head for row in self.rows}, {row.domain for row in self.rows}
        hint = nearest(domain, domains) if head in heads else nearest(head, heads)
        raise UsageError(f"no fidelity of head '{head}' on '{domain}'{hint}")

    def summary(self, head: str) -> str:
        """Return the figures of a head in one line, as a card states them.

        Of plain photos, or where there are none of the domain that comes first.
        """
        domain = next((row.domain for row in self.rows if row.head == head), PHOTOS)
        found, constant = self.row(head, domain), self.row(head, domain, CONSTANT)
        where = "held-out photos" if domain == PHOTOS else f"held-out photos, domain {domain}"
        return (
            f"CC {found.cc:.3f} ± {found.cc_std:.3f}, KL {found.kl:.3f} ± {found.kl_std:.3f} with its teacher on "
            f"{found.pictures} {where} (the {CONSTANT}: CC {constant.cc:.3f}, KL {constant.kl:.3f})"
        )

    def worse_than_constant(self) -> tuple[str, ...]:
        """Return a line for each head whose CC is below that of the constant; of plain photos, as `summary`."""
        lines = []
        for head in dict.fromkeys(row.head for row in self.rows):
            found = next(row for row in self.rows if row.head == head)
            constant = self.row(head, found.domain, CONSTANT)
            if found.cc < constant.cc:
                lines.append(worse_line(head, found.cc, constant.cc))
        return tuple(lines)

    def to_pandas(self, *, per_image: bool = False) -> pd.DataFrame:
        """Return the table, a line for each row, or for each picture and head."""
        import pandas as pd

        if per_image:
            return pd.DataFrame([{**asdict(one), "key": as_utf8(one.key)} for one in self.compared])
        return pd.DataFrame([asdict(row) for row in self.rows])

    def to_dict(self, *, per_image: bool = False) -> dict[str, Any]:
        """Return everything as plain dictionaries, lists, texts and numbers, ready for JSON."""
        return {
            "formulas": FORMULAS,
            "rows": [asdict(row) for row in self.rows],
            **({"per_image": [asdict(one) for one in self.compared]} if per_image else {}),
            "notes": list(self.notes),
        }

    def to_markdown(self) -> str:
        """Return the table in Markdown, with what the figures are below."""
        rows = []
        for row in self.rows:
            figures = ((row.cc, row.cc_std), (row.kl, row.kl_std), (row.sim, row.sim_std))
            cells = [row.head, row.maps, row.domain, str(row.pictures), *(f"{m:.3f} ± {s:.3f}" for m, s in figures)]
            rows.append(cells)
        table = markdown_table(("head", "maps", "pictures", "N", "CC ↑", "KL ↓", "SIM ↑"), rows, figures=4)
        return "\n".join([table, "", FORMULAS, *(f"\n- {note}" for note in self.notes)])


def worse_line(name: str, cc: float, constant_cc: float) -> str:
    """Return in words that a student does worse than a constant."""
    figures = f"its CC with the teacher is {cc:.3f}, that of the {CONSTANT} {constant_cc:.3f}"
    return f"{name} is worse than a constant: {figures}"


def mean_map(maps: Iterable[Map]) -> DoubleMap:
    """Return the mean of teacher maps, each brought to the size and range of fidelity first: (240, 320), in 0..1.

    The maps are read one after the other.

    Raises
    ------
    UsageError
        If there is none.
    """
    total, number = np.zeros((HEIGHT, WIDTH)), 0
    for saliency in maps:
        total += to_common_size(saliency)
        number += 1
    if not number:
        raise UsageError("no teacher map to take the mean of")
    return total / number


def compare(pairs: Iterable[Pair], mean_maps: Mapping[str, Map]) -> Iterator[Compared]:
    """Yield the figures of each pair; nothing but the pair at hand is kept.

    Parameters
    ----------
    pairs : iterable of Pair
    mean_maps : mapping
        Head -> the mean of its teacher's maps of the training photos (see `mean_map`): what a constant gets.

    Raises
    ------
    UsageError
        If the mean of a head is missing, or a map is not (H, W) and finite.
    """
    for pair in pairs:
        if pair.head not in mean_maps:
            raise UsageError(f"no mean teacher map of head '{pair.head}' to compare with")
        teacher = to_common_size(pair.teacher)
        both = [to_common_size(saliency) for saliency in (pair.student, mean_maps[pair.head])]
        figures = [metric(s, teacher) for s in both for metric in (fidelity_cc, fidelity_kl, fidelity_sim)]
        yield Compared(pair.key, pair.head, pair.domain or PHOTOS, *figures)


def measure(pairs: Iterable[Pair], mean_maps: Mapping[str, Map]) -> Fidelity:
    """Return the fidelity over pairs of maps. Parameters and errors as `compare`, and UsageError if there is none."""
    compared = tuple(compare(pairs, mean_maps))
    if not compared:
        raise UsageError("no map of a student to compare with its teacher's")
    return Fidelity(compared)


def _rows(head: str, domain: str, group: list[Compared]) -> Iterator[Row]:
    for maps, prefix in ((STUDENT, ""), (CONSTANT, "constant_")):
        values = [np.array([getattr(one, prefix + name) for one in group]) for name in ("cc", "kl", "sim")]
        moments = [float(moment) for v in values for moment in (v.mean(), v.std())]
        yield Row(head, maps, domain, len(group), *moments)
