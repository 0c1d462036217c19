"""How much a model's map says for a pixel: its numbers on a scale that all images share, and a curve over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..imaging.scaling import standardize
from ..types import DoubleMap, Output

MAX_KNOTS = 64


@dataclass(frozen=True)
class Curve:
    """A line of straight pieces that never falls; beyond its ends it stays at its first and last value.

    Attributes
    ----------
    x : tuple of float
        Where the pieces meet, rising.
    y : tuple of float
        The values there, not falling.

    Raises
    ------
    UsageError
        If there are fewer than two points, or the values fall.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        if not (2 <= len(self.x) == len(self.y) <= MAX_KNOTS):
            raise UsageError(
                f"a curve of {len(self.x)} x and {len(self.y)} y: expected as many of both, 2 to {MAX_KNOTS}"
            )
        if not (np.isfinite([*self.x, *self.y]).all() and (np.diff(self.x) > 0).all() and (np.diff(self.y) >= 0).all()):
            raise UsageError("a curve: expected finite numbers, x rising and y not falling")

    def __call__(self, values: npt.NDArray[Any]) -> DoubleMap:
        """Return the curve's values: float64, of the shape given."""
        found: DoubleMap = np.interp(values, self.x, self.y)
        return found


def on_common_scale(saliency: npt.NDArray[Any], output: Output) -> DoubleMap:
    """Return a map's numbers on a scale that does not depend on the image: (h, w) float64.

    Parameters
    ----------
    saliency : (h, w) array
    output : {"score", "log_density", "probability"}
        A score becomes standard deviations above the image's mean, a log density nats above the uniform one, a
        probability stays as it is.
    """
    if output == "score":
        return standardize(saliency).astype(np.float64)
    values = np.asarray(saliency, np.float64)
    return values + np.log(values.size) if output == "log_density" else values
