"""A photo drawn by hand: lines, pencil, hatching. Strokes are as wide as suits a picture of 640 pixels."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ...types import Pixels

FloatMap = npt.NDArray[np.floating]


def lines(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a line drawing: black lines of about one width on white, along the photo's edges.

    Difference of Gaussians, thresholded softly (Winnemöller, Kyprianidis, Olsen: XDoG, Computers & Graphics 36(6),
    2012, section 2), after smoothing that keeps edges. Areas without an edge stay white, dark ones too.
    """
    unit = _unit(image)
    smooth = cv2.bilateralFilter(image, 9, 60, 6 * unit)
    light = cv2.cvtColor(cv2.bilateralFilter(smooth, 9, 60, 6 * unit), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    sigma = rng.uniform(1.0, 2.0) * unit
    difference = _blur(light, sigma) - _blur(light, 1.6 * sigma)
    # Below zero on the dark side of edges; of a photo with few of them not even the strongest percents are ink.
    level = min(float(np.percentile(difference, rng.uniform(4, 11))), -0.008)
    ink = 1 / (1 + np.exp(np.clip((difference - level) / 0.002, -30, 30)))
    kept = _without_specks(ink, smallest=round(40 * unit**2))
    return _gray_picture(1 - kept * rng.uniform(0.8, 1.0))


def sketch(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a pencil sketch: soft grey contours and shading in strokes on grained paper.

    The contours divide the photo by a blur of itself ("colour dodge"); the strokes are noise smeared along one
    direction, the denser the darker the photo is.
    """
    unit = _unit(image)
    light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    blurred = _blur(light, rng.uniform(3, 8) * unit)
    contour = np.minimum(1.0, (light + 0.02) / (blurred + 0.02)) ** rng.uniform(1.5, 3.0)
    strokes = _strokes(light.shape, rng.uniform(0.5, 1.1), rng, unit)
    shade = 1 - rng.uniform(0.25, 0.6) * np.clip(1 - _blur(light, 2 * unit) * 1.1, 0, 1) * strokes
    paper = 1 - 0.05 * _blur(rng.random(light.shape, dtype=np.float32), 0.7)
    return _gray_picture(np.clip(contour * shade * paper, 0.08, 1))


def hatching(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo in ink strokes: the darker it is, the more layers of parallel lines lie across each other."""
    unit = _unit(image)
    light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    light = cv2.createCLAHE(2.0, (4, 4)).apply(light) if min(light.shape) >= 16 else light
    tone = _blur(light.astype(np.float32) / 255, 2.5 * unit)
    rows, columns = np.indices(tone.shape, dtype=np.float32)
    spacing, first = rng.uniform(6, 10) * unit, rng.uniform(0, np.pi)
    ink = np.zeros(tone.shape, np.float32)
    for layer, threshold in enumerate((0.62, 0.46, 0.31, 0.18)):
        angle = first + layer * np.pi / 4 + rng.normal(0, 0.05)
        wobble = 0.6 * unit * _blur(rng.standard_normal(tone.shape, dtype=np.float32), 6 * unit) * 6
        across = columns * np.sin(angle) + rows * np.cos(angle) + wobble
        distance = np.abs(across / spacing - np.rint(across / spacing)) * spacing
        # Strokes thin out towards the light instead of ending in a contour.
        half_width = 1.1 * unit * np.clip((threshold - tone) / 0.12, 0, 1)
        stroke = np.clip(half_width - distance + 0.5, 0, 1) * np.clip(2 * half_width, 0, 1)
        ink = np.maximum(ink, stroke)
    paper = np.float32(rng.uniform(0.93, 1.0))
    return _gray_picture(paper * (1 - 0.9 * ink))


def _unit(image: Pixels) -> float:
    """Return how many pixels are one pixel of a picture whose longest side is 640; at least a third."""
    return max(max(image.shape[:2]) / 640, 1 / 3)


def _blur(values: FloatMap, sigma: float) -> FloatMap:
    return cv2.GaussianBlur(values, (0, 0), max(sigma, 0.1), borderType=cv2.BORDER_REPLICATE)


def _strokes(shape: tuple[int, ...], angle: float, rng: np.random.Generator, unit: float) -> FloatMap:
    """Return noise smeared along a direction, 0..1."""
    length = max(3, round(18 * unit)) | 1
    kernel = np.zeros((length, length), np.float32)
    middle = length // 2
    dx, dy = round(middle * np.cos(angle)), -round(middle * np.sin(angle))
    cv2.line(kernel, (middle - dx, middle - dy), (middle + dx, middle + dy), 1.0, 1)
    grain = rng.random(shape, dtype=np.float32)
    smeared = cv2.filter2D(grain, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    low, high = np.percentile(smeared, [5, 95])
    return np.clip((smeared - low) / max(float(high - low), 1e-6), 0, 1)


def _without_specks(ink: FloatMap, smallest: int) -> FloatMap:
    """Return ink without its smallest spots, which a hand would not draw."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 0.1).astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= smallest
    large[0] = False  # the paper, with the faintest rims of what is taken away
    return ink * large[labels]


def _gray_picture(light: FloatMap) -> Pixels:
    return np.repeat(np.rint(np.clip(light, 0, 1) * 255).astype(np.uint8)[:, :, None], 3, axis=2)
