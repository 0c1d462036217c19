"""Rows that are scored on the next fixation: densities as they are, densities as scanpath models, scanpath models.

What is scored are the fixations that have another of their scanpath before them, the first one left out, as it is where
the laboratory made people look. An image's figure is the mean over its fixations. A density that does not depend on
what was looked at before is scored on the same fixations, so that rows compare.
"""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..datasets import Fixations
from ..datasets.scanpaths import scanpaths
from ..errors import UsageError, one_line
from ..metrics import Metric, Truth
from ..models.scanpath_model import ScanpathModel
from ..models.scanpaths import Saccades
from ..system.identity import code_identity
from ..types import Output
from .sources import CenterBias, Mapper, Results, RowSource, Scorer, pipelines_of, score_map
from .truth import ImageTruth

_LN2 = float(np.log(2))
_UNIT_SUM = 1e-2  # how far the sum of a density may be from 1: single precision is off by less

Map: TypeAlias = "npt.NDArray[Any]"
Places: TypeAlias = "npt.NDArray[Any]"
Next: TypeAlias = "Callable[[Places], Map]"
"""Takes the fixations so far, (N, 2), x and y; returns the log density of the next one, (H, W)."""


@dataclass(frozen=True)
class NextFixation:
    """A row of densities, scored on next fixations.

    Attributes
    ----------
    source : ModelSource, MapSource or CenterBias
        Its maps are log densities.
    saccades : Saccades, optional
        What changes the density by where one looked before; by default it stays as it is.

    Raises
    ------
    UsageError
        If the row's maps are no log densities.
    """

    source: RowSource | CenterBias
    saccades: Saccades | None = None

    def __post_init__(self) -> None:
        if self.source.output != "log_density":
            raise UsageError(
                f"'{self.source.name}' gives a {self.source.output}: the next fixation is predicted by a density; a "
                "profile of 'salbox adapt' makes it one"
            )

    @property
    def name(self) -> str:
        """The row's name, and whether it depends on where one looked before."""
        return self.source.name if self.saccades is None else f"{self.source.name}, scanpath"

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
        own: dict[str, Any] = {"next_fixation": code_identity(__name__), "saccades": None}
        if self.saccades is not None:
            own["saccades"] = {name: value for name, value in asdict(self.saccades).items() if name != "about"}
        return {"postprocess": {}, **self.source.settings(), **own}

    def covers(self, index: int) -> bool:
        """Return whether there is a density of an image."""
        return self.source.covers(index)

    def scorer(self) -> Scorer:
        """Return what scores one image; the model is loaded."""
        mapper: Mapper = ImageTruth.others_log_density if isinstance(self.source, CenterBias) else self.source.mapper()
        return _Scorer(self.name, mapper, self.saccades)


@dataclass(frozen=True)
class _Scorer:
    name: str
    mapper: Mapper
    saccades: Saccades | None

    @property
    def pipelines(self) -> tuple[Any, ...]:
        """What its density is made by: heads of one network share its pass."""
        return pipelines_of([self.mapper])

    def __call__(self, truth: ImageTruth, metrics: Sequence[Metric]) -> Results:
        density = self.mapper(truth)
        if self.saccades is None:
            known: dict[Truth, Any] = {"fixations": ahead(truth["fixations"])}
            if any("baseline" in metric.needs for metric in metrics):
                known["baseline"] = truth["baseline"]  # computed once for all rows
            return score_map(density, "log_density", truth.replaced(known), metrics)
        return _mean(truth, metrics, partial(self.saccades.next_log_density, density), self.name)


@dataclass(frozen=True)
class ScanpathSource:
    """A scanpath model of any kind, scored on next fixations.

    Attributes
    ----------
    model : ScanpathModel
        Has a name, and `conditional_log_density(image, x_hist, y_hist)`.
    """

    model: ScanpathModel
    output: Output = field(default="log_density", init=False)
    unkept: str = field(default="a scanpath model has no name to load it by", init=False, repr=False)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def settings(self) -> dict[str, Any]:
        """Return what the row is; its figures are not kept."""
        return {"scanpath_model": self.name, "postprocess": {}, "code": secrets.token_hex(8)}

    def covers(self, index: int) -> bool:
        """Return True: a model has a density of every image."""
        return True

    def scorer(self) -> Scorer:
        """Return what scores one image."""
        return _score_model(self.model)

    def __getstate__(self) -> dict[str, Any]:
        # Asked for when the source goes to another process.
        try:
            pickle.dumps(self.model)
        except Exception as error:  # pickling raises what the objects inside raise
            raise UsageError(
                f"'{self.name}' cannot be sent to other processes ({one_line(error)}): use workers=1"
            ) from None
        return dict(self.__dict__)


def _score_model(model: ScanpathModel) -> Scorer:
    def score(truth: ImageTruth, metrics: Sequence[Metric]) -> Results:
        def following(places: Places) -> Map:
            density = np.asarray(model.conditional_log_density(truth.pixels, places[:, 0], places[:, 1]))
            if density.shape != truth.shape:
                raise UsageError(f"'{model.name}' gives a density of {density.shape} for an image of {truth.shape}")
            return density

        return _mean(truth, metrics, following, model.name)

    return score


def _mean(truth: ImageTruth, metrics: Sequence[Metric], following: Next, name: str) -> Results:
    """Return the means over an image's fixations of metrics of the density of each."""
    wanted = [metric.name for metric in metrics]
    baseline = truth["baseline"] if "ig" in wanted else None
    collected: dict[str, list[float]] = {metric: [] for metric in wanted}
    for path in scanpaths(truth["fixations"]):
        places = np.stack([path.x, path.y], axis=1)
        for n in range(1, len(path)):
            pixel = int(path.y[n]), int(path.x[n])
            figures = _figures(following(places[:n]), pixel, name)
            if baseline is not None:
                figures["ig"] = (figures["ll"] - float(baseline[pixel])) / _LN2
            for metric in wanted:
                collected[metric].append(figures[metric])
    return {metric: float(np.mean(values)) for metric, values in collected.items()}


def _figures(log_density: Map, pixel: tuple[int, int], name: str) -> dict[str, float]:
    """Return the NSS and the log-likelihood of one fixation, as `salbox.metrics` has them, in one pass.

    A data set has tens of thousands, each with a density of its own.

    Raises
    ------
    UsageError
        If it is no log density.
    """
    highest = float(log_density.max())
    shares = np.exp(np.asarray(log_density - highest, np.float32))
    mean = float(shares.mean(dtype=np.float64))
    total = mean * shares.size * float(np.exp(min(highest, 700.0)))  # of a score it may overflow
    if not abs(total - 1) < _UNIT_SUM:
        raise UsageError(f"'{name}' gives no log density: exp of it sums to {total:.4g}")
    deviation = float(np.sqrt(max(float(np.square(shares).mean(dtype=np.float64)) - mean * mean, 0.0)))
    above = float(shares[pixel]) - mean
    return {"nss": above / deviation if deviation > 0 else 0.0, "ll": float(log_density[pixel])}


def ahead(fixations: Fixations) -> Fixations:
    """Return the fixations that have another of their scanpath before them."""
    chosen = [np.arange(len(path)) > 0 for path in scanpaths(fixations)]
    return fixations[np.concatenate(chosen) if chosen else np.zeros(len(fixations), bool)]
