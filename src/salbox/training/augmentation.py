"""What is done to a picture before it is learned from, and to its maps with it: sizes, blur, brightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..types import Pixels, Shape

GRID = 32  # pixels: sides and corners of crops and sides of sizes are multiples of it, so that all strides divide them


@dataclass(frozen=True)
class Augmentation:
    """How pictures are varied; what each key means a recipe says.

    Attributes
    ----------
    flips : bool
    crop : float
    size : (int, int), optional
        The height and width that `sizes` are shares of; needed with them.
    sizes : tuple of (int, int)
    blur, brightness : float
    """

    flips: bool = True
    crop: float = 1.0
    size: Shape | None = None
    sizes: tuple[Shape, ...] = ()
    blur: float = 0.0
    brightness: float = 0.0

    def draw_size(self, whole: Shape, random: np.random.Generator) -> Shape | None:
        """Return the (height, width) of a batch of pictures that are of size `whole`, one of `sizes` at random.

        Pictures of another shape than `size` get as large a share of it, in steps of 32 pixels. None leaves them.
        """
        if not self.sizes or self.size is None:
            return None
        drawn = self.sizes[int(random.integers(len(self.sizes)))]
        height, width = (
            max(1, round(side * new / old / GRID)) * GRID
            for side, new, old in zip(whole, drawn, self.size, strict=True)
        )
        return height, width

    def draw_blurs(self, pictures: int, random: np.random.Generator) -> tuple[float, ...]:
        """Return the standard deviation of each picture's blur, pixels; empty for none."""
        return tuple((self.blur * random.random(pictures)).tolist()) if self.blur else ()

    def draw_gains(self, pictures: int, random: np.random.Generator) -> tuple[float, ...]:
        """Return what each picture's values are multiplied by; empty for none."""
        return tuple((1 + self.brightness * random.uniform(-1, 1, pictures)).tolist()) if self.brightness else ()


def resized_images(images: npt.NDArray[np.uint8], size: Shape) -> npt.NDArray[np.uint8]:
    """Return pictures, (n, h, w, 3) uint8, at another size: by area if a side shrinks, else bilinearly."""
    return images if images.shape[1:3] == size else np.stack([_resized(image, size) for image in images])


def resized_maps(maps: npt.NDArray[np.float32], size: Shape) -> npt.NDArray[np.float32]:
    """Return maps, (n, heads, h, w) float32, at another size, each pixel the mean of what it covers where they shrink.

    The edge of a mask stays an edge: no pixel that lies within or without is anything else afterwards.
    """
    if maps.shape[2:] == size:
        return maps
    return np.stack([[_resized(each, size) for each in heads] for heads in maps])


def moved_counts(counts: npt.NDArray[np.float32], size: Shape) -> npt.NDArray[np.float32]:
    """Return counts of fixations, (n, 1, h, w) float32, at another size: each goes where its pixel's center goes."""
    if counts.shape[2:] == size:
        return counts
    moved = np.zeros((*counts.shape[:2], *size), np.float32)
    pictures, heads, rows, columns = np.nonzero(counts)
    places = (
        ((places + 0.5) * new / old).astype(np.intp)
        for places, new, old in zip((rows, columns), size, counts.shape[2:], strict=True)
    )
    np.add.at(moved, (pictures, heads, *places), counts[pictures, heads, rows, columns])
    return moved


def blurred(image: Pixels, deviation: float) -> Pixels:
    """Return a picture under a Gaussian of this standard deviation in pixels, edges reflected."""
    if deviation <= 0:
        return image
    found: Pixels = cv2.GaussianBlur(image, (0, 0), deviation, borderType=cv2.BORDER_REFLECT_101)
    return found


def brightened(image: Pixels, gain: float) -> Pixels:
    """Return a picture with its values multiplied, at most 255."""
    found: Pixels = np.rint(np.clip(image * np.float32(gain), 0, 255)).astype(np.uint8)
    return found


def _resized(values: npt.NDArray[Any], size: Shape) -> npt.NDArray[Any]:
    shrinks = size[0] < values.shape[0] or size[1] < values.shape[1]
    return cv2.resize(values, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
