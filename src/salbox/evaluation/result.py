"""What an evaluation found: figures, intervals, differences, and everything one has to know to repeat them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, nearest
from ..metrics import Metric
from ..paths import user_path
from .bootstrap import Difference, Estimate, difference, estimate, resampled
from .bootstrap import interval_text as interval_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PerImage = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The table of an evaluation.

    A notebook shows it as a table; `print` writes it in Markdown.

    Attributes
    ----------
    dataset, split : str
        "NAME:PATH", and which images.
    metrics : tuple of Metric
        The columns.
    images : tuple of str
        The images that all rows have figures of; every figure is over these.
    rows : mapping
        Row -> metric -> a value an image, (N,), or a curve an image, (N, 256). A metric that is not defined for a
        row's output is missing.
    facts : mapping
        What the figures depend on, a line each: sigma, models' parameters, versions.
    notes : tuple of str
        What a reader should know: what was left out, and why.
    failures : tuple of str
        Images that could not be scored, a line each.
    """

    dataset: str
    split: str
    metrics: tuple[Metric, ...]
    images: tuple[str, ...]
    rows: Mapping[str, PerImage]
    facts: Mapping[str, str]
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    def estimate(self, row: str, metric: str) -> Estimate | None:
        """Return a figure with its bootstrap interval over images, or None where it is not defined."""
        if metric not in self.rows[row]:
            return None
        return estimate(self._value(row, metric), self._resampled[row, metric])

    def difference(self, row: str, metric: str, reference: str) -> Difference | None:
        """Return a row's figure minus another's with the interval of the paired bootstrap over images.

        Raises
        ------
        UsageError
            If there is no such row.
        """
        self.check_row(reference)
        if metric not in self.rows[row] or metric not in self.rows[reference]:
            return None
        value = self._value(row, metric) - self._value(reference, metric)
        return difference(value, self._resampled[row, metric] - self._resampled[reference, metric])

    def check_row(self, name: str) -> None:
        """Raise UsageError unless there is a row of this name."""
        if name not in self.rows:
            raise UsageError(f"no row '{name}'{nearest(name, self.rows)} (there are {', '.join(self.rows)})")

    def to_pandas(self, *, per_image: bool = False, against: str | None = None) -> pd.DataFrame:
        """Return the figures as a table: a line for each row and metric, or for each image and row.

        Parameters
        ----------
        per_image : bool
            A line for each image and row, a column a metric; a curve counts as its maximum.
        against : str, optional
            A row; columns with the differences to it are added.
        """
        import pandas as pd

        if per_image:
            return pd.DataFrame([{**record, "image": as_utf8(record["image"])} for record in self._image_records()])
        return pd.DataFrame([_flat(record, against) for record in self.records(against)])

    def records(self, against: str | None = None) -> list[dict[str, Any]]:
        """Return the figures as plain dictionaries, one for each row and metric."""
        records = []
        for row in self.rows:
            for metric in self.metrics:
                found = self.estimate(row, metric.name)
                if found is None:
                    continue
                record: dict[str, Any] = {"model": row, "metric": metric.name, **vars(found)}
                if against is not None:
                    between = self.difference(row, metric.name, against)
                    record["difference"] = None if between is None else vars(between)
                records.append(record)
        return records

    def to_dict(self, *, per_image: bool = False, against: str | None = None) -> dict[str, Any]:
        """Return everything as plain dictionaries, lists, texts and numbers, ready for JSON."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "images": len(self.images),
            "facts": dict(self.facts),
            "metrics": [
                {"name": m.name, "title": m.title, "formula": m.formula, "source": m.source, "direction": m.direction}
                for m in self.metrics
            ],
            "interval": interval_text(),
            **({"against": against} if against is not None else {}),
            "results": self.records(against),
            **({"per_image": self._image_records()} if per_image else {}),
            "notes": list(self.notes),
            "failures": list(self.failures),
        }

    def to_markdown(self, *, per_image: bool = False, against: str | None = None) -> str:
        """Return the tables in Markdown, with all that they depend on as a list below."""
        from .formats import to_markdown

        return to_markdown(self, per_image=per_image, against=against)

    def to_latex(self, *, per_image: bool = False, against: str | None = None) -> str:
        """Return the tables in LaTeX, the best figures bold; the packages it needs stand in its first line."""
        from .latex import to_latex

        return to_latex(self, per_image=per_image, against=against)

    def to_csv(self, *, per_image: bool = False, against: str | None = None) -> str:
        """Return the figures unrounded as CSV: a line for each row and metric, or for each image and row."""
        from .formats import to_csv

        return to_csv(self, per_image=per_image, against=against)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Return a figure of bars with intervals, and write it if asked: a .png, .pdf or .svg.

        Raises
        ------
        UsageError
            If the file's suffix is another.
        """
        from .bars import bars

        return bars(self, None if path is None else user_path(os.fspath(path)))

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from .notebook import to_html

        return to_html(self)

    def __repr__(self) -> str:
        rows, metrics = ", ".join(self.rows), ", ".join(m.name for m in self.metrics)
        return f"Evaluation of {rows} by {metrics} on {self.dataset}, split {self.split}, {len(self.images)} images"

    def __str__(self) -> str:
        return self.to_markdown()

    def _image_records(self) -> list[dict[str, Any]]:
        return [
            {
                "image": image,
                "model": row,
                **{m.name: m.aggregate([values[m.name][k]]) for m in self.metrics if m.name in values},
            }
            for k, image in enumerate(self.images)
            for row, values in self.rows.items()
        ]

    def _value(self, row: str, metric: str) -> float:
        chosen = next(m for m in self.metrics if m.name == metric)
        return chosen.aggregate(list(self.rows[row][metric]))

    @cached_property
    def _resampled(self) -> Mapping[tuple[str, str], npt.NDArray[np.float64]]:
        keys = [(row, metric) for row, values in self.rows.items() for metric in values]
        return dict(zip(keys, resampled([self.rows[row][metric] for row, metric in keys]), strict=True))


def as_utf8(name: str) -> str:
    """Return a file's name as text; bytes that are no UTF-8 become escapes, since tables hold text alone."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def table_of(results: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, npt.NDArray[np.float64]]:
    """Return {metric: array over images} of results by image."""
    return {name: np.array([result[name] for result in results], np.float64) for name in names}


def _flat(record: dict[str, Any], against: str | None) -> dict[str, Any]:
    if against is None:
        return record
    between = record.pop("difference") or {}
    flat = {f"difference_{k}" if k != "value" else "difference": v for k, v in between.items() if k != "p"}
    return {**record, "against": against, **flat, **({"p": between["p"]} if between else {})}
