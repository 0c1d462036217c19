"""gaze: salbox's own guess at where people look; a density over pixels, from a network that comes with the package."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..imaging.scaling import normalized_log
from ..models.cards import ModelCard, Parameter
from ..models.exported import packaged
from ..models.registry import GAZE
from ..models.terms import with_terms
from ..types import Pixels, SaliencyMap
from .network import ExportedNetwork, open_network
from .preprocessing import Preprocessing

CENTER_SIGMA = 0.25  # of the centre prior, a Gaussian, as a share of each side
QUALITIES = ("fast", "best")
LARGER = 1.5  # how much larger the second look of quality "best" is


class GazePredictor:
    """The network, an image in and a log density out; safe in threads and in worker processes."""

    def __init__(self, network: ExportedNetwork) -> None:
        self._network = network

    @classmethod
    def load(cls, weights: Path, device: str = "cpu") -> GazePredictor:
        """Return gaze from its file.

        Parameters
        ----------
        weights : path
            The one that comes with the package.
        device : str
            "cpu", "cuda" or "cuda:1"; what is asked for is used, or an error is raised.

        Raises
        ------
        UsageError
            If there is no such device.
        """
        return cls(open_network(weights, provider=device))

    def __call__(self, image: Pixels, *, center_prior: float = 1.0, quality: str = "fast") -> SaliencyMap:
        """Return the log of the density of where people look: (H, W) float32, exp sums to 1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        center_prior : float
            Weight of the centre prior, 0 to 5: 1 as people were found to look at photos on a screen, 0 for what the
            picture itself attracts, wherever it is.
        quality : {"fast", "best"}
            "best" looks four times, also at the mirrored picture and at one and a half times the size, and takes the
            mean.
        """
        density = _best(self._network, image) if quality == "best" else _look(self._network, image)
        change = (center_prior - 1) * _weight(self._network)
        return normalized_log(density + change * log_center(*image.shape[:2])) if change else density


def log_center(height: int, width: int) -> npt.NDArray[np.float32]:
    """Return the log of the centre prior up to a constant: (height, width)."""
    y, x = (((np.arange(side) + 0.5) / side - 0.5) ** 2 for side in (height, width))
    return ((y[:, None] + x) * (-0.5 / CENTER_SIGMA**2)).astype(np.float32)


def _best(network: ExportedNetwork, image: Pixels) -> SaliencyMap:
    """Return the log of the mean density of four looks."""
    size = network.metadata.preprocessing
    larger = replace(size, height=int(size.height * LARGER), width=int(size.width * LARGER))
    mirrored = np.ascontiguousarray(image[:, ::-1])
    looks = [_look(network, image, s) for s in (size, larger)]
    looks += [_look(network, mirrored, s)[:, ::-1] for s in (size, larger)]
    return normalized_log(np.logaddexp.reduce(looks))


def _look(network: ExportedNetwork, image: Pixels, size: Preprocessing | None = None) -> SaliencyMap:
    (density,) = network.maps([image], preprocessing=size)[0].values()
    return density


def _weight(network: ExportedNetwork) -> float:
    """Return the weight that the prior has in the network."""
    return float(network.metadata.settings["centre"])


@lru_cache(maxsize=1)
def _card() -> ModelCard:
    (head,) = open_network(packaged(GAZE), threads=1).metadata.heads
    parameters = (
        Parameter("center_prior", 1.0, "weight of the centre prior; 0 takes it out", "float", minimum=0.0, maximum=5.0),
        Parameter("quality", "fast", "best: four looks, mirrored and larger, and their mean", "str", QUALITIES),
    )
    return with_terms(replace(head.card, name="gaze", parameters=parameters))


def __getattr__(name: str) -> Any:
    # The card is in the network's file, with what was measured of it: read when it is asked for.
    if name == "CARD":
        return _card()
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
