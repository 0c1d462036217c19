"""Small maps and pictures as rows of a large one, so that never more than some rows of the large one are held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..types import FloatMap, Shape

_BAND = 1 << 20  # pixels


def bands(shape: Shape) -> Iterator[tuple[int, int]]:
    """Yield the first row and the row behind the last of pieces of a picture, (H, W), of about a megapixel each."""
    height, width = shape
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        yield top, min(height, top + rows)


def enlarged_rows(values: npt.NDArray[Any], top: int, bottom: int, shape: Shape) -> FloatMap:
    """Return rows of what `cv2.resize` makes bilinearly of a small map or picture: (bottom - top, W[, C]) float32.

    Parameters
    ----------
    values : (h, w) or (h, w, C) array
    top, bottom : int
        The first row, and the row behind the last, of the large one.
    shape : (int, int)
        The large one's (H, W).
    """
    height, width = shape
    if values.shape[:2] == (height, width):
        return values[top:bottom].astype(np.float32)
    # Row y lies at (y + 1/2) h / H - 1/2 of the small one.
    places = ((np.arange(top, bottom) + 0.5) * (len(values) / height) - 0.5).clip(0, len(values) - 1)
    above = places.astype(np.intp)
    below = np.minimum(above + 1, len(values) - 1)
    share = (places - above).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
    rows = values[above] * (1 - share) + values[below] * share
    return cv2.resize(rows.astype(np.float32, copy=False), (width, bottom - top), interpolation=cv2.INTER_LINEAR)
