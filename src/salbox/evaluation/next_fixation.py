"""The table of how well the density of where one looks next predicts where one looked; see `next_fixation_rows`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..datasets import Dataset, open_dataset
from ..errors import SalboxError, UsageError
from ..models.scanpath_model import ScanpathModel
from ..models.scanpaths import DEFAULT, Saccades, find_saccades
from ..system.progress import SILENT, Progress
from .evaluating import evaluate
from .next_fixation_rows import NextFixation, ScanpathSource, ahead
from .result import Evaluation
from .rows import AnySource, rows_of
from .sources import CenterBias, MapSource, Source

METRICS = ("nss", "ig", "ll")  # means over fixations: of one fixation and of many they are the same


def next_fixation(
    dataset: str | Dataset,
    models: AnySource | ScanpathModel | Iterable[AnySource | ScanpathModel],
    metrics: Sequence[str] = METRICS,
    *,
    split: str | None = None,
    saccades: str | Saccades = DEFAULT,
    center_bias: bool = True,
    folder: str | os.PathLike[str] | None = None,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Evaluation:
    """Return how well models predict the next fixation, a row each.

    Parameters
    ----------
    dataset : "NAME:PATH", or Dataset
        It tells the order of fixations.
    models : models, scanpath models, or sources
        A model that gives a density has two rows: as it is, and changed by where one looked before. A scanpath model
        has `conditional_log_density(image, x_hist, y_hist)` and one row.
    metrics : names of "nss", "ig", "ll"
    split : str, optional
        Of a dataset given by name.
    saccades : name or Saccades
        How densities are changed by where one looked before.
    center_bias : bool
        Add the two rows of the centre bias.
    folder, workers, progress
        As `salbox.evaluate` takes them.

    Raises
    ------
    UsageError
        If the dataset does not tell the order of fixations, a model gives no density, or for another metric.
    """
    data = open_dataset(dataset, split) if isinstance(dataset, str) else dataset
    check_metrics(metrics)
    given = [models] if isinstance(models, str) or not isinstance(models, Iterable) else list(models)
    rows: list[Source] = []
    for model in given:
        if isinstance(model, ScanpathModel):
            rows.append(ScanpathSource(model))
        else:
            rows += rows_for(rows_of([model]), saccades)
    if center_bias:
        rows += rows_for([CenterBias()], saccades)
    return score_next(data, rows, metrics, folder=folder, workers=workers, progress=progress)


def rows_for(sources: Iterable[Any], saccades: str | Saccades = DEFAULT) -> list[Source]:
    """Return two rows for each source of densities: as it is, and changed by where one looked before."""
    found = find_saccades(saccades)
    return [NextFixation(source, own) for source in sources for own in (None, found)]


def score_next(
    data: Dataset,
    rows: Sequence[Source],
    metrics: Sequence[str] = METRICS,
    *,
    folder: str | os.PathLike[str] | None = None,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Evaluation:
    """Return the table of rows of `NextFixation` and `ScanpathSource`; raises as `next_fixation` does."""
    check_metrics(metrics)
    if "fixations" not in data.gives:
        raise UsageError(f"{data.card.name}: no fixations, of which the next ones are predicted")
    kept = [index for index in range(len(data)) if _has_next(data, index)]
    if not kept:
        raise UsageError(f"{data.card.name}: nobody fixated two places of one image")
    if len(kept) < len(data):
        data = data.subset(kept, f"{len(data) - len(kept)} images without a fixation that has one before it left out")
        rows = [_of_subset(row, kept) for row in rows]
    return evaluate(data, rows, metrics, folder=folder, workers=workers, progress=progress)


def _has_next(data: Dataset, index: int) -> bool:
    try:
        fixations = data.fixations(index)
    except SalboxError:  # of an image that cannot be read
        return False
    if len(fixations) and fixations.order is None:
        raise UsageError(f"{data.card.name}: it does not tell in which order places were fixated")
    return len(ahead(fixations)) > 0


def _of_subset(row: Source, kept: Sequence[int]) -> Source:
    """Return a row for some of the images: of maps on disk those of these images."""
    if not (isinstance(row, NextFixation) and isinstance(row.source, MapSource)):
        return row
    return replace(row, source=replace(row.source, folder=row.source.folder.of_subset(kept)))


def check_metrics(metrics: Sequence[str]) -> None:
    """Raise a UsageError unless all metrics are means over fixations."""
    if unknown := [name for name in metrics if name not in METRICS]:
        raise UsageError(f"metric '{unknown[0]}' of the next fixation: expected {', '.join(METRICS)}")
