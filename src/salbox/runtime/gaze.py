"""gaze: salbox's own guess at where people look; a density over pixels, from a network that comes with the package."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..imaging.scaling import normalized_log
from ..models.cards import ModelCard, Parameter
from ..models.exported import packaged
from ..models.profile_files import NONE
from ..models.profiles import VIEWS, degrees_of
from ..models.readouts import Look, reduced, resized
from ..models.registry import GAZE, GAZE_LARGE
from ..models.terms import with_terms
from ..types import Pixels, SaliencyMap
from .network import ExportedNetwork, open_network
from .preprocessing import Preprocessing

CENTER_SIGMA = 0.25  # of the centre prior, a Gaussian, as a share of each side
QUALITIES = ("fast", "multiscale", "best")
# Sizes of several looks, relative to the usual one; a larger one is sharper, a smaller one broader.
MULTISCALE = (0.75, 1.0, 1.5)
LOOK_SCALES = (0.5, 2.0)  # the least and the most that an image's angle makes of the size at which one looks
DEGREES = VIEWS["lab"]  # of visual angle that the longest side spans unless something is said


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

    def __call__(
        self,
        image: Pixels,
        *,
        center_prior: float = 1.0,
        quality: str = "fast",
        ppd: float = 0.0,
        view: str = NONE,
    ) -> SaliencyMap:
        """Return the log of the density of where people look: (H, W) float32, exp sums to 1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        center_prior : float
            Weight of the centre prior, 0 to 5: 1 as people were found to look at photos on a screen, 0 for what the
            picture itself attracts, wherever it is.
        quality : {"fast", "multiscale", "best"}
            "multiscale" looks three times, at three sizes, and takes the mean of the densities; "best" looks at the
            mirrored picture as often again.
        ppd : float
            Pixels of the image a degree of visual angle for who looks; 0: as if the longest side spanned `DEGREES`.
            An image that spans less is looked at smaller, so that what people see as large looks so to the network,
            and its density is broader; within `LOOK_SCALES`.
        view : {"none", "lab", "desktop", "phone"}
            The same by how one looks; see `salbox.models.profiles.VIEWS`.

        Raises
        ------
        UsageError
            If both ppd and view are given, or an image would span less than half a degree or more than 180.
        """
        size = self._size(image, ppd, view)
        found = [_turned(_look(self._network, own, at), turned) for own, at, turned in _views(image, size, quality)]
        return self._weighed(_mean(found), center_prior)

    @property
    def shown(self) -> str:
        """Whose features `look` gives; see `salbox.models.readouts.ShowsFeatures`."""
        return self._network.shown

    def look(self, image: Pixels, *, center_prior: float, quality: str, ppd: float, view: str) -> Look:
        """Return the same log density, and the features that it is read off: (C, h, w), of several looks the mean."""
        size = self._size(image, ppd, view)
        views = _views(image, size, quality)
        looks = [_both_turned(self._network.look(own, preprocessing=at), turned) for own, at, turned in views]
        density = self._weighed(_mean([own.log_density for own in looks]), center_prior)
        if len(looks) == 1:
            return Look(density, looks[0].features)
        every = [reduced(own.features) for own in looks]
        grid = every[0].shape[:0:-1]
        return Look(density, np.mean([resized(own, grid, cv2.INTER_LINEAR) for own in every], axis=0))

    def _size(self, image: Pixels, ppd: float, view: str) -> Preprocessing:
        return _sized(self._network.metadata.preprocessing, _scale(max(image.shape[:2]), ppd, view))

    def _weighed(self, density: SaliencyMap, center_prior: float) -> SaliencyMap:
        """Return a log density with another weight of the centre prior than the one it has."""
        change = (center_prior - 1) * _weight(self._network)
        return normalized_log(density + change * log_center(*density.shape)) if change else density


class LargeGazePredictor(GazePredictor):
    """The larger network, which looks at three sizes unless something is said."""

    def __call__(
        self,
        image: Pixels,
        *,
        center_prior: float = 1.0,
        quality: str = "multiscale",
        ppd: float = 0.0,
        view: str = NONE,
    ) -> SaliencyMap:
        """See `GazePredictor`."""
        return super().__call__(image, center_prior=center_prior, quality=quality, ppd=ppd, view=view)


def log_center(height: int, width: int) -> npt.NDArray[np.float32]:
    """Return the log of the centre prior up to a constant: (height, width)."""
    y, x = (((np.arange(side) + 0.5) / side - 0.5) ** 2 for side in (height, width))
    return ((y[:, None] + x) * (-0.5 / CENTER_SIGMA**2)).astype(np.float32)


def _views(image: Pixels, size: Preprocessing, quality: str) -> list[tuple[Pixels, Preprocessing, bool]]:
    """Return what a quality looks at: the image, or that mirrored, at which size, and whether it is mirrored."""
    if quality == "fast":
        return [(image, size, False)]
    sizes = [_sized(size, scale) for scale in MULTISCALE]
    found = [(image, own, False) for own in sizes]
    if quality == "best":
        mirrored = np.ascontiguousarray(image[:, ::-1])
        found += [(mirrored, own, True) for own in sizes]
    return found


def _turned(density: SaliencyMap, is_mirrored: bool) -> SaliencyMap:
    return density[:, ::-1] if is_mirrored else density


def _both_turned(look: Look, is_mirrored: bool) -> Look:
    return Look(look.log_density[:, ::-1], look.features[:, :, ::-1]) if is_mirrored else look


def _mean(looks: list[SaliencyMap]) -> SaliencyMap:
    """Return the log of the mean of densities."""
    return looks[0] if len(looks) == 1 else normalized_log(np.logaddexp.reduce(looks))


def _scale(longest: int, ppd: float, view: str) -> float:
    """Return how much larger than usual an image is looked at, by the angle that its longest side spans."""
    degrees = degrees_of(None if view == NONE else view, ppd or None, longest)
    return 1.0 if degrees is None else float(np.clip(degrees / DEGREES, *LOOK_SCALES))


def _sized(size: Preprocessing, scale: float) -> Preprocessing:
    """Return a size at which to look that is so much larger."""
    return replace(size, height=int(size.height * scale), width=int(size.width * scale))


def _look(network: ExportedNetwork, image: Pixels, size: Preprocessing) -> SaliencyMap:
    (density,) = network.maps([image], preprocessing=size)[0].values()
    return density


def _weight(network: ExportedNetwork) -> float:
    """Return the weight that the prior has in the network."""
    return float(network.metadata.settings["centre"])


@lru_cache(maxsize=2)
def _card(name: str, file: str, quality: str) -> ModelCard:
    (head,) = open_network(packaged(file), threads=1).metadata.heads
    parameters = (
        Parameter("center_prior", 1.0, "weight of the centre prior; 0 takes it out", "float", minimum=0.0, maximum=5.0),
        Parameter("quality", quality, "the mean of one look, of three sizes, of these also mirrored", "str", QUALITIES),
        Parameter("ppd", 0.0, "pixels of the image a degree of visual angle; 0: as in the lab", "float", minimum=0.0),
        Parameter("view", NONE, "how the image is looked at, instead of ppd", "str", (NONE, *VIEWS)),
    )
    return with_terms(replace(head.card, name=name, parameters=parameters))


def __getattr__(name: str) -> Any:
    # The card is in the network's file, with what was measured of it: read when it is asked for.
    if name == "CARD":
        return _card("gaze", GAZE, "fast")
    if name == "LARGE_CARD":
        return _card("gaze.large", GAZE_LARGE, "multiscale")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
