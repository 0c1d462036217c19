"""A threshold over a map: what lies below it becomes the map's smallest value, the rest stays as it is.

Maps lose their background noise so, as those of the SALICON website seem to have (Thomas: OpenSalicon, technical
report, 2016, figure 2).
"""

from __future__ import annotations

import re
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError, nearest
from ..types import FloatMap
from .scaling import min_max

WORDS = ("none", "otsu")
_LARGEST = float(np.finfo(np.float32).max)
_PERCENTILE = re.compile(r"[pP]\s*(?P<after>[0-9.]+)|(?P<before>[0-9.]+)\s*%")


def check_threshold(given: object) -> float | str:
    """Return a threshold as it is kept: a number, "none", "otsu", or "p90", as "90%" is written too.

    Raises
    ------
    UsageError
        If it is none of these, a number that no map can hold, or a percentile outside 0 to 100.
    """
    text = str(given).strip()
    if text in WORDS:
        return text
    found = _PERCENTILE.fullmatch(text)
    number = _number(text if found is None else found["after"] or found["before"])
    if number is not None and not isinstance(given, bool):
        if found is None:
            return number
        if number <= 100:
            return f"p{number:.12g}"
    raise UsageError(
        f"threshold={text[:40]!r}{nearest(text, WORDS)}: expected none, a number, a percentile such as p90 (0 to 100), "
        "or otsu"
    )


def apply_threshold(values: FloatMap, threshold: float | str, *, like: npt.NDArray[Any] | None = None) -> FloatMap:
    """Return a map in which everything below a threshold has the smallest value: (H, W) float32.

    Parameters
    ----------
    values : (H, W) float32
    threshold : float or text
        As `check_threshold` returns it. A number is on the scale of `values`. "p90" is their 90th percentile, which is
        interpolated between pixels. "otsu" is the level that parts 256 grey values, from minimum to maximum, into two
        groups with the largest variance between them (Otsu 1979, IEEE Transactions on Systems, Man, and Cybernetics
        9(1)).
    like : (H, W) array, optional
        What "otsu" looks at instead: of a log density the density, which is in the same order.
    """
    if threshold == "none":
        return values
    if threshold == "otsu":
        levels = np.rint(255 * min_max(values if like is None else like)).astype(np.uint8)
        level, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        kept = levels > level
    else:
        number = np.percentile(values, float(threshold[1:])) if isinstance(threshold, str) else threshold
        kept = values >= number
    return np.where(kept, values, values.min())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) <= _LARGEST else None  # which NaN is not
