"""Searches for a level of an encoder: the file just small enough, or just true enough.

The higher a level, the larger and the truer its file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor, log
from typing import TypeVar

SLOPE = 0.03  # by how much the logarithm of a file's bytes rises a level, about: quality in a JPEG
_LEAST_SLOPE = 1e-4
_GUESSES = 6  # after so many that were drawn from sizes the middle is taken

T = TypeVar("T")


@dataclass(frozen=True)
class Hit:
    """A file that is small enough, its level, and how steep the logarithm of bytes is there."""

    level: int
    data: bytes
    slope: float


def largest_within(
    encode: Callable[[int], bytes],
    limit: int,
    low: int,
    high: int,
    *,
    first: int | None = None,
    slope: float = SLOPE,
    follow: Callable[[int, int], int] | None = None,
    near: float = 1.0,
) -> Hit | None:
    """Return the file of the highest level, of low..high, that has at most so many bytes; None if none has.

    Parameters
    ----------
    encode : callable
        Gives the file of a level.
    limit, low, high : int
    first : int, optional
        The level that is tried first; by default the middle.
    slope : float
        By how much the logarithm of a file's bytes rises a level, about: what is gone by after the first.
    follow : callable, optional
        Gives the level to try after one, of it and its bytes; by default it is drawn from the sizes so far.
    near : float
        A file of this share of the limit is taken without looking for a larger one.
    """
    best, sizes, aim = None, {}, log(max(limit, 1))
    below, above = low - 1, high + 1
    guess = (low + high) // 2 if first is None else first
    while above - below > 1:
        level = min(max(guess, below + 1), above - 1)
        data = encode(level)
        sizes[level] = log(len(data))
        if len(data) <= limit:
            below, best = level, data
            if len(data) >= near * limit:
                break
        else:
            above = level
        slope = _slope(sizes, level, slope)
        if len(sizes) >= _GUESSES:
            guess = (below + above) // 2
        elif follow is not None:
            guess = follow(level, len(data))
        else:
            known = below if below in sizes else level
            guess = known + floor((aim - sizes[known]) / slope)
    return None if best is None else Hit(below, best, slope)


def _slope(sizes: dict[int, float], level: int, before: float) -> float:
    """Return how steep sizes are between a level and the nearest other one; what it was before if there is none."""
    others = [each for each in sizes if each != level]
    if not others:
        return before
    other = min(others, key=lambda each: abs(each - level))
    return max((sizes[level] - sizes[other]) / (level - other), _LEAST_SLOPE)


def lowest_true(
    make: Callable[[int], T], is_true: Callable[[T], bool], low: int, high: int, *, first: int, stride: int = 4
) -> tuple[int, T] | None:
    """Return the lowest level, of low..high, that is true enough, with what was made of it; None if none is.

    Parameters
    ----------
    make : callable
        Gives what is judged, of a level.
    is_true : callable
    low, high : int
    first : int
        The level that is tried first.
    stride : int
        By how much it is gone on from there, twice as far each time, until the lowest lies between two levels.
    """
    best = None
    below, above = low - 1, high + 1
    level = first
    while above - below > 1:
        level = min(max(level, below + 1), above - 1)
        made = make(level)
        if is_true(made):
            above, best = level, (level, made)
        else:
            below = level
        if below < low or above > high:
            level += -stride if above == level else stride
            stride *= 2
        else:
            level = (below + above) // 2
    return best
