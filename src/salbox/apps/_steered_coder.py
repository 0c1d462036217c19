"""Coders whose files' size follows their quality once it is settled how much attention steers them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from PIL import Image

from ..types import Pixels
from ._coders import Coder, Picture, Way

_BELOW, _ABOVE = 12, 30  # how far from the plain file's quality that of a file of its size is looked for
_FIRST = 5  # above the plain file's quality


class SteeredCoder(Coder):
    """A format with few strengths of steering, for each of which a quality is searched.

    Attributes
    ----------
    strengths : tuple of float
        Greatest first.
    """

    strengths: ClassVar[tuple[float, ...]] = (1.0, 0.5)

    def __init__(self, picture: Picture) -> None:
        super().__init__(picture)
        self._begun: tuple[tuple[float, int], Callable[[int], bytes]] | None = None

    @abstractmethod
    def steered(self, strength: float, quality: int) -> Callable[[int], bytes]:
        """Return what encodes the picture at a quality, steered so much, where a plain file has `quality`."""

    def ways(self, quality: int) -> list[Way]:
        """Return a way for each strength, whose levels are qualities."""
        return [self._way(strength, quality) for strength in self.strengths]

    def _way(self, strength: float, quality: int) -> Way:
        high = min(100, quality + _ABOVE)
        return Way(
            lambda level: self._encode(strength, quality, level),
            max(1, quality - _BELOW),
            high,
            min(high, quality + _FIRST),
            lambda level: (level, strength),
        )

    def _encode(self, strength: float, quality: int, level: int) -> bytes:
        """Return the file of a way and level; what it takes to begin a way, a picture, is kept of one at a time."""
        if self._begun is None or self._begun[0] != (strength, quality):
            self._begun = None
            self._begun = (strength, quality), self.steered(strength, quality)
        return self._begun[1](level)

    def with_alpha(self, pixels: Pixels) -> Image.Image:
        """Return pixels in the place of the picture's, with its transparency."""
        image = Image.fromarray(pixels)
        if self.picture.alpha is not None:
            image.putalpha(Image.fromarray(self.picture.alpha))
        return image
