"""Searches for a number that an encoder takes: the file just small enough, or just true enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_FIRST, _LAST = 0.1, 100.0  # strengths
_STEPS = 7
_NEAR = 0.99  # of the size that is allowed, which is near enough

T = TypeVar("T")


def best_quality(encode: Callable[[int], bytes], limit: int, low: int, high: int) -> tuple[int, bytes] | None:
    """Return the highest quality, of low..high, whose file has at most so many bytes, with it; None if none has."""
    best = None
    while low <= high:
        middle = (low + high) // 2
        data = encode(middle)
        if len(data) <= limit:
            low, best = middle + 1, (middle, data)
        else:
            high = middle - 1
    return best


def least_quality(make: Callable[[int], T], is_true: Callable[[T], bool], low: int, high: int) -> tuple[int, T] | None:
    """Return the lowest quality, of low..high, that is true enough, with what was made of it; None if none is."""
    best = None
    while low <= high:
        middle = (low + high) // 2
        made = make(middle)
        if is_true(made):
            high, best = middle - 1, (middle, made)
        else:
            low = middle + 1
    return best


def least_strength(encode: Callable[[float], bytes], limit: int) -> tuple[float, bytes] | None:
    """Return about the least strength whose file has at most so many bytes, with it; None if none has."""
    low, high = 0.0, _FIRST
    while len(data := encode(high)) > limit:
        low, high = high, 3 * high
        if high > _LAST:
            return None
    for _ in range(_STEPS):
        if len(data) >= _NEAR * limit:
            break
        middle = _between(low, high)
        tried = encode(middle)
        if len(tried) <= limit:
            high, data = middle, tried
        else:
            low = middle
    return high, data


def greatest_strength(make: Callable[[float], T], is_true: Callable[[T], bool]) -> tuple[float, T] | None:
    """Return about the greatest strength that is true enough, with what was made of it; None if none is."""
    best = None
    low, high = 0.0, _FIRST
    for _ in range(_STEPS):
        made = make(high)
        if not is_true(made) or high > _LAST:
            break
        best = high, made
        low, high = high, 3 * high
    for _ in range(_STEPS):
        middle = _between(low, high)
        made = make(middle)
        if is_true(made):
            low, best = middle, (middle, made)
        else:
            high = middle
    return best


def _between(low: float, high: float) -> float:
    return (low * high) ** 0.5 if low > 0 else high / 4
