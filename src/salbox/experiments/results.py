"""What an experiment found, as tables: all_results.csv, image_statistics.csv, and a page."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..evaluation.code import changed
from ..evaluation.formats import UNDEFINED, markdown_table
from ..evaluation.result import as_utf8
from ..imaging.postprocess import PostProcess
from ..imaging.writing import atomic
from ..version import __version__
from .plan import Experiment
from .testing import LOSS, METRICS, Tested

COLUMNS = (LOSS, *METRICS)
RESULTS, IMAGES, GRID, PAGE = "all_results.csv", "image_statistics.csv", "grid.png", "experiment.md"


@dataclass(frozen=True)
class Result:
    """What came of a model: figures, or why there are none."""

    name: str
    tested: Tested | None = None
    error: str = ""

    @property
    def means(self) -> Mapping[str, float]:
        """The figures by column; {} if there are none."""
        return {} if self.tested is None else self.tested.means


def write_tables(folder: Path, results: Sequence[Result]) -> None:
    """Write the figures of the models so far: a line a model, and a line a model and photo."""
    _write(
        folder / RESULTS,
        ("MODEL", *COLUMNS, "ERROR"),
        ([each.name, *(each.means.get(column, "") for column in COLUMNS), each.error] for each in results),
    )
    _write(
        folder / IMAGES,
        ("MODEL", "IMAGE", *METRICS),
        (
            [each.name, as_utf8(image), *(figures[column] for column in METRICS)]
            for each in results
            if each.tested is not None
            for image, figures in each.tested.images.items()
        ),
    )


def write_page(experiment: Experiment, results: Sequence[Result], has_grid: bool) -> None:
    """Write the page: what was done, the table, the pictures, and how to use the students."""
    rows = []
    for each in results:
        rows.append(_row(each.name, each.means))
        if each.tested is not None and each.tested.constant:
            rows.append(_row(f"{each.name}: a constant", each.tested.constant))
    tested = "photos of their own" if experiment.test is not None else "the photos that nobody learned from"
    parts = [
        f"# {experiment.name}",
        f"{len(experiment.models)} models, each taught to a student of its own (network `{experiment.recipe.student}`) "
        f"from {len(experiment.photos)} photos, and tested on {tested}. salbox {__version__}.",
        markdown_table(("model", *COLUMNS), rows, figures=len(COLUMNS)),
        "\n".join(
            [
                "- Means over photos of the student's map beside its teacher's, both brought to 320x240 by area and "
                "min-max scaled. NSS is KDSalBox's: of the pixels where the teacher exceeds .5; KL is in nats.",
                "- Below each student what a constant gets: its teacher's mean map of the training photos.",
                f"- {LOSS} is that of the recipe ({', '.join(experiment.recipe.loss)}), of the network's own output.",
                f"- Done to the teachers' maps: {_named(experiment.pre)}; to the students': {_named(experiment.post)}.",
                f"- The same as numbers: `{RESULTS}`, and photo by photo `{IMAGES}`.",
            ]
        ),
    ]
    failed = [f"- {each.name}: {each.error}" for each in results if each.error]
    if failed:
        parts += ["## Failed", "\n".join(failed)]
    if has_grid:
        parts += ["## Pictures", f"Each photo with the teachers' maps, below them the students'.\n\n![]({GRID})"]
    done = next((each.name for each in results if each.tested is not None), None)
    if done is not None:
        parts += ["## Use", f"```sh\nsalbox predict photo.jpg -m students/{done} -o maps\n```"]
    with atomic(experiment.folder / PAGE) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n", encoding="utf-8", errors="backslashreplace")


def _row(name: str, figures: Mapping[str, float]) -> tuple[str, ...]:
    return name, *(f"{figures[column]:.3f}" if column in figures else UNDEFINED for column in COLUMNS)


def _named(process: PostProcess) -> str:
    return ", ".join(f"`{name}={value}`" for name, value in changed(process).items()) or "nothing"


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with (
        atomic(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
