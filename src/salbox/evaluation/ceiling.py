"""Rows of other people: how well they predict where one looks, by one blur for all images or by a mixture for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..datasets import Fixations, fit_mixture, fixation_density, leave_one_observer_out
from ..datasets.fixations import UNIFORM_SHARE
from ..errors import UsageError
from ..metrics import Metric, Truth
from ..system.identity import code_identity
from ..types import Output
from .code import code_fingerprint
from .sources import Results, Scorer, score_map
from .truth import ImageTruth

HALVES = 5  # how often observers are parted in halves
HALVES_SEED = 0

Predict: TypeAlias = "Callable[[Fixations], npt.NDArray[np.float64]]"
"""Makes a log density of some observers' fixations."""


@dataclass(frozen=True)
class HumanCeiling:
    """How well other people predict where one looks, their fixations blurred by the sigma of densities.

    Metrics at fixations: the density of all other observers' fixations predicts one observer's, mean over observers.
    Metrics against a density: that of a random half of the observers against that of the others, mean of `HALVES`
    partitions; both halves are noisier than the density of all, so it is a lower bound. Another sigma makes another
    ceiling.
    """

    name: str = "human ceiling"
    output: Output = "log_density"

    @property
    def repeats(self) -> int:
        """How often a metric against a density is computed for an image's figure."""
        return HALVES

    @property
    def description(self) -> str:
        """What it is, in a line."""
        return (
            "all other observers' density, of the sigma below, on each one's fixations (leave one out); metrics "
            f"against a density: {_IN_HALVES}"
        )

    def settings(self) -> dict[str, Any]:
        """Return what it is."""
        return {"ceiling": "other observers", "halves": HALVES, "code": _code()}

    def covers(self, index: int) -> bool:
        """Return True."""
        return True

    def scorer(self) -> Scorer:
        """Return what scores one image."""
        return partial(_score_observers, predicting=_blurred)


@dataclass(frozen=True)
class MixtureCeiling(HumanCeiling):
    """How well other people predict where one looks, by the mixture of `salbox.datasets.fit_mixture`.

    As `HumanCeiling`, but for the density that predicts: of blurred fixations, the centre bias (of the split's other
    images) and a uniform share, bandwidth and weights those by which the image's observers predict each other best.
    Its likelihood is never below that of `HumanCeiling`.
    """

    name: str = "human ceiling, mixture"

    @property
    def description(self) -> str:
        """What it is, in a line."""
        return (
            "all other observers' density on each one's fixations (leave one out): blurred fixations, centre bias and "
            "a uniform share, bandwidth and weights those by which an image's observers predict each other best; "
            f"metrics against a density: {_IN_HALVES}"
        )

    def settings(self) -> dict[str, Any]:
        """Return what it is."""
        return {"ceiling": "other observers, mixture", "halves": HALVES, "code": _code()}

    def scorer(self) -> Scorer:
        """Return what scores one image."""
        return partial(_score_observers, predicting=_mixed)


_IN_HALVES = f"half of the observers against the other half, mean of {HALVES} partitions, a lower bound"


def _code() -> str:
    return f"{code_fingerprint(None)}+{code_identity(__name__)}"


def _blurred(truth: ImageTruth) -> Predict:
    """Return what makes the plain density of some observers' fixations."""

    def predict(fixations: Fixations) -> npt.NDArray[np.float64]:
        density = fixation_density(fixations, truth.shape, truth.sigma)
        # A uniform share, as in `center_bias`, so that no pixel has probability 0.
        return np.log((1 - UNIFORM_SHARE) * density + UNIFORM_SHARE / density.size)

    return predict


def _mixed(truth: ImageTruth) -> Predict:
    """Return what makes the mixture's density of some observers' fixations."""
    # Of one image alone nobody knows where people look whatever the image.
    center = np.exp(truth["baseline"]) if len(truth.truths.dataset) > 1 else None
    mixture = fit_mixture(truth["fixations"], truth.shape, truth.sigma, center)
    return lambda fixations: np.log(mixture.density(fixations, truth.shape, truth.sigma, center))


def _score_observers(
    truth: ImageTruth, metrics: Sequence[Metric], predicting: Callable[[ImageTruth], Predict]
) -> Results:
    fixations = truth["fixations"]
    at_fixations = [m for m in metrics if "density" not in m.needs]
    against_density = [m for m in metrics if "density" in m.needs]
    collected: dict[str, list[float]] = {m.name: [] for m in metrics}
    predict = predicting(truth)

    def collect(log_density: npt.NDArray[Any], known: ImageTruth, chosen: Sequence[Metric]) -> None:
        for name, result in score_map(log_density, "log_density", known, chosen).items():
            collected[name].append(float(np.asarray(result)))

    if at_fixations:
        shared: dict[Truth, Any] = {need: truth[need] for m in at_fixations for need in m.needs}
        for held_out in leave_one_observer_out(fixations):
            collect(predict(held_out.others), truth.replaced({**shared, "fixations": held_out.own}), at_fixations)
    if against_density:
        rng = np.random.default_rng(HALVES_SEED)
        subjects = np.array(fixations.subjects)
        if len(subjects) < 2:
            raise UsageError(f"the fixations of {len(subjects)} observers: a ceiling needs at least two")
        for _ in range(HALVES):
            chosen = rng.permutation(subjects)[: len(subjects) // 2]
            is_chosen = np.isin(fixations.subject, chosen)
            other_half = fixation_density(fixations[~is_chosen], truth.shape, truth.sigma)
            collect(predict(fixations[is_chosen]), truth.replaced({"density": other_half}), against_density)
    return {name: float(np.mean(values)) for name, values in collected.items()}
