"""What papers print of salient-object models: how good, how large, how much arithmetic."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

from ..errors import UsageError, nearest

SOURCE = "Zhang, Liang and Shi 2022, table 1"

# salbox's name of a data set -> the name that the table has of its test photos.
TEST_PHOTOS: Mapping[str, str] = MappingProxyType(
    {name: name for name in ("ecssd", "hku-is", "dut-omron", "pascal-s")} | {"duts": "duts-te"}
)

# Which column a metric is beside. The paper says "F-measure" and "E-measure" and not at which threshold.
_COLUMNS = {
    "mae": "mae",
    "max_f": "f",
    "mean_f": "f",
    "adaptive_f": "f",
    "max_e": "e",
    "mean_e": "e",
    "adaptive_e": "e",
}


@dataclass(frozen=True)
class Published:
    """A method's printed figures on one data set; `figures` are those of `mae`, `f` and `e`.

    Parameters and multiply-adds are numbers, not millions of them.
    """

    method: str
    dataset: str
    parameters: float
    macs: float
    figures: Mapping[str, float]

    def value(self, metric: str) -> float | None:
        """Return the figure that stands for a metric of salbox's, None if the paper has none."""
        column = _COLUMNS.get(metric)
        return None if column is None else self.figures[column]


@lru_cache
def published_objects(dataset: str) -> tuple[Published, ...]:
    """Return the printed figures of a data set's test photos, by the table's name of it.

    Raises
    ------
    UsageError
        If the table does not have it; the nearest is proposed.

    Examples
    --------
    >>> from salbox.evaluation.published import published_objects
    >>> small = [p for p in published_objects("duts-te") if p.parameters < 1e6]
    >>> [(p.method, p.value("mae"), p.value("s_measure")) for p in small]
    [('FS-SCFNet', 0.041, None), ('KD-SCFNet', 0.035, None)]
    """
    text = resources.files("salbox").joinpath("data/published_objects.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    rows = [row for row in csv.DictReader(lines) if row["dataset"] == dataset]
    if not rows:
        names = tuple(TEST_PHOTOS.values())
        raise UsageError(f"no published figures of '{dataset}'{nearest(dataset, names)} (there are {', '.join(names)})")
    return tuple(
        Published(
            row["method"],
            dataset,
            float(row["parameters"]) * 1e6,
            float(row["macs"]) * 1e9,
            {name: float(row[name]) for name in ("mae", "f", "e")},
        )
        for row in rows
    )
