"""Maximum likelihood, and what it says of photos that it did not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from ..errors import UsageError
from ..models.profiles import Tail
from ..system.progress import SILENT, Progress
from .centers import Shape, fit_center
from .forms import Form, Vector
from .likelihood import Likelihood
from .observed import Observed

FOLDS = 5
FEWEST = 10  # photos: fewer leave too little to hold out
STEPS = 80  # of the optimizer at most
TOLERANCE = 1e-7  # nats a fixation


@dataclass(frozen=True)
class Fit:
    """What a fit found: the form's numbers of each model, and the tail."""

    numbers: Mapping[str, Vector]
    tail: Tail


def maximum_likelihood(
    photos: Sequence[Observed],
    forms: Mapping[str, Form],
    center: Shape = "gaussian",
    degrees: float | None = None,
    weights: Sequence[float] | None = None,
) -> Fit:
    """Return the numbers that make photos' fixations most likely.

    Parameters
    ----------
    photos : sequence of Observed
    forms : {model: form}
    center : {"gaussian", "grid"}
    degrees : float, optional
        What goes into the tail.
    weights : sequence of float, optional
        How much each photo counts; by default the same.
    """
    likelihood = Likelihood(photos, forms, fit_center(photos, center, weights), weights)
    numbers = minimized(likelihood.loss, likelihood.begin(), likelihood.bounds)
    return Fit(likelihood.split(numbers), likelihood.tail(numbers, degrees))


def minimized(
    loss: Callable[[Vector], tuple[float, Vector]], begin: Vector, bounds: Sequence[tuple[float, float]]
) -> Vector:
    """Return the numbers within bounds that make a loss small, which returns its gradient, too."""
    found = minimize(
        loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS, "ftol": TOLERANCE}
    )
    return np.asarray(found.x, np.float64)


def folds(count: int, parts: int = FOLDS, seed: int = 0) -> npt.NDArray[np.intp]:
    """Return which part each of `count` photos is held out in: (count,), parts as even as can be.

    Raises
    ------
    UsageError
        If there are too few photos to hold some out.
    """
    if count < max(FEWEST, parts) or parts < 2:
        raise UsageError(f"{count} photos with fixations in {parts} folds: expected at least {FEWEST}, and 2 folds")
    return np.random.default_rng(seed).permutation(np.arange(count) % parts)


def cross_validate(
    photos: Sequence[Observed],
    forms: Mapping[str, Form],
    held_out: npt.NDArray[np.intp],
    center: Shape = "gaussian",
    degrees: float | None = None,
    progress: Progress = SILENT,
) -> list[Fit]:
    """Return, for each photo, the fit of all photos but those of its part.

    Parameters
    ----------
    photos, forms, center, degrees
        As `maximum_likelihood` takes them.
    held_out : (len(photos),) int
        Which part each photo is of; see `folds`.
    progress : Progress
    """
    parts = np.unique(held_out)
    fits = {}
    for part in progress.track(parts, len(parts), "folds"):
        seen = [photo for photo, own in zip(photos, held_out, strict=True) if own != part]
        fits[part] = maximum_likelihood(seen, forms, center, degrees)
    return [fits[own] for own in held_out]
