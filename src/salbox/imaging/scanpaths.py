"""Scanpaths over their photos: numbered places, and lines from each to the next."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import Pixels
from .image import ImageSource, read_image

# A colour a scanpath, all dark enough that white figures on them keep 4.5 to 1 (WCAG AA).
COLORS = ((178, 24, 78), (0, 92, 175), (0, 110, 62), (122, 66, 184), (150, 78, 0), (60, 60, 60))
_RADIUS = 1 / 55  # of the places, as a share of the longer side
_SMALLEST = 7.0  # pixels of the radius at which a number can be read


def draw_scanpaths(image: ImageSource, paths: Sequence[npt.ArrayLike]) -> Pixels:
    """Return a photo with scanpaths over it, (H, W, 3) uint8: numbered places, a line from each to the next.

    Parameters
    ----------
    image : path, bytes, file object, PIL image or array
    paths : sequence of (N, 2) arrays
        x and y in pixels, the first fixation first; each scanpath has a colour, of which there are six.

    Raises
    ------
    UsageError
        If a scanpath has another shape.
    ImageError
        If the image cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.imaging.scanpaths import draw_scanpaths
    >>> picture = draw_scanpaths(np.full((120, 160, 3), 255, np.uint8), [[(20, 30), (120, 90)]])
    >>> picture.shape, bool((picture[55:65, 65:75] < 255).any())  # the line between
    ((120, 160, 3), True)
    """
    drawn = read_image(image).copy()
    radius = max(_SMALLEST, max(drawn.shape[:2]) * _RADIUS)
    width = max(1, round(radius / 4))
    for number, path in enumerate(paths):
        places = np.asarray(path, np.float64)
        if places.ndim != 2 or places.shape[1] != 2:
            raise UsageError(f"a scanpath of shape {places.shape}: expected (N, 2), x and y in pixels")
        line = np.rint(places).astype(np.int32)[:, None]
        # White around the colour: seen on light and on dark ground.
        for color, wide in (((255, 255, 255), 3 * width), (COLORS[number % len(COLORS)], width)):
            cv2.polylines(drawn, [line], False, color, wide, cv2.LINE_AA)
    for number, path in enumerate(paths):
        drawn = _with_places(drawn, np.asarray(path, np.float64), radius, COLORS[number % len(COLORS)])
    return drawn


def _with_places(
    picture: Pixels, places: npt.NDArray[np.float64], radius: float, color: tuple[int, int, int]
) -> Pixels:
    """Return a picture with numbered discs; an earlier one lies over a later one."""
    from PIL import Image, ImageDraw, ImageFont

    sheet = Image.fromarray(picture)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=round(1.25 * radius))
    for n, (x, y) in reversed(list(enumerate(places, 1))):
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(box, fill=color, outline="white", width=max(1, round(radius / 8)))
        draw.text((x, y), str(n), fill="white", font=font, anchor="mm")
    return np.asarray(sheet).copy()
