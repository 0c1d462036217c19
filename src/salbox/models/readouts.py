"""What a network's features say of where one's own people look: a weighted sum of them, added to its log density."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import DoubleMap, Pixels, SaliencyMap, Shape
from .model import Model

SIDE = 40  # longest side of the grid on which features are weighed: fixations scatter by more than its parts
MAX_CHANNELS = 1024
MAX_BLURS = 8
MAX_WEIGHT = 1e6  # nats a unit of a feature, far beyond what any fit finds: sums stay within single precision

Features = npt.NDArray[np.float32]


class Look(NamedTuple):
    """A network's log density of an image, (H, W) float32, and the features, (C, h, w), that it is read off."""

    log_density: SaliencyMap
    features: Features


@runtime_checkable
class ShowsFeatures(Protocol):
    """A model's function, or a network of one head, that can show the features which its map is read off."""

    @property
    def shown(self) -> str:
        """Whose features they are, as `Readout.network` has it; empty if it can show none."""
        ...

    def look(self, image: Pixels, **parameters: Any) -> Look:
        """Return the log density of an image, (H, W, 3) uint8, and the features."""
        ...


@dataclass(frozen=True)
class Readout:
    """Weights of a network's features, each as it is and blurred.

    Attributes
    ----------
    network : str
        Whose features: the beginning of the fingerprint of its weights.
    blurs : tuple of float
        Standard deviations of Gaussians, as shares of the image's longest side; 0 is none.
    weights : tuple of rows
        A row a blur, a weight in nats a feature.
    """

    network: str
    blurs: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        # Written so that what is no number is refused, too.
        weighed = all(abs(weight) <= MAX_WEIGHT for row in self.weights for weight in row)
        if not (self.network and weighed and all(0 <= blur <= 0.5 for blur in self.blurs)):
            raise UsageError(
                f"a readout: expected whose features they are, weights of at most {MAX_WEIGHT:,.0f} nats, and blurs of "
                "0 to .5"
            )
        lengths = {len(row) for row in self.weights}
        if not 1 <= len(self.blurs) == len(self.weights) <= MAX_BLURS or len(lengths) != 1 or not min(lengths):
            raise UsageError("a readout: expected a row of weights a blur, all of one length")

    @property
    def channels(self) -> int:
        """How many features there are."""
        return len(self.weights[0])

    def __call__(self, features: Features) -> DoubleMap:
        """Return what is added to a log density: (h, w) float64, longest side at most `SIDE`.

        Raises
        ------
        UsageError
            If there are not as many features as weights.
        """
        if len(features) != self.channels:
            raise UsageError(f"a profile with weights of {self.channels} features; the network has {len(features)}")
        small = reduced(features)
        # To blur is linear: what is blurred is the sum of all features, not each.
        sums = np.tensordot(np.array(self.weights, np.float64), small, axes=1).astype(np.float32)
        return np.sum(
            [blurred(own, blur) for own, blur in zip(sums, self.blurs, strict=True)], axis=0, dtype=np.float64
        )

    def at(self, features: Features, shape: Shape) -> DoubleMap:
        """Return the same on a map of a shape, (h, w), bilinearly."""
        return np.asarray(cv2.resize(self(features), shape[::-1], interpolation=cv2.INTER_LINEAR), np.float64)


def reduced(features: Features) -> Features:
    """Return features by area on a grid whose longest side is at most `SIDE`: (C, h, w) float32."""
    scale = SIDE / max(features.shape[1:])
    if scale >= 1:
        return np.asarray(features, np.float32)
    size = (max(1, round(features.shape[2] * scale)), max(1, round(features.shape[1] * scale)))
    return resized(features, size, cv2.INTER_AREA)


def resized(features: Features, size: tuple[int, int], interpolation: int) -> Features:
    """Return features, each brought to a size, (width, height): (C, h, w) float32."""
    own = [cv2.resize(np.asarray(feature, np.float32), size, interpolation=interpolation) for feature in features]
    return np.stack(own)


def blurred(values: npt.NDArray[np.float32], blur: float) -> npt.NDArray[np.float32]:
    """Return a map, (h, w), blurred by a share of its longest side, reflected at its borders."""
    sigma = blur * max(values.shape)
    if sigma == 0:
        return values
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT))


def shown_by(model: Model) -> str:
    """Return whose features a model can show; empty if it shows none."""
    shows = _shows(model)
    return "" if shows is None else shows.shown


def looks_of(model: Model) -> Callable[[Pixels], Look]:
    """Return what gives a model's log density of an image and the features that it is read off; see `shown_by`.

    Raises
    ------
    UsageError
        If it shows none.
    """
    shows = _shows(model)
    if shows is None or not shows.shown:
        raise UsageError(f"model '{model.name}' does not show the features that its map is read off")
    parameters = {} if model.function is None else dict(model.parameters)
    return lambda image: shows.look(image, **parameters)


def _shows(model: Model) -> ShowsFeatures | None:
    shows: object = model.network if model.function is None else model.function
    return shows if isinstance(shows, ShowsFeatures) and model.card.output == "log_density" else None
