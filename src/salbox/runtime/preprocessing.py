"""How a photo is brought to the size at which an exported network looks at it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, Literal, cast, get_args

import cv2

from ..errors import UsageError
from ..types import Pixels

Rule = Literal["fixed", "area", "native", "bounded"]

# The pixels that rule "area" may take, as shares of height * width.
SMALLEST, LARGEST = 0.8, 1.1
_MAX_SIDE = 8192
_MAX_STEPS = 4096  # of `multiple` squared in the area: a file must not ask for a search without end


@dataclass(frozen=True)
class Preprocessing:
    """The size at which a network looks at a photo.

    Attributes
    ----------
    rule : {"fixed", "area", "native", "bounded"}
        "fixed": `height` x `width` whatever the photo's shape; "area": about as many pixels as `height` x `width`, in
        the shape nearest to the photo's; "native": the photo's own size; "bounded": its own size, unless it has more
        pixels than `height` x `width` or a side of less than `multiple`.
    height, width : int
        In pixels; with "native" they are not looked at.
    multiple : int
        With "area" both sides are multiples of it; with "bounded" neither is less.
    """

    rule: Rule
    height: int
    width: int
    multiple: int = 32

    def __post_init__(self) -> None:
        if self.rule not in get_args(Rule):
            raise UsageError(f"preprocessing rule {self.rule!r}: expected one of {', '.join(get_args(Rule))}")
        for name in ("height", "width", "multiple"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MAX_SIDE:
                raise UsageError(f"preprocessing {name}={value!r}: expected a whole number in 1..{_MAX_SIDE}")
        if self.rule == "area" and self.height * self.width > _MAX_STEPS * self.multiple**2:
            raise UsageError(f"preprocessing: {self.multiple} is too small a step for {self.height}x{self.width}")
        if self.rule == "area" and not area_candidates(self.height * self.width, self.multiple):
            raise UsageError(
                f"preprocessing: no size in multiples of {self.multiple} has about {self.height}x{self.width} pixels"
            )

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) at which a photo of `height` x `width` is looked at.

        With "area" it is the size in multiples of `multiple`, of .8 to 1.1 times as many pixels as `self.height` x
        `self.width`, whose ratio of sides is nearest to the photo's in logarithms; of equally near ones the largest.
        """
        if self.rule == "native":
            return height, width
        if self.rule == "fixed":
            return self.height, self.width
        if self.rule == "bounded":
            return _bounded(height, width, self.height * self.width, self.multiple)
        return _nearest_shape(self.height * self.width, self.multiple, height, width)

    def prepare(self, image: Pixels) -> Pixels:
        """Return a photo at its working size, (h, w, 3) uint8 RGB.

        Each side is resized by INTER_AREA where it shrinks; if neither side shrinks, the photo is enlarged by
        INTER_CUBIC.
        """
        height, width = self.working_size(*image.shape[:2])
        return resize(image, height, width)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as a plain dictionary, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Return the rule that `to_dict` wrote.

        Raises
        ------
        UsageError
            If something is missing, unknown or out of range.
        """
        known = {f.name for f in fields(cls)}
        if not isinstance(values, Mapping) or set(values) - known or {"rule", "height", "width"} - set(values):
            raise UsageError(f"preprocessing: expected {', '.join(sorted(known))}")
        return cls(**values)


def resize(image: Pixels, height: int, width: int) -> Pixels:
    """Return an image at another size: INTER_CUBIC if no side shrinks, INTER_AREA otherwise."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = height < image.shape[0] or width < image.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cast(Pixels, cv2.resize(image, (width, height), interpolation=interpolation))


def _bounded(height: int, width: int, pixels: int, smallest: int) -> tuple[int, int]:
    if height * width > pixels:
        scale = math.sqrt(pixels / (height * width))
        height, width = math.floor(height * scale), math.floor(width * scale)
    # A side that could not shrink leaves less for the other.
    most = max(smallest, pixels // smallest)
    return min(max(smallest, height), most), min(max(smallest, width), most)


@lru_cache(maxsize=64)
def area_candidates(area: int, multiple: int) -> tuple[tuple[int, int], ...]:
    """Return all (height, width) in multiples of `multiple` with about `area` pixels."""
    low, high = SMALLEST * area, LARGEST * area
    found = []
    for height in range(multiple, int(high // multiple) + 1, multiple):
        first, last = math.ceil(low / (height * multiple)), int(high // (height * multiple))
        found += [(height, k * multiple) for k in range(max(1, first), last + 1)]
    return tuple(found)


@lru_cache(maxsize=4096)
def _nearest_shape(area: int, multiple: int, height: int, width: int) -> tuple[int, int]:
    ratio = math.log(height / width)

    def badness(size: tuple[int, int]) -> tuple[float, int]:
        # Rounded: ratios that differ by rounding errors alone are equal, and the larger area decides.
        return round(abs(math.log(size[0] / size[1]) - ratio), 9), -size[0] * size[1]

    return min(area_candidates(area, multiple), key=badness)
