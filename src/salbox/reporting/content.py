"""What a page says, before it is HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..datasets import DatasetCard
from ..evaluation import Evaluation
from ..metrics import Metric
from ..models.cards import ModelCard


class Picture(NamedTuple):
    """A picture as a data URI, and its size in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Photo:
    """An image of the dataset beside its ground truth; None where a file could not be read or nothing is known."""

    name: str
    pixels: Picture | None
    truth: Picture | None


@dataclass(frozen=True)
class Example:
    """An image with one row's map of it and the figure that it got."""

    photo: Photo
    map: Picture | None
    value: float


@dataclass(frozen=True)
class ModelPart:
    """A model, or maps on disk (no card), with the images that its best and worst figures are of.

    `how` says with which parameters and post-processing; `metric` is what the examples are chosen by.
    """

    name: str
    card: ModelCard | None
    how: str
    metric: Metric
    best: tuple[Example, ...] = ()
    worst: tuple[Example, ...] = ()


@dataclass(frozen=True)
class SideBySide:
    """One image with the map of every row, and what it got in a metric."""

    photo: Photo
    metric: Metric
    examples: Mapping[str, Example]


@dataclass(frozen=True)
class Agreement:
    """The correlation of every pair of rows' maps, (K, K), mean over `images` images."""

    names: tuple[str, ...]
    matrix: npt.NDArray[np.float64]
    images: int


@dataclass(frozen=True)
class ObjectCurves:
    """A row's mean precision, recall and F at the thresholds 255 .. 0, (256,) each."""

    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]
    f: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Report:
    """All that a page shows.

    Attributes
    ----------
    title : str
    card : DatasetCard
    evaluation : Evaluation
    counts : mapping
        Label -> text: images, fixations, observers, sizes.
    models : tuple of ModelPart
        In the order of `order`.
    side_by_side : tuple of SideBySide
        Images that the rows differ most on.
    agreement : Agreement, optional
    curves : mapping
        Row -> curves, where object masks are the truth.
    environment : mapping
        Label -> text: versions, machine, date.
    command : str
        What repeats the page; empty if it was not made by a command.
    failures : tuple of str
        What went wrong after the evaluation: maps that could not be shown or compared.
    """

    title: str
    card: DatasetCard
    evaluation: Evaluation
    counts: Mapping[str, str]
    models: tuple[ModelPart, ...]
    side_by_side: tuple[SideBySide, ...] = ()
    agreement: Agreement | None = None
    curves: Mapping[str, ObjectCurves] = field(default_factory=dict)
    environment: Mapping[str, str] | None = None
    command: str = ""
    failures: tuple[str, ...] = ()

    def order(self) -> list[str]:
        """Return the rows of the table as they are shown."""
        return ranked(self.evaluation)

    def is_reference(self, row: str) -> bool:
        """Return whether a row is the centre bias or the human ceiling."""
        return all(part.name != row for part in self.models)


def ranked(evaluation: Evaluation) -> list[str]:
    """Return the rows, the best in the first metric first, those without that figure last."""
    metric = evaluation.metrics[0]
    sign = -1 if metric.direction == "higher" else 1

    def place(row: str) -> tuple[bool, float]:
        found = evaluation.estimate(row, metric.name)
        return found is None, 0.0 if found is None else sign * found.value

    return sorted(evaluation.rows, key=place)
