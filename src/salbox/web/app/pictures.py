"""What pages show of maps: pictures of one photo in one of several styles, packed for the browser."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt

from ...imaging.figures import color_table
from ...imaging.overlays import MASS_SHARES, OPACITY, overlay
from ...imaging.plots import COLOR_MAP, DIFFERENCE_COLOR_MAP, comparison
from ...imaging.scaling import for_picture, map_at, smaller_copy, visible
from ...types import Output, Pixels, SaliencyMap

STYLES = ("overlay", "map", "contours", "slider")

_JPEG_QUALITY = 88
_COLUMN_SIDE = 560  # pixels of the longer side of a picture in a column
_BAR = (320, 14)  # pixels of the legend's colour bar


def draw(pixels: Pixels, saliency: SaliencyMap, output: Output, style: str, opacity: float = OPACITY) -> Pixels:
    """Return a photo's map as a picture: (H, W, 3) uint8.

    Parameters
    ----------
    pixels : (H, W, 3) uint8
    saliency : (H, W) float32
    output : {"score", "log_density", "probability"}
    style : {"overlay", "map", "contours", "slider"}
        The map over the photo (so does "slider"), the map alone, or lines around shares of attention.
    opacity : float
        Of an overlay, 0 to 1.
    """
    if style == "map":
        return color_table(COLOR_MAP)[np.rint(for_picture(saliency, output) * 255).astype(np.uint8)]
    if style == "contours":
        return overlay(pixels, saliency, alpha=0, contours=MASS_SHARES, output=output)
    return overlay(pixels, saliency, alpha=opacity, output=output)


def column_copy(pixels: Pixels) -> Pixels:
    """Return a copy of a photo for one of several columns: (h, w, 3) uint8."""
    return smaller_copy(pixels, _COLUMN_SIDE)


def draw_on(small: Pixels, saliency: SaliencyMap, output: Output, style: str, opacity: float = OPACITY) -> Pixels:
    """Return what `draw` does on a smaller copy of a map's photo, in a third of the time."""
    return draw(small, map_at(saliency, small.shape[:2], output), output, style, opacity)


def draw_difference(first: SaliencyMap, second: SaliencyMap, outputs: tuple[Output, Output]) -> Pixels:
    """Return the first map minus the second, both scaled to 0..1 as pictures show them: (H, W, 3) uint8."""
    difference = for_picture(first, outputs[0]) - for_picture(second, outputs[1])
    return color_table(DIFFERENCE_COLOR_MAP)[np.rint((difference + 1) * 127.5).astype(np.uint8)]


def difference_bar() -> Pixels:
    """Return the colours of a difference from -1 to 1 as a bar: (h, w, 3) uint8."""
    width, height = _BAR
    entries = color_table(DIFFERENCE_COLOR_MAP)[np.linspace(0, 255, width).astype(np.uint8)]
    return np.ascontiguousarray(np.broadcast_to(entries, (height, width, 3)))


def jpeg(pixels: Pixels) -> bytes:
    """Return a picture as JPEG, for the screen."""
    return _packed(pixels, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return a picture, (H, W, 3) or with transparency (H, W, 4), as PNG."""
    return _packed(pixels, ".png", [])


def data_url(pixels: Pixels) -> str:
    """Return a picture as an address that holds it."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(pixels)).decode("ascii")


def comparison_png(pixels: Pixels, maps: Mapping[str, SaliencyMap], outputs: Mapping[str, Output]) -> bytes:
    """Return one labelled picture of a photo with all of its maps, as PNG."""
    figure = comparison([(pixels, {name: visible(saliency, outputs[name]) for name, saliency in maps.items()})])
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _packed(pixels: npt.NDArray[np.uint8], suffix: str, options: list[int]) -> bytes:
    order = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR  # channels
    done, packed = cv2.imencode(suffix, cv2.cvtColor(pixels, order), options)
    assert done  # noqa: S101  # an array in memory
    return packed.tobytes()
