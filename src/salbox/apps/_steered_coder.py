"""Coders whose files' size follows their quality once it is settled how much attention steers them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import ClassVar

from PIL import Image

from ..types import Pixels
from ._coders import Coder, Errors, Found
from ._searches import best_quality, least_quality

_BELOW, _ABOVE = 12, 30  # how far from the plain file's quality that of a file of its size is looked for


class SteeredCoder(Coder):
    """A format with few strengths of steering, for each of which a quality is searched.

    Attributes
    ----------
    strengths : tuple of float
        Greatest first.
    """

    strengths: ClassVar[tuple[float, ...]] = (1.0, 0.5)

    @abstractmethod
    def steered(self, strength: float, quality: int) -> Callable[[int], bytes]:
        """Return what encodes the picture at a quality, steered so much, where a plain file has `quality`."""

    def encode(self, quality: int, strength: float) -> bytes:
        """Return the file at a quality, steered so much, as if a plain one of this quality stood beside it."""
        return self.steered(strength, quality)(quality)

    def within(self, limit: int, quality: int) -> Iterator[Found]:
        """Yield files of at most so many bytes, the most steered first; see `Coder.within`."""
        low, high = _around(quality)
        for strength in self.strengths:
            found = best_quality(self.steered(strength, quality), limit, low, high)
            if found is not None:
                yield Found(found[0], strength, found[1])

    def as_true(self, is_true: Callable[[Errors], bool], quality: int) -> Iterator[tuple[Found, Errors]]:
        """Yield files that are true enough; see `Coder.as_true`."""
        for strength in self.strengths:
            encode = self.steered(strength, quality)

            def tried(each: int, encode: Callable[[int], bytes] = encode) -> tuple[bytes, Errors]:
                data = encode(each)
                return data, self.errors(data)

            found = least_quality(tried, lambda made: is_true(made[1]), *_around(quality))
            if found is not None:
                yield Found(found[0], strength, found[1][0]), found[1][1]

    def with_alpha(self, pixels: Pixels) -> Image.Image:
        """Return pixels in the place of the picture's, with its transparency."""
        image = Image.fromarray(pixels)
        if self.picture.alpha is not None:
            image.putalpha(Image.fromarray(self.picture.alpha))
        return image


def _around(quality: int) -> tuple[int, int]:
    return max(1, quality - _BELOW), min(100, quality + _ABOVE)
