"""Scanpath models: an image and the fixations so far in, the density of the next one out."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..imaging.image import ImageSource, read_image
from ..types import Pixels, SaliencyMap
from .model import Model
from .scanpaths import DEFAULT, Saccades, find_saccades


@runtime_checkable
class ScanpathModel(Protocol):
    """What says where the next fixation falls: pysaliency's `ScanpathModel` without times and attributes."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def conditional_log_density(self, image: Any, x_hist: npt.ArrayLike, y_hist: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the log density of the next fixation: (H, W), exp sums to 1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        x_hist, y_hist : (N,) arrays
            The fixations so far in pixels, the first one first.
        """
        ...


class DensityScanpathModel:
    """A model that gives densities as a scanpath model: its density, changed by where one looked before.

    See `salbox.models.scanpaths.Saccades`.

    Parameters
    ----------
    model : Model
        What `salbox.load` returns; of the last image its density is kept.
    saccades : name or Saccades
        What the fixations before do: "general" (fitted to two laboratories), "osie", "mit1003", or one's own.

    Raises
    ------
    UsageError
        If the model gives no density, or there are no saccades of that name.

    Examples
    --------
    >>> import salbox, skimage.data
    >>> from salbox.models.scanpath_model import DensityScanpathModel
    >>> paths = DensityScanpathModel(salbox.load("gaze"))
    >>> cat = skimage.data.chelsea()
    >>> paths.conditional_log_density(cat, x_hist=[120, 300], y_hist=[90, 95]).shape
    (300, 451)
    >>> paths.sample(cat, length=5, count=2, seed=1).shape
    (2, 5, 2)
    """

    def __init__(self, model: Model, saccades: str | Saccades = DEFAULT) -> None:
        if model.card.output != "log_density":
            raise UsageError(
                f"model '{model.name}' gives a {model.card.output}: the next fixation is predicted from a density; a "
                "profile of 'salbox adapt' makes it one"
            )
        self.model, self.saccades = model, find_saccades(saccades)
        self._last: tuple[Pixels, SaliencyMap] | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.model.name}, scanpath"

    def conditional_log_density(self, image: ImageSource, x_hist: npt.ArrayLike, y_hist: npt.ArrayLike) -> SaliencyMap:
        """Return the log density of the next fixation: (H, W) float32, exp sums to 1; see `ScanpathModel`."""
        places = np.stack([np.asarray(x_hist, np.float64), np.asarray(y_hist, np.float64)], axis=-1)
        return self.saccades.next_log_density(self._density(image), places.reshape(-1, 2))

    def sample(
        self, image: ImageSource, length: int, count: int = 1, seed: int | np.random.Generator | None = 0
    ) -> npt.NDArray[np.int64]:
        """Return scanpaths drawn one fixation after the other: (count, length, 2), x and y in pixels.

        Parameters
        ----------
        image : path, bytes, file object, PIL image or array
        length, count : int
            Fixations of a scanpath, and how many scanpaths.
        seed : int, numpy.random.Generator or None
            The same number draws the same scanpaths, None others each time.

        Raises
        ------
        UsageError
            If length or count is below 0.
        """
        if length < 0 or count < 0:
            raise UsageError(f"length={length}, count={count}: expected whole numbers, at least 0")
        density, random = self._density(image), np.random.default_rng(seed)
        paths = [self.saccades.sample(density, length, random) for _ in range(count)]
        return np.stack(paths) if paths else np.zeros((0, length, 2), np.int64)

    def _density(self, image: ImageSource) -> SaliencyMap:
        """Return the density of an image, computed once while it stays the same array."""
        pixels = read_image(image)
        if self._last is None or not (pixels is self._last[0] or np.array_equal(pixels, self._last[0])):
            self._last = pixels, self.model.log_density(pixels)
        return self._last[1]
