"""Profiles: the dozen numbers in which laboratories differ, and how any model's map becomes a density by them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError, nearest
from ..imaging.scaling import density, normalized_log
from ..types import DoubleMap, Output, SaliencyMap, Shape
from .curves import Curve, on_common_scale
from .readouts import Features, Readout

WORKING_SIDE = 160  # longest side of the copy that is blurred: a sigma of .02 is 3 pixels there
TRUNCATE = 4.0  # sigma after which a Gaussian ends
FLOOR = 1e-9  # added to blurred priorities, whose maximum is about 1, so that each has a logarithm

LIMITS: Mapping[str, tuple[float, float]] = {
    "temperature": (0.05, 50.0),
    "blur": (0.0, 0.25),
    "weight": (-5.0, 5.0),
    "degrees": (0.5, 180.0),
}
"""What the numbers of a profile may be."""

# Degrees of visual angle that an image's longest side spans. lab: MIT1003's 1024 pixels at 35 pixels a degree. desktop
# and phone are salbox's own assumptions: an image 26 cm wide seen from 60 cm, and one as wide as a telephone held
# upright, 6.8 cm, seen from 32 cm.
VIEWS: Mapping[str, float] = {"lab": 29.3, "desktop": 24.4, "phone": 12.1}


@dataclass(frozen=True)
class Center:
    """Where people look whatever the image: a Gaussian, or a grid.

    Attributes
    ----------
    weight : float
        What its logarithm is multiplied by before it is added.
    x, y : float
        The Gaussian's middle, as shares of the image's width and height.
    width, height : float
        Its standard deviations, as such shares.
    grid : tuple of rows
        Logarithms of the density in equal parts of the image, instead of the Gaussian.
    """

    weight: float = 0.0
    x: float = 0.5
    y: float = 0.5
    width: float = 0.25
    height: float = 0.25
    grid: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        numbers = [self.weight, self.x, self.y, self.width, self.height, *(v for row in self.grid for v in row)]
        if not np.isfinite(numbers).all() or len({len(row) for row in self.grid}) > 1:
            raise UsageError("a centre bias: expected finite numbers, and rows of one length")
        low, high = LIMITS["weight"]
        sized = 0.01 <= self.width <= 10 and 0.01 <= self.height <= 10 and 0 <= self.x <= 1 and 0 <= self.y <= 1
        if not (low <= self.weight <= high and sized):
            raise UsageError(
                f"a centre bias: expected a weight of {low:g} to {high:g}, its middle within the image, and sides of "
                ".01 to 10"
            )

    def log(self, shape: Shape) -> DoubleMap:
        """Return its logarithm up to a constant on an image of a shape, (H, W), without the weight."""
        if self.grid:
            rows = np.array(self.grid, np.float64)
            return np.asarray(cv2.resize(rows, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float64)
        places = zip(shape, (self.y, self.x), (self.height, self.width), strict=True)
        down, across = (-0.5 * (((np.arange(n) + 0.5) / n - middle) / side) ** 2 for n, middle, side in places)
        return np.asarray(down[:, None] + across, np.float64)


@dataclass(frozen=True)
class Tail:
    """What is done to priorities so that they become a density.

    Attributes
    ----------
    temperature : float
        Priorities are divided by it; above 1 a density becomes broader.
    blur : float
        Standard deviation of the Gaussian that blurs the density, as a share of the image's longest side.
    center : Center
    degrees : float, optional
        Degrees of visual angle that the longest side spanned for those who looked, if that is known.
    """

    temperature: float = 1.0
    blur: float = 0.0
    center: Center = field(default_factory=Center)
    degrees: float | None = None

    def __post_init__(self) -> None:
        for name in ("temperature", "blur", "degrees"):
            value, (low, high) = getattr(self, name), LIMITS[name]
            if value is not None and not low <= value <= high:
                raise UsageError(f"a profile's {name} of {value:g}: expected {low:g} to {high:g}")

    @property
    def changes_nothing(self) -> bool:
        """Whether a log density stays as it is."""
        return self.temperature == 1 and self.blur == 0 and self.center.weight == 0

    def for_view(self, degrees: float | None) -> float:
        """Return the blur, a share of the longest side, where that side spans so many degrees; None: as here.

        Raises
        ------
        UsageError
            If there is a blur, and it is not known how many it spanned here.
        """
        if degrees is None or self.blur == 0:
            return self.blur
        if self.degrees is None:
            raise UsageError("the profile does not say how many degrees an image spanned: leave ppd and view out")
        return min(self.blur * self.degrees / degrees, LIMITS["blur"][1])

    def log_density(self, priorities: npt.NDArray[Any], shape: Shape, degrees: float | None = None) -> SaliencyMap:
        """Return the log density of priorities, (h, w), on an image of a shape, (H, W): float32, exp sums to 1.

        log p = log blur(exp(priority / temperature)) + weight log centre, up to a constant; at the priorities' own
        size, then brought to the image's with OpenCV's INTER_CUBIC.
        """
        heat = np.asarray(priorities, np.float64) / self.temperature
        blurred = blur(np.exp(heat - heat.max()), self.for_view(degrees) * max(heat.shape))
        log = np.log(blurred + FLOOR) + self.center.weight * self.center.log(blurred.shape)
        if log.shape != shape:
            log = cv2.resize(log, shape[::-1], interpolation=cv2.INTER_CUBIC)
        return normalized_log(log)


@dataclass(frozen=True)
class Profile:
    """What fits a model's maps to a laboratory, or to one's own people.

    Attributes
    ----------
    reads : {"score", "log_density", "probability"}
        What the numbers of the maps are that it was fitted to.
    tail : Tail
    curve : Curve, optional
        Makes priorities in nats of the map's numbers; see `on_common_scale`. A log density is its own.
    readout : Readout, optional
        What is added to a log density's priorities: the features of its network, weighed.
    about : mapping
        What it was fitted to and on, ready for JSON: "model", "fitted_on", "photos", figures.
    """

    reads: Output
    tail: Tail = field(default_factory=Tail)
    curve: Curve | None = None
    readout: Readout | None = None
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if self.reads != "log_density" and self.curve is None:
            raise UsageError(f"a profile for a {self.reads}: its curve is missing")
        if self.readout is not None and (self.reads != "log_density" or self.curve is not None):
            raise UsageError("a profile with a readout: expected one for a log_density, without a curve")

    def log_density(
        self, saliency: npt.NDArray[Any], degrees: float | None = None, features: Features | None = None
    ) -> SaliencyMap:
        """Return the log density that a map, (H, W), becomes: (H, W) float32, exp sums to 1.

        Parameters
        ----------
        saliency : (H, W) array
        degrees : float, optional
            See `Tail.for_view`.
        features : (C, h, w) float32, optional
            Those that the map is read off; a profile with a readout needs them.

        Raises
        ------
        UsageError
            If a readout has no features, or not as many as it has weights.
        """
        if self.curve is None and self.readout is None and self.tail.changes_nothing:
            return normalized_log(np.asarray(saliency, np.float32))
        values = on_common_scale(working_copy(saliency, self.reads), self.reads)
        priorities = values if self.curve is None else self.curve(values)
        if self.readout is not None:
            if features is None:
                raise UsageError("a profile with a readout: expected the features of its network")
            priorities = priorities + self.readout.at(features, (values.shape[0], values.shape[1]))
        return self.tail.log_density(priorities, saliency.shape, degrees)


def working_copy(saliency: npt.NDArray[Any], output: Output) -> DoubleMap:
    """Return a map at the size at which it is read: longest side at most `WORKING_SIDE`, by area; float64.

    A log density is reduced as a density, and stays a log density.
    """
    values = np.asarray(density(saliency, output), np.float64)
    scale = WORKING_SIDE / max(values.shape)
    if scale < 1:
        size = (max(1, round(values.shape[1] * scale)), max(1, round(values.shape[0] * scale)))
        values = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    if output != "log_density":
        return values
    return np.log(np.maximum(values / values.sum(), np.finfo(np.float64).tiny))


def blur(values: npt.NDArray[Any], sigma: float) -> DoubleMap:
    """Return an array blurred by a Gaussian of sigma pixels, reflected at its borders, so that its sum stays.

    In single precision, which OpenCV blurs ten times as fast.
    """
    if sigma < 0.05:  # its neighbours would get less than 1e-80
        return np.asarray(values, np.float64)
    radius = math.ceil(TRUNCATE * sigma)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    single = np.asarray(values, np.float32)
    return np.asarray(cv2.sepFilter2D(single, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT), np.float64)


def degrees_of(view: str | None, ppd: float | None, longest: int) -> float | None:
    """Return how many degrees of visual angle an image's longest side spans for who looks; None if nothing is given.

    Parameters
    ----------
    view : {"lab", "desktop", "phone"}, optional
    ppd : float, optional
        Pixels of the image a degree.
    longest : int
        The image's longest side in pixels.

    Raises
    ------
    UsageError
        As `check_view` does, or if an image would span less than half a degree or more than 180.
    """
    check_view(view, ppd)
    if ppd is None:
        return None if view is None else VIEWS[view]
    low, high = LIMITS["degrees"]
    if not low <= longest / ppd <= high:
        raise UsageError(f"ppd={ppd:g}: an image of {longest} pixels would span {longest / ppd:g} degrees")
    return longest / ppd


def check_view(view: str | None, ppd: float | None) -> None:
    """Raise a UsageError if both are given, there is no such view, or ppd is not above 0; see `degrees_of`."""
    if view is not None and ppd is not None:
        raise UsageError("ppd and view exclude each other")
    if view is not None and view not in VIEWS:
        raise UsageError(f"view '{view}'{nearest(view, VIEWS)} (one of {', '.join(VIEWS)})")
    if ppd is not None and not ppd > 0:
        raise UsageError(f"ppd={ppd:g}: expected pixels a degree of visual angle, above 0")
