"""Maps over their photos: tints that leave a page readable, lines around shares of attention."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import Output, Pixels, SaliencyMap
from .image import ImageSource, read_image
from .scaling import for_picture, is_log_density, normalized_log

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

OPACITY = 0.5  # of the most salient place: the most at which black on white and white on black keep 4.5 to 1 (WCAG AA)
MASS_SHARES = (0.5, 0.75, 0.9)  # of the contours that are drawn unless others are asked for

# From the least salient to the most: the strongest blue, violet, pink and red of one lightness, L* = 55, so that none
# of them vanishes on a white page or on a black one.
_TINTS = ((0, 132, 243), (162, 94, 255), (255, 0, 135), (255, 37, 16))

# Of the Gaussian that smooths a log density for a picture, as a share of the longer side. A network's own map has about
# 75 cells there; brought bilinearly to the photo's size it has kinks between them, which exp makes stars of.
_SMOOTHING = 0.01

GROWTH = 0.7  # exponent of opacity: below 1, or places half as salient are hardly seen on a dark page
_SMALLEST_LABELED = 160  # pixels of the longer side; labels of lines in smaller pictures would hide what they are about

Map = npt.NDArray[np.floating[Any]]


def overlay(
    image: ImageSource,
    saliency: Map,
    *,
    alpha: float = OPACITY,
    contours: Sequence[float] = (),
    output: Output | None = None,
    legend: bool = False,
) -> Pixels:
    """Return a photo with a heat map over it: (H, W, 3) uint8, with a legend (H + strip, W, 3).

    What is not salient stays as it is; what is takes a tint, the more salient the stronger. All tints are of one
    lightness, so that text under them stays readable, dark on light and light on dark.

    Parameters
    ----------
    image : path, bytes, file object, PIL image or array
        As `salbox.read_image` takes them.
    saliency : (H, W) array
        Min-max scaled for the picture, unless it is a probability. A log density is smoothed a little.
    alpha : float
        Opacity of the heat map where it is highest, 0 to 1. Up to the default, .5, black text on white and white text
        on black keep a contrast of at least 4.5 to 1, what WCAG 2.2 asks for (success criterion 1.4.3).
    contours : shares of the map's mass, each in (0, 1)
        Lines around the smallest regions that hold these shares, each with its share in per cent.
    output : {"score", "log_density", "probability"}, optional
        What the map's numbers are: of a log density the density is drawn. By default one is recognised, exp of which
        sums to 1.
    legend : bool
        Add a strip below that says what colours and lines mean.

    Raises
    ------
    UsageError
        If `alpha` or a share is out of range, or the sizes differ.
    ImageError
        If the image cannot be read.

    Examples
    --------
    What is not salient stays as it is:

    >>> import numpy as np, salbox
    >>> image, saliency = np.full((48, 64, 3), 200, np.uint8), np.zeros((48, 64))
    >>> saliency[24, 32] = 1
    >>> picture = salbox.overlay(image, saliency)
    >>> picture.shape, picture[0, 0].tolist(), picture[24, 32].tolist()
    ((48, 64, 3), [200, 200, 200], [227, 118, 108])
    """
    pixels = read_image(image)
    if saliency.shape != pixels.shape[:2]:
        raise UsageError(f"a map of shape {saliency.shape} does not fit over an image of shape {pixels.shape[:2]}")
    check_drawing(alpha, contours)
    scaled = for_picture(smooth_density(saliency, output), output)
    blended = _tinted(pixels, scaled, alpha)
    if contours:
        blended = _with_contours(blended, scaled, contours)
    if legend:
        blended = np.concatenate([blended, _legend(blended.shape[1], alpha, contours)])
    return blended


def check_drawing(alpha: float, contours: Sequence[float]) -> None:
    """Raise a UsageError unless an overlay can be drawn with this opacity and these shares."""
    if not 0 <= alpha <= 1:
        raise UsageError(f"opacity {alpha}: expected 0 to 1")
    if not all(0 < share < 1 for share in contours):
        raise UsageError(f"contours {tuple(contours)}: expected shares between 0 and 1")


def smooth_density(saliency: Map, output: Output | None = None) -> Map:
    """Return a log density without the kinks of what enlarged it, (H, W), exp sums to 1; any other map as it is.

    By default a log density is recognised by its numbers.
    """
    if not (output == "log_density" or (output is None and is_log_density(saliency))):
        return saliency
    sigma = _SMOOTHING * max(saliency.shape)
    smoothed = cv2.GaussianBlur(saliency.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return normalized_log(smoothed)


def mass_level(values: Map, share: float) -> float:
    """Return the level at or above which lies the smallest region that holds a share of a map's mass."""
    falling = np.sort(values, axis=None)[::-1]
    mass = np.cumsum(falling, dtype=np.float64)
    return float(falling[min(int(np.searchsorted(mass, share * mass[-1])), falling.size - 1)])


