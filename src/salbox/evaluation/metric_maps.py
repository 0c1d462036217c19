"""Rows of densities that are scored by a map of their own for each metric, as the Tübingen benchmark does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..metrics import Metric, map_for
from ..metrics.optimal_maps import KINDS
from ..system.identity import code_identity
from ..types import Output
from .sources import MapScorer, Results, RowSource, Scorer, score_map
from .truth import ImageTruth

_NEEDS_CENTER, _NEEDS_SIGMA = ("sauc",), ("cc", "kl", "sim")


@dataclass(frozen=True)
class MapsForMetrics:
    """A row of densities, each metric computed on the map that the density itself expects to score best by it.

    See `salbox.metrics.map_for`. The centre bias is the split's other images', sigma that of the true densities, and
    SIM's number of fixations the mean of the split's other images. Metrics without such a map are computed as usual.

    Attributes
    ----------
    source : ModelSource or MapSource

    Raises
    ------
    UsageError
        If the row's maps are no log densities.
    """

    source: RowSource

    def __post_init__(self) -> None:
        if self.source.output != "log_density":
            raise UsageError(
                f"'{self.source.name}' gives a {self.source.output}: a map for each metric is made of densities; "
                "'salbox adapt' makes it one"
            )

    @property
    def name(self) -> str:
        """The row's name, and that it is scored so."""
        return f"{self.source.name}, map for each metric"

    @property
    def output(self) -> Output:
        """What the numbers of its maps are."""
        return self.source.output

    @property
    def unkept(self) -> str:
        """Why its figures are not kept; "" if they are."""
        return getattr(self.source, "unkept", "")

    def settings(self) -> dict[str, Any]:
        """Return what the row depends on."""
        return {**self.source.settings(), "maps_for_metrics": code_identity(__name__)}

    def covers(self, index: int) -> bool:
        """Return whether there is a map of an image."""
        return self.source.covers(index)

    def scorer(self) -> Scorer:
        """Return what scores one image; the model is loaded."""
        return _MapsScorer(self.source.mapper(), self.output)


def for_metrics(rows: Iterable[RowSource]) -> list[MapsForMetrics]:
    """Return a further row for each row of densities.

    Raises
    ------
    UsageError
        If there is none.
    """
    found = [row for row in rows if row.output == "log_density"]
    if not found:
        raise UsageError(
            "a map for each metric is made of densities, and no row gives one (gaze does, and any model with a profile "
            "of 'salbox adapt')"
        )
    return [MapsForMetrics(row) for row in found]


class _MapsScorer(MapScorer):
    def __call__(self, truth: ImageTruth, metrics: Sequence[Metric]) -> Results:
        log_density = self.mapper(truth)
        results: Results = {}
        made: dict[str, Any] = {}
        for metric in metrics:
            kind = KINDS.get(metric.name)
            if kind is None:
                results |= score_map(log_density, self.output, truth, [metric])
                continue
            if kind not in made:
                made[kind] = map_for(
                    kind,
                    log_density,
                    center_bias=truth["baseline"] if kind in _NEEDS_CENTER else None,
                    sigma=truth.sigma if kind in _NEEDS_SIGMA else None,
                    fixations=_usual_number(truth) if kind == "sim" else 1,
                )
            results |= score_map(made[kind], "score", truth, [metric])
        return results


def _usual_number(truth: ImageTruth) -> int:
    """Return how many fixations an image of the split has, the mean of the others."""
    return max(1, round(len(truth["negatives"]) / max(1, len(truth.truths.dataset) - 1)))
