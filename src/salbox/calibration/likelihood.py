"""The likelihood of people's fixations under maps that became densities, with its gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..models.profiles import FLOOR, Center, Tail, blur
from ..types import DoubleMap, Shape
from .forms import Form, Vector, begin_of, bounds_of, penalty_of, split
from .observed import Observed

STEP = 0.01  # of log blur, by which its derivative is taken
BLURS = (0.002, 0.08)  # shares of the longest side that are tried
WEIGHTS = (-1.0, 3.0)  # of the centre


@dataclass(frozen=True, eq=False)
class Prepared:
    """A photo as the likelihood reads it."""

    maps: tuple[Any, ...]
    size: Shape
    pixels: npt.NDArray[np.intp]
    shares: Vector
    weight: float


class Likelihood:
    """The mean log-likelihood of a fixation over photos, in nats, as a function of all numbers of a fit.

    The numbers: those of each model's form, the centre's weight, the logarithm of the blur.

    Parameters
    ----------
    photos : sequence of Observed
    forms : {model: form}
    center : Center
        Its shape; the weight is fitted.
    weights : sequence of float, optional
        How much each photo counts; by default the same.
    """

    def __init__(
        self,
        photos: Sequence[Observed],
        forms: Mapping[str, Form],
        center: Center,
        weights: Sequence[float] | None = None,
    ) -> None:
        given = np.ones(len(photos)) if weights is None else np.asarray(weights, np.float64)
        given = given / given.sum()
        self.forms, self.center = dict(forms), replace(center, weight=1.0)
        self.photos = [
            Prepared(
                tuple(form.prepared(photo.values[name]) for name, form in self.forms.items()),
                photo.size,
                photo.pixels,
                photo.shares,
                float(weight),
            )
            for photo, weight in zip(photos, given, strict=True)
        ]
        self._centers: dict[Shape, Vector] = {}

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """What each number may be."""
        return [*bounds_of(self.forms), WEIGHTS, (float(np.log(BLURS[0])), float(np.log(BLURS[1])))]

    def begin(self, blurred: float = 0.02, weight: float = 0.5) -> Vector:
        """Return the numbers that a fit begins with."""
        return np.concatenate([begin_of(self.forms), [weight, np.log(blurred)]])

    def split(self, numbers: Vector) -> dict[str, Vector]:
        """Return {model: its form's numbers}."""
        return split(numbers[:-2], self.forms)

    def tail(self, numbers: Vector, degrees: float | None) -> Tail:
        """Return the tail that the numbers stand for."""
        return Tail(1.0, float(np.exp(numbers[-1])), replace(self.center, weight=float(numbers[-2])), degrees)

    def loss(self, numbers: Vector) -> tuple[float, Vector]:
        """Return what a fit makes small, and its gradient: the cost of roughness less the mean log-likelihood.

        The likelihood is relative to the uniform density.
        """
        total, gradient = 0.0, np.zeros(len(numbers))
        for photo in self.photos:
            value, slope = self._of(photo, numbers)
            total -= photo.weight * value
            gradient -= photo.weight * slope
        cost, slope = penalty_of(self.split(numbers), self.forms)
        gradient[:-2] += slope
        return total + cost, gradient

    def _of(self, photo: Prepared, numbers: Vector) -> tuple[float, Vector]:
        """Return a photo's log-likelihood and its gradient."""
        own = list(self.split(numbers).values())
        forms = list(self.forms.values())
        heat = forms[0].value(photo.maps[0], own[0])
        for form, prepared, mine in zip(forms[1:], photo.maps[1:], own[1:], strict=True):
            heat = heat + form.value(prepared, mine)
        heat = np.exp(heat - heat.max())
        center = self._center(photo.size)
        prior, sigma = np.exp(numbers[-2] * center), float(np.exp(numbers[-1])) * max(photo.size)
        blurred = blur(heat, sigma) + FLOOR
        value, mass = _log_likelihood(blurred, prior, photo)
        moved = blur(heat, sigma * float(np.exp(STEP))) + FLOOR
        by_blur = (_log_likelihood(moved, prior, photo)[0] - value) / STEP
        by_center = float(photo.shares @ center.reshape(-1)[photo.pixels] - np.vdot(blurred * prior, center) / mass)
        adjoint = -prior / mass
        adjoint.reshape(-1)[photo.pixels] += photo.shares / blurred.reshape(-1)[photo.pixels]
        # The Gaussian with reflected borders is its own transpose.
        adjoint = blur(adjoint, sigma) * heat
        slopes = [form.gradient(prepared, adjoint) for form, prepared in zip(forms, photo.maps, strict=True)]
        return value, np.concatenate([*slopes, [by_center, by_blur]])

    def _center(self, size: Shape) -> Vector:
        if size not in self._centers:
            log = self.center.log(size)
            self._centers[size] = log - log.max()
        return self._centers[size]


def _log_likelihood(blurred: DoubleMap, prior: DoubleMap, photo: Prepared) -> tuple[float, float]:
    """Return the mean log-likelihood relative to the uniform density, and the sum that densities are divided by."""
    unnormalized = blurred * prior
    mass = float(unnormalized.sum())
    at_fixations = float(photo.shares @ np.log(unnormalized.reshape(-1)[photo.pixels]))
    return at_fixations - np.log(mass) + np.log(unnormalized.size), mass
