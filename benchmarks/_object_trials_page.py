"""The page of the trials with objects: what each row learned, and what it comes to on photos with masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from _distilling import read_csv
from _tables import SHARED, markdown_table
from objects import Row, measured

from salbox.datasets import Dataset
from salbox.evaluation import Evaluation, ModelSource
from salbox.evaluation.bootstrap import Estimate, estimate, resampled
from salbox.metrics import get_metric

METRICS = ("mae", "max_f", "mean_e")
PUBLISHED = {"DUTS": "duts_te_", "ECSSD": "ecssd_"}  # title of a data set -> beginning of its columns

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """A finished trial: what the page calls it, its folder, and what its training came to."""

    title: str
    folder: Path
    facts: Mapping[str, Any]


class Figures:
    """What runs come to on data sets, measured when asked for.

    Parameters
    ----------
    runs : mapping
        Name -> run.
    sets : sequence of Dataset
    """

    def __init__(self, runs: Mapping[str, Run], sets: Sequence[Dataset]) -> None:
        self.runs, self.sets = runs, sets

    @cached_property
    def errors(self) -> list[Evaluation]:
        """M alone, one table a data set, a row a run."""
        return [self.table(data, list(self.runs), ("mae",)) for data in self.sets]

    def table(self, data: Dataset, names: Sequence[str], metrics: Sequence[str] = METRICS) -> Evaluation:
        """Return the figures of some runs on a data set."""
        return measured(data, [Row(name, ModelSource(str(self.runs[name].folder))) for name in names], metrics)


def mean_errors(table: Evaluation, names: Sequence[str]) -> Values:
    """Return the mean absolute error of each photo, (N,), the mean over some runs."""
    found: Values = np.mean([table.rows[name]["mae"] for name in names], axis=0)
    return found


def change(of: Values, to: Values) -> Estimate:
    """Return by what share the mean of the second is above that of the first, photos paired, with its interval."""
    first, second = resampled([of, to])
    return estimate(float(to.mean() / of.mean() - 1), second / first - 1)


def shares(found: Estimate) -> str:
    """Return a change in per cent with its interval."""
    return f"{found.value:+.1%} [{found.low:+.1%}, {found.high:+.1%}]"


def cell(found: Estimate | None) -> str:
    """Return a figure with its interval."""
    return "–" if found is None else f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def pairs_table(figures: Figures, pairs: Sequence[tuple[str, str, str]], *, mean: bool = True) -> str:
    """Return pairs of runs side by side: (title, on masks, on maps), M on each data set, and their mean below.

    The last row is the mean over all pairs, photo by photo, if there are several and it is wanted.
    """
    lines = []
    listed = [(title, [fs], [kd]) for title, fs, kd in pairs]
    if mean and len(pairs) > 1:
        listed.append((f"mean of {len(pairs)}", [fs for _, fs, _ in pairs], [kd for *_, kd in pairs]))
    for title, fs, kd in listed:
        cells = []
        for table in figures.errors:
            one, other = mean_errors(table, fs), mean_errors(table, kd)
            cells += [f"{one.mean():.4f}", f"{other.mean():.4f}", shares(change(one, other))]
        lines.append([title, *cells])
    head = ["", *(f"{data.card.title}, {what}" for data in figures.sets for what in ("FS", "KD", "KD against FS"))]
    return markdown_table(head, lines, figures=len(head) - 1)


def verdicts(figures: Figures, pairs: Sequence[tuple[str, str, str]]) -> str:
    """Return in words which is better on each data set, over all pairs, if the photos tell."""
    found = []
    for data, table in zip(figures.sets, figures.errors, strict=True):
        names = [fs for _, fs, _ in pairs], [kd for *_, kd in pairs]
        between = change(*(mean_errors(table, each) for each in names))
        told = between.low > 0 or between.high < 0
        which = "below" if between.value < 0 else "above"
        found.append(f"on {data.card.title} {f'M of KD is {which} that of FS' if told else 'they are not told apart'}")
    seeds = f"{len(pairs)} seeds" if len(pairs) > 1 else "one seed, whose chance the intervals do not hold"
    return f"By these photos, over {seeds}: {', '.join(found)}."


def rows_table(figures: Figures, titles: Mapping[str, str], against: str) -> Iterator[str]:
    """Yield a table of runs, under titles, on each data set, with the change of M against one of them."""
    for data in figures.sets:
        table, lines = figures.table(data, list(titles)), []
        for name, title in titles.items():
            compared = "" if name == against else shares(change(table.rows[against]["mae"], table.rows[name]["mae"]))
            lines.append([title, *(cell(table.estimate(name, m)) for m in METRICS), compared])
        head = ("", *(get_metric(m).title for m in METRICS), f"M against {titles[against]}")
        yield f"{data.card.title}, {len(table.images)} photos:"
        yield markdown_table(head, lines, figures=len(head) - 1)


def published(file: str, sets: Sequence[Dataset]) -> str:
    """Return a table of the paper: M, F and E of all test photos of each data set."""
    printed = read_csv(SHARED / "published" / file)
    columns = [PUBLISHED[data.card.title] + figure for data in sets for figure in ("mae", "f", "e")]
    head = ["", *(f"{data.card.title}, {figure}" for data in sets for figure in "MFE")]
    return markdown_table(
        head, [[plain(line["model"]), *(line[c] for c in columns)] for line in printed], figures=len(columns)
    )


def plain(title: str) -> str:
    r"""Return what a row of the paper is called, without its typesetting: of "$SP_{5 \times 5}$" "SP 5x5"."""
    for typeset, written in (("$", ""), (r" \times ", "x"), ("_{", " "), ("}", ""), (" ² ", "²")):
        title = title.replace(typeset, written)
    return title


def trainings_table(runs: Mapping[str, Run]) -> str:
    """Return what each training saw and took."""
    lines = [
        [f"`{name}`", run.title, f"{run.facts['photos']:,}", f"{run.facts['pictures']:,}",
         f"{run.facts['minutes']:.1f}", f"{run.facts['validation_mae']:.4f}"]
        for name, run in runs.items()
    ]  # fmt: skip
    head = ("trial", "", "photos", "pictures seen", "minutes", "M, validation photos")
    return markdown_table(head, lines, figures=4)
