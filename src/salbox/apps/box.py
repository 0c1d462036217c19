"""A rectangle of an image in whole pixels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from ..errors import UsageError
from ..types import Shape


@dataclass(frozen=True)
class Box:
    """A rectangle of an image: its first column and row, counted from 0, and its size in pixels.

    Raises
    ------
    UsageError
        If it is empty or begins before the image does.

    Examples
    --------
    >>> from salbox.apps import Box
    >>> box = Box(10, 20, 300, 200)
    >>> box.right, box.bottom, box.as_tuple()
    (310, 220, (10, 20, 300, 200))
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.x, self.y) < 0 or min(self.width, self.height) < 1:
            raise UsageError(f"box {self.text}: expected x,y,width,height in pixels, none negative, no side 0")

    @property
    def right(self) -> int:
        """The first column behind it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.y + self.height

    @property
    def text(self) -> str:
        """As it is written on a command line."""
        return ",".join(map(str, astuple(self)))

    def as_tuple(self) -> tuple[int, int, int, int]:
        """Return (x, y, width, height)."""
        return self.x, self.y, self.width, self.height

    def check_inside(self, shape: Shape, what: str = "box") -> None:
        """Raise a UsageError unless it lies in an image of shape (H, W)."""
        height, width = shape
        if self.right > width or self.bottom > height:
            raise UsageError(f"{what} {self.text} reaches beyond the image, which is {width}x{height}")


def parse_box(text: str) -> Box:
    """Return the box that "x,y,width,height" stands for; raise a UsageError if it is none."""
    if not re.fullmatch(r"\s*\d{1,9}(\s*,\s*\d{1,9}){3}\s*", text):
        raise UsageError(f"box '{text}': expected x,y,width,height in whole pixels, such as 40,60,200,120")
    return Box(*map(int, text.split(",")))


def hull(boxes: Iterable[Box]) -> Box | None:
    """Return the smallest box that holds all of several; None if there is none."""
    every = list(boxes)
    if not every:
        return None
    x, y = min(box.x for box in every), min(box.y for box in every)
    return Box(x, y, max(box.right for box in every) - x, max(box.bottom for box in every) - y)
