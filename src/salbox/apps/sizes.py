"""What a crop is to be: an aspect, or a size in pixels."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import UsageError
from ..types import Shape

_TEXT = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*([:xX])\s*(\d{1,6}(?:\.\d{1,6})?)")
_MOST_PIXELS = 100_000_000  # of a picture that is written


@dataclass(frozen=True)
class Size:
    """An aspect, as "16:9", or a size in pixels, as "1200x630".

    Attributes
    ----------
    text : str
        As it was given.
    ratio : float
        Width over height.
    pixels : (H, W), optional
        What the crop is brought to.
    """

    text: str
    ratio: float
    pixels: Shape | None = None

    @property
    def slug(self) -> str:
        """The text as a part of a file's name: "16x9" of "16:9"."""
        return self.text.replace(":", "x")


def parse_size(text: str) -> Size:
    """Return the size that a text stands for.

    Raises
    ------
    UsageError
        If it is neither an aspect nor a size.

    Examples
    --------
    >>> from salbox.apps.sizes import parse_size
    >>> parse_size("4:3").ratio, parse_size("1200x630").pixels
    (1.3333333333333333, (630, 1200))
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"size '{text}': expected an aspect such as 1:1 or 16:9, or pixels such as 1200x630")
    first, sign, second = found.groups()
    width, height = float(first), float(second)
    if not (width > 0 and height > 0):
        raise UsageError(f"size '{text}': no side may be 0")
    if sign == ":":
        return Size(f"{first}:{second}", width / height)
    if not (first.isdecimal() and second.isdecimal()) or width * height > _MOST_PIXELS:
        raise UsageError(f"size '{text}': expected whole pixels, at most {_MOST_PIXELS / 1e6:g} million of them")
    return Size(f"{first}x{second}", width / height, (int(second), int(first)))
