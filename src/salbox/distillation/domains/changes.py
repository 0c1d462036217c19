"""A photo degraded or rearranged; sizes stay, and extents are shares of the longest side."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ...types import Pixels


def gray(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo in black and white."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def upside_down(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo turned by half a circle."""
    return image[::-1, ::-1]


def jumbled(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo cut into a grid of 3 to 7 rows and columns whose blocks changed places."""
    height, width = image.shape[:2]
    rows, columns = min(height, int(rng.integers(3, 8))), min(width, int(rng.integers(3, 8)))
    tall, wide = -(-height // rows), -(-width // columns)
    # The grid covers the photo and is cut off afterwards: equal blocks fit everywhere.
    bottom, right = rows * tall - height, columns * wide - width
    padded = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    blocks = padded.reshape(rows, tall, columns, wide, 3).swapaxes(1, 2).reshape(-1, tall, wide, 3)
    mixed = blocks[rng.permutation(len(blocks))].reshape(rows, columns, tall, wide, 3)
    return mixed.swapaxes(1, 2).reshape(padded.shape)[:height, :width]


def low_resolution(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo reduced to a longest side of 40 to 128 pixels and enlarged again, smoothly or in squares."""
    height, width = image.shape[:2]
    scale = min(1.0, np.exp(rng.uniform(np.log(40), np.log(128))) / max(height, width))
    small = cv2.resize(
        image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    method = rng.choice([cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST], p=[0.4, 0.4, 0.2])
    return cv2.resize(small, (width, height), interpolation=int(method))


def noise(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo with noise in each pixel: Gaussian, grey or coloured, or salt and pepper."""
    height, width = image.shape[:2]
    if rng.random() < 0.3:
        drawn = rng.random((height, width), dtype=np.float32)
        share = rng.uniform(0.03, 0.2)
        speckled = image.copy()
        speckled[drawn < share / 2] = 0
        speckled[drawn > 1 - share / 2] = 255
        return speckled
    channels = 3 if rng.random() < 0.5 else 1
    deviation = np.float32(rng.uniform(20, 70))
    added = deviation * rng.standard_normal((height, width, channels), dtype=np.float32)
    return _to_uint8(image + added)


def jpeg(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo compressed by JPEG until its blocks show: quality 3 to 12 of 100."""
    quality = int(rng.integers(3, 13))
    _, encoded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def motion_blur(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo as a moving camera takes it: blurred along a straight line, 3 to 8 % of the longest side."""
    length = max(3.0, rng.uniform(0.03, 0.08) * max(image.shape[:2]))
    angle = rng.uniform(0, np.pi)
    side = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((side, side), np.float32)
    dx, dy = round(length / 2 * np.cos(angle)), round(length / 2 * np.sin(angle))
    middle = side // 2
    cv2.line(kernel, (middle - dx, middle - dy), (middle + dx, middle + dy), 1.0, 1)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def _to_uint8(values: npt.NDArray[np.floating]) -> Pixels:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)
