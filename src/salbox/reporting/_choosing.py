"""Which images are shown: the best and the worst of each row, and those that rows differ most on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..evaluation import Evaluation
from ..metrics import Metric


def ranking_metric(evaluation: Evaluation, row: str) -> Metric:
    """Return what a row's images are ordered by: the first metric of the table that is defined for it."""
    return next(metric for metric in evaluation.metrics if metric.name in evaluation.rows[row])


def image_values(evaluation: Evaluation, row: str, metric: Metric) -> npt.NDArray[np.float64]:
    """Return a figure an image, (N,); a curve counts as its maximum."""
    return np.array([metric.aggregate([value]) for value in evaluation.rows[row][metric.name]])


def extremes(values: npt.NDArray[np.float64], metric: Metric, number: int) -> tuple[list[int], list[int]]:
    """Return the places of the best and of the worst figures, the most extreme first, none in both."""
    number = min(number, max(1, len(values) // 2)) if number else 0
    order = np.argsort(-values if metric.direction == "higher" else values, kind="stable")
    best = order[:number]
    worst = order[::-1][: min(number, len(values) - len(best))]
    return best.tolist(), worst.tolist()


def shared_metric(evaluation: Evaluation, rows: Sequence[str]) -> Metric | None:
    """Return the first metric of the table that is defined for all rows, None if there is none."""
    return next((m for m in evaluation.metrics if all(m.name in evaluation.rows[row] for row in rows)), None)


def contested(evaluation: Evaluation, rows: Sequence[str], metric: Metric, number: int) -> list[int]:
    """Return the places of the images whose figures in a metric differ most between rows."""
    spread = np.std([image_values(evaluation, row, metric) for row in rows], axis=0)
    return np.argsort(-spread, kind="stable")[:number].tolist()