@lru_cache(maxsize=1)
def tint_table() -> npt.NDArray[np.uint8]:
    """Return the tints as RGB entries, the least salient first: (256, 3) uint8."""
    corners = cv2.cvtColor(np.array([_TINTS], np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    places = np.linspace(0, len(_TINTS) - 1, 256)
    between = [np.interp(places, range(len(_TINTS)), corners[:, axis]) for axis in range(3)]
    table = cv2.cvtColor(np.stack(between, axis=1)[None].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
    rounded: npt.NDArray[np.uint8] = np.rint(table.clip(0, 1) * 255).astype(np.uint8)
    return rounded


def tints_on_white(alpha: float = OPACITY) -> Pixels:
    """Return the tints as overlays of an opacity have them on white, the least salient first: (256, 3) uint8."""
    return _tinted(np.full((1, 256, 3), 255, np.uint8), np.linspace(0, 1, 256, dtype=np.float32)[None], alpha)[0]


def _tinted(pixels: Pixels, scaled: SaliencyMap, alpha: float) -> Pixels:
    """Return pixels under the tints of a map in 0..1, whose opacity grows with it up to `alpha`."""
    tints = cv2.applyColorMap(np.rint(scaled * 255).astype(np.uint8), tint_table()[:, None])  # channels as they come
    weight = np.float32(alpha) * scaled.astype(np.float32, copy=False) ** GROWTH
    return cv2.blendLinear(np.ascontiguousarray(pixels), tints, 1 - weight, weight)


def _with_contours(picture: Pixels, scaled: SaliencyMap, shares: Sequence[float]) -> Pixels:
    """Return a picture with a line around each region that holds a share of a map, and the share beside it."""
    outlines = [_outlines(scaled >= mass_level(scaled, share)) for share in shares]
    thickness = max(1, round(max(picture.shape[:2]) / 700))
    drawn = picture.copy()
    # White within black: seen on light and on dark ground.
    for color, width in (((0, 0, 0), thickness + 2), ((255, 255, 255), thickness)):
        for lines in outlines:
            cv2.drawContours(drawn, lines, -1, color, width, cv2.LINE_AA)
    return _labeled(drawn, shares, outlines) if max(picture.shape[:2]) >= _SMALLEST_LABELED else drawn


def _outlines(region: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.int32]]:
    found, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return [np.asarray(line, np.int32) for line in found]


def _labeled(picture: Pixels, shares: Sequence[float], outlines: Sequence[Sequence[npt.NDArray[np.int32]]]) -> Pixels:
    """Return a picture with each share on the longest of its lines, as far from the others' labels as it can be."""
    from PIL import Image, ImageDraw

    sheet = Image.fromarray(picture)
    draw, font = ImageDraw.Draw(sheet), _font(picture.shape[1])
    taken: list[npt.NDArray[np.floating[Any]]] = []
    for share, lines in zip(shares, outlines, strict=True):
        text = f"{share:.0%}"
        _, _, width, height = draw.textbbox((0, 0), text, font=font, stroke_width=2)
        line = max(lines, key=len).reshape(-1, 2)
        inside = line.clip((width / 2, height / 2), (sheet.width - width / 2, sheet.height - height / 2))
        # Where a line leaves the picture its label would lie far from it: first those that lie on it.
        score = -np.abs(inside - line).sum(axis=1) * 10.0
        if taken:
            nearest = np.min([np.linalg.norm(inside - place, axis=1) for place in taken], axis=0)
            score += np.minimum(nearest, 4 * width)
        else:
            score += line[:, 0] / sheet.width  # the rightmost
        place = inside[int(np.argmax(score))]
        taken.append(place)
        draw.text(tuple(place), text, fill="white", stroke_fill="black", stroke_width=2, font=font, anchor="mm")
    return np.asarray(sheet).copy()


def _legend(width: int, alpha: float, contours: Sequence[float]) -> Pixels:
    """Return a white strip with the tints as they look on white, and what the lines are: (h, width, 3) uint8."""
    from PIL import Image, ImageDraw

    font, size = _font(width), _font_size(width)
    texts = ["less", "more salient"]
    lines = f"lines: {', '.join(f'{share:.0%}' for share in contours)} of all attention inside" if contours else ""
    levels = np.linspace(0, 255, 10 * size).round().astype(int)
    bar = np.tile(tints_on_white(alpha)[levels], (size, 1, 1))
    sheet = Image.new("RGB", (width, (4 if lines else 2) * size), "white")
    draw: ImageDraw.ImageDraw = ImageDraw.Draw(sheet)
    x, y = size, size
    draw.text((x, y), texts[0], fill="black", font=font, anchor="lm")
    x += round(draw.textlength(texts[0], font=font)) + size // 2
    sheet.paste(Image.fromarray(bar), (x, y - size // 2))
    draw.text((x + bar.shape[1] + size // 2, y), texts[1], fill="black", font=font, anchor="lm")
    if lines:
        draw.text((size, 3 * size), lines, fill="black", font=font, anchor="lm")
    return np.asarray(sheet).copy()


def _font_size(width: int) -> int:
    """Return the height in pixels at which a line of legend fits into a picture of a width; at least 9."""
    return int(np.clip(round(width / 40), 9, 36))


def _font(width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font for pictures of a width in pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(size=_font_size(width))
