"""Where a map is above a value, as the outline of an SVG."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..types import FloatMap, Shape

_STRAIGHT = 0.8  # pixels by which an outline may be off, so that it has fewer corners
_SPECK = 12.0  # square pixels: what is smaller is not drawn


def outline_above(values: FloatMap, limit: float, size: Shape) -> str:
    """Return the outline of the places above a value as the `d` of an SVG path; "" if there is none.

    Parameters
    ----------
    values : (h, w)
        A map of a whole picture.
    limit : float
    size : (H, W)
        Of the picture, in whose pixels the outline is; the map is enlarged to it bilinearly.
    """
    height, width = size
    enlarged = cv2.resize(np.asarray(values, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return outline(enlarged > limit)


def outline(mask: npt.NDArray[np.bool_]) -> str:
    """Return the outline of a mask, (H, W), holes too, as the `d` of an SVG path in its pixels; "" if it is empty."""
    # With a margin: what reaches the border of the picture is closed along it.
    framed = np.pad(mask, 1).astype(np.uint8)
    contours, _ = cv2.findContours(framed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parts = []
    for contour in contours:
        corners = cv2.approxPolyDP(contour, _STRAIGHT, closed=True)[:, 0] - 1
        if len(corners) > 2 and cv2.contourArea(contour) >= _SPECK:
            parts.append("M" + "L".join(f"{x} {y}" for x, y in corners.tolist()) + "Z")
    return "".join(parts)
