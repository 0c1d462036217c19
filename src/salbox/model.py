"""A loaded model: an image in, a saliency map of the image's size out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from .cards import ModelCard
from .errors import UsageError
from .image import ImageSource, Pixels, read_image

SaliencyMap = npt.NDArray[np.float32]


class Network(Protocol):
    """A network with heads, each a model of its own; one pass gives the maps of all."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads."""
        ...

    def maps(self, images: Sequence[Pixels], heads: Sequence[str]) -> list[dict[str, SaliencyMap]]:
        """Return {head: map} for each image; maps are (H, W) float32, of the image's size."""
        ...


class Model:
    """A saliency model with its parameters fixed; what `salbox.load` returns.

    Parameters
    ----------
    card : ModelCard
    function : callable, or None for a head of a network
        Takes an image, (H, W, 3) uint8 RGB, and the parameters as keywords; returns a map, (H, W).
    parameters : mapping
        Every parameter of the card with its value.
    network, head : Network and str, optional
        What gives the map where there is no function.
    weights : Path, optional
        The file that the weights came from.
    """

    def __init__(
        self,
        card: ModelCard,
        function: Callable[..., npt.NDArray[Any]] | None,
        parameters: Mapping[str, Any],
        *,
        network: Network | None = None,
        head: str = "",
        weights: Path | None = None,
    ):
        self.card = card
        self.parameters: Mapping[str, Any] = MappingProxyType(dict(parameters))
        self.function = function
        self.network = network
        self.head = head
        self.weights = weights

    @property
    def name(self) -> str:
        """The name it was loaded by."""
        return self.card.name

    def __call__(self, image: ImageSource) -> SaliencyMap:
        """Return the model's raw map of an image: (H, W) float32, finite, nothing applied that was not asked for.

        Parameters
        ----------
        image : path, bytes, file object, PIL image or array
            See `salbox.read_image`.

        Raises
        ------
        ImageError
            If it cannot be read as an image.
        """
        pixels = read_image(image)
        if self.function is not None:
            values = self.function(pixels, **self.parameters)
        elif self.network is not None:
            values = self.network.maps([pixels], [self.head])[0][self.head]
        else:
            raise AssertionError(f"model '{self.name}' has neither a function nor a network")
        saliency = np.ascontiguousarray(values, dtype=np.float32)
        if saliency.shape != pixels.shape[:2] or not np.isfinite(saliency).all():
            raise AssertionError(f"model '{self.name}' broke its contract: finite map of shape {pixels.shape[:2]}")
        return saliency

    def at_size(self, image: ImageSource, longest_side: int | None) -> SaliencyMap:
        """Return the map computed on a smaller copy and brought back to the image's size: (H, W) float32.

        Parameters
        ----------
        longest_side : int or None
            Of the copy, made with OpenCV's INTER_AREA; the map comes back bilinearly. An image that is no larger, or
            None, is computed as it is.
        """
        pixels = read_image(image)
        height, width = pixels.shape[:2]
        if longest_side is None or longest_side >= max(height, width):
            return self(pixels)
        scale = longest_side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = self(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)

    def log_density(self, image: ImageSource) -> SaliencyMap:
        """Return the natural log of a probability density over pixels: (H, W) float32, exp sums to 1.

        Raises
        ------
        UsageError
            If the model's output is not a density.
        """
        if self.card.output != "log_density":
            raise UsageError(
                f"model '{self.name}' gives a {self.card.output}, not a density; "
                "to turn its map into one choose a rule, e.g. PostProcess(scale_output='log-density')"
            )
        return self(image)

    def __repr__(self) -> str:
        changed = {p.name: self.parameters[p.name] for p in self.card.parameters}
        arguments = "".join(f", {k}={v!r}" for k, v in changed.items())
        return f"salbox.load({self.name!r}{arguments})"
