"""What fits are worth on photos that they did not see: a table before and after, and how much of the gap closed."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..errors import UsageError
from ..evaluation import CenterBias, Evaluation, HumanCeiling, evaluate
from ..evaluation.bootstrap import Estimate, estimate, resampled
from ..evaluation.sources import MapScorer, Scorer, Source
from ..evaluation.truth import ImageTruth
from ..models.profiles import Tail
from ..system.progress import SILENT, Progress
from ..types import Output
from ..version import __version__
from .centers import Shape
from .fitting import cross_validate
from .forms import Form, sum_of
from .observed import Observed

CENTER, CEILING = CenterBias.name, HumanCeiling.name
METRICS = ("nss", "cc", "auc", "ig")
UNKEPT = "each photo's map is made by a fit of its own, to the photos of other folds"


@dataclass(frozen=True)
class HeldOut:
    """A row of densities, each made by the fit that did not see its photo.

    Attributes
    ----------
    name : str
    made : {index: (priorities, tail)}
        Of each photo of the data set that it is a row of.
    output : str
        What `density` gives.
    unkept : str
        Why an evaluation does not keep its figures.
    """

    name: str
    made: Mapping[int, tuple[npt.NDArray[Any], Tail]]
    output: Output = "log_density"
    unkept: str = UNKEPT

    def settings(self) -> dict[str, Any]:
        """Return what it is."""
        return {"held out": self.name, "postprocess": {}}

    def covers(self, index: int) -> bool:
        """Return whether there is a density of an image."""
        return index in self.made

    def scorer(self) -> Scorer:
        """Return what scores one image."""
        return MapScorer(self.density, self.output)

    def density(self, truth: ImageTruth) -> npt.NDArray[Any]:
        """Return the log density of an image: (H, W) float32."""
        priorities, tail = self.made[truth.index]
        return tail.log_density(priorities, truth.shape)


def held_out_row(
    name: str,
    photos: Sequence[Observed],
    forms: Mapping[str, Form],
    held_out: npt.NDArray[np.intp],
    center: Shape,
    degrees: float | None,
    progress: Progress = SILENT,
) -> HeldOut:
    """Return the row of densities that fits make, each of a photo that it did not see; see `cross_validate`."""
    fits = cross_validate(photos, forms, held_out, center, degrees, progress)
    made = {
        k: (sum_of(photo.values, fit.numbers, forms), fit.tail)
        for k, (photo, fit) in enumerate(zip(photos, fits, strict=True))
    }
    return HeldOut(name, made)


def score_held_out(
    dataset: Dataset,
    indices: Sequence[int],
    rows: Sequence[Source],
    *,
    sigma: float | None = None,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Evaluation:
    """Return the table of rows, the centre bias and, where observers are told apart, the human ceiling.

    Parameters
    ----------
    dataset : Dataset
    indices : sequence of int
        The photos that are measured, in the order in which `HeldOut` rows number them.
    rows : sequence of sources
    sigma : float, optional
        Of densities, in pixels; by default the data set's own.
    workers, progress
        As `evaluate` takes them.
    """
    subset = dataset.subset(indices, f"{len(indices)} photos, each scored by a fit that did not see it")
    are_apart = all(len(subset.fixations(index).subjects) > 1 for index in range(len(subset)))
    every = [*rows, CenterBias(), *([HumanCeiling()] if are_apart else [])]
    return evaluate(subset, every, METRICS, sigma=sigma, workers=workers, progress=progress)


def gap_closed(table: Evaluation, before: str, after: str, metric: str = "ig") -> Estimate | None:
    """Return which share of the way from one row to the human ceiling another went, with its interval.

    The ratio of mean differences over photos; the interval is the bootstrap's, the same photos above and below. None
    where there is no ceiling, or the ceiling is not above the row.
    """
    if CEILING not in table.rows:
        return None
    own = {row: np.asarray(table.rows[row][metric], np.float64) for row in (before, after, CEILING)}
    gained, possible = own[after] - own[before], own[CEILING] - own[before]
    if possible.mean() <= 0:
        return None
    above, below = resampled([gained, possible])
    return estimate(float(gained.mean() / possible.mean()), above / np.maximum(below, 1e-9))


def choose(dataset: Dataset, photos: int | None, seed: int) -> list[int]:
    """Return which photos a fit takes: all that have fixations, or so many of them, drawn by a seed, in order.

    Raises
    ------
    UsageError
        If there are not so many, or the data set has no fixations.
    """
    if "fixations" not in dataset.gives:
        raise UsageError(f"{dataset.card.name}: no fixations, which a fit of densities needs")
    there = [index for index in range(len(dataset)) if len(dataset.fixations(index))]
    return draw(there, photos, seed, f"{dataset.card.name}: {len(there)} photos with fixations")


def draw(there: Sequence[int], photos: int | None, seed: int, what: str) -> list[int]:
    """Return all photos, or so many of them, drawn by a seed, in order; `what` begins the UsageError of too few."""
    if photos is None:
        return list(there)
    if photos > len(there):
        raise UsageError(f"{what}, {photos} were asked for")
    drawn = np.random.default_rng(seed).choice(len(there), photos, replace=False)
    return [there[number] for number in sorted(drawn)]


def facts(
    model: str, dataset: Dataset, photos: int, parts: int, figures: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Return what a file tells about a fit, ready for JSON; figures are of held-out photos, {row: {metric: mean}}."""
    rounded = {row: {name: round(value, 4) for name, value in own.items()} for row, own in figures.items()}
    return {
        "model": model,
        "fitted_on": f"{dataset.card.title}, split {dataset.split}",
        "photos": photos,
        "held_out": {"folds": parts, "figures": rounded},
        "salbox": __version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def figures_of(table: Evaluation, before: str, after: str) -> dict[str, dict[str, float]]:
    """Return the means of a table's rows for `facts`."""
    return {
        label: {metric: found.value for metric in METRICS if (found := table.estimate(row, metric))}
        for label, row in (("before", before), ("after", after), (CENTER, CENTER), (CEILING, CEILING))
        if row in table.rows
    }
