"""How priorities depend on a map's numbers: in proportion, or by a monotone curve; what of it is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from ..models.curves import Curve
from ..types import DoubleMap, Output
from .observed import Maps

Vector = npt.NDArray[np.float64]

# Where curves may bend, on the scales of `on_common_scale`, and the slope that a fit begins with. Salbox's own choice.
KNOTS: Mapping[Output, tuple[float, ...]] = {
    "score": (-2.5, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0),
    "log_density": (-8.0, -5.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0),
    "probability": (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0),
}
SLOPES: Mapping[Output, float] = {"score": 0.8, "log_density": 0.8, "probability": 3.0}
ROUGHNESS = 0.5  # divided by the number of photos


@dataclass(frozen=True)
class Line:
    """A priority proportional to the map's numbers: log densities with a temperature; one number, 1 / temperature."""

    bounds: ClassVar[tuple[float, float]] = (0.05, 5.0)
    numbers: ClassVar[int] = 1

    def prepared(self, values: npt.NDArray[np.float32]) -> Any:
        """Return what `value` and `gradient` take of a map."""
        return values

    def value(self, values: Any, numbers: Vector) -> DoubleMap:
        """Return the priorities, (h, w), for the numbers."""
        return np.asarray(values * numbers[0], np.float64)

    def gradient(self, values: Any, adjoint: DoubleMap) -> Vector:
        """Return the derivative of the sum of adjoint * priorities by the numbers."""
        return np.array([np.vdot(adjoint, values)])

    def begin(self, share: float) -> Vector:
        """Return the numbers that a fit begins with."""
        return np.array([share])

    def penalty(self, numbers: Vector) -> tuple[float, Vector]:
        """Return what is added to the loss for roughness, and its gradient."""
        return 0.0, np.zeros(1)

    def curve_of(self, numbers: Vector) -> None:
        """Return None: a line needs no curve."""


@dataclass(frozen=True)
class Steps:
    """A monotone curve over knots; the numbers are how much it rises between each two, none negative.

    Attributes
    ----------
    knots : tuple of float
    slope : float
        That a fit begins with.
    roughness : float
        What squared differences of neighbouring slopes, by the knots' mean distance, cost; 0: nothing.
    """

    knots: tuple[float, ...]
    slope: float
    roughness: float = 0.0

    bounds: ClassVar[tuple[float, float]] = (0.0, 20.0)

    @property
    def numbers(self) -> int:
        """How many there are."""
        return len(self.knots) - 1

    def prepared(self, values: npt.NDArray[np.float32]) -> Any:
        """Return which piece of the curve each pixel is on, and how far along it."""
        along = np.interp(values, self.knots, np.arange(len(self.knots)))
        pieces = np.minimum(along.astype(np.uint8), self.numbers - 1)
        return pieces, (along - pieces).astype(np.float32)

    def value(self, values: Any, numbers: Vector) -> DoubleMap:
        """Return the priorities, (h, w), for the numbers."""
        pieces, along = values
        heights = np.concatenate([[0.0], np.cumsum(numbers)[:-1]])
        return np.asarray(heights[pieces] + along * numbers[pieces], np.float64)

    def gradient(self, values: Any, adjoint: DoubleMap) -> Vector:
        """Return the derivative of the sum of adjoint * priorities by the numbers."""
        pieces, along = values
        flat, given = pieces.reshape(-1), adjoint.reshape(-1)
        whole = np.bincount(flat, given, self.numbers)
        beyond = np.concatenate([np.cumsum(whole[::-1])[::-1][1:], [0.0]])  # pixels on later pieces have the whole rise
        return np.asarray(beyond + np.bincount(flat, given * along.reshape(-1), self.numbers), np.float64)

    def begin(self, share: float) -> Vector:
        """Return the numbers that a fit begins with."""
        return np.diff(self.knots) * self.slope * share

    def penalty(self, numbers: Vector) -> tuple[float, Vector]:
        """Return what is added to the loss for roughness, and its gradient."""
        widths = np.diff(self.knots)
        bends = np.diff(numbers / widths) * widths.mean()
        gradient = np.zeros(self.numbers)
        gradient[1:] += bends / widths[1:]
        gradient[:-1] -= bends / widths[:-1]
        return self.roughness * float(bends @ bends), 2 * self.roughness * widths.mean() * gradient

    def curve_of(self, numbers: Vector) -> Curve:
        """Return the curve, which begins at 0."""
        heights = np.concatenate([[0.0], np.cumsum(numbers)])
        return Curve(self.knots, tuple(float(height) for height in heights))


Form: TypeAlias = Line | Steps


def form_of(output: Output, photos: int) -> Form:
    """Return the form that a model's maps are fitted with alone: of a log density a temperature, else a curve."""
    return Line() if output == "log_density" else curve_form(output, photos)


def curve_form(output: Output, photos: int) -> Steps:
    """Return a curve's form; the fewer photos there are, the more a rough curve costs."""
    return Steps(KNOTS[output], SLOPES[output], ROUGHNESS / max(1, photos))


def bounds_of(forms: Mapping[str, Form]) -> list[tuple[float, float]]:
    """Return what each number of several models' forms, one behind the other, may be."""
    return [form.bounds for form in forms.values() for _ in range(form.numbers)]


def begin_of(forms: Mapping[str, Form]) -> Vector:
    """Return the numbers that a fit of several models begins with, each with the same share."""
    return np.concatenate([form.begin(1 / len(forms)) for form in forms.values()])


def split(numbers: Vector, forms: Mapping[str, Form]) -> dict[str, Vector]:
    """Return {model: its form's numbers} of all, one behind the other."""
    ends = np.cumsum([form.numbers for form in forms.values()])
    return dict(zip(forms, np.split(numbers, ends[:-1]), strict=True))


def penalty_of(numbers: Mapping[str, Vector], forms: Mapping[str, Form]) -> tuple[float, Vector]:
    """Return what is added to the loss for roughness of all forms, and its gradient."""
    costs, slopes = zip(*(form.penalty(numbers[name]) for name, form in forms.items()), strict=True)
    return sum(costs), np.concatenate(slopes)


def sum_of(values: Maps, numbers: Mapping[str, Vector], forms: Mapping[str, Form]) -> DoubleMap:
    """Return the sum of what models' maps say: (h, w) float64."""
    return np.sum([form.value(form.prepared(values[name]), numbers[name]) for name, form in forms.items()], axis=0)
