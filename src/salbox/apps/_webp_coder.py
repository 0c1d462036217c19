"""WebP with attention: its encoder takes no map, and gets a picture in which what counts little is coarse already.

Blocks that nobody looks at are taken from files of lower qualities, decoded: what an encoder has rounded once costs it
little the next time.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..types import Pixels
from ._blocks import SIDE
from ._coders import Picture, saved
from ._steered_coder import SteeredCoder
from .enlarging import bands

# How many times coarser than those of the plain file the quantizers of the files are that blocks are taken from.
_COARSER = (1.0, 1.4, 2.0, 2.8, 4.0, 5.6)
_BLOCK = 2 * SIDE  # pixels a side of what WebP quantizes alike
_COARSEST = 280.0  # step of quality 0, about


class WebpCoder(SteeredCoder):
    """WebP by libwebp; its most thorough method where it is steered, its own where it is not."""

    strengths = (1.0, 0.8, 0.6, 0.4)

    def __init__(self, picture: Picture) -> None:
        super().__init__(picture)
        self._coarser_files: dict[int, bytes] = {}

    def plain(self, quality: int) -> bytes:
        """Return the file of libwebp."""
        return self._saved(self.picture.pixels, quality, 4)

    def steered(self, strength: float, quality: int) -> Callable[[int], bytes]:
        """Return what encodes the picture with blocks out of coarser files; see `SteeredCoder.steered`."""
        pixels = self._coarse(strength, quality)
        return lambda each: self._saved(pixels, each, 6)

    def _coarse(self, strength: float, quality: int) -> Pixels:
        """Return the picture with each block from the file whose quantizer its weight asks for."""
        wanted = self._levels(strength)
        pixels = self.picture.pixels.copy()
        height, width = pixels.shape[:2]
        for level, times in enumerate(_COARSER):
            if level == 0 or not (wanted == level).any():
                continue
            coarser = quality_of(min(step_of(quality) * times, _COARSEST))
            with Image.open(io.BytesIO(self._coarser_file(coarser))) as image:
                for top, bottom in bands((height, width)):
                    is_chosen = wanted[np.arange(top, bottom) // _BLOCK][:, np.arange(width) // _BLOCK] == level
                    found = np.asarray(image.crop((0, top, width, bottom)).convert("RGB"))
                    np.copyto(pixels[top:bottom], found, where=is_chosen[..., None])
        return pixels

    def _coarser_file(self, quality: int) -> bytes:
        """Return the picture without its transparency at a quality, made once: each strength takes blocks of it."""
        if quality not in self._coarser_files:
            image = Image.fromarray(self.picture.pixels)
            self._coarser_files[quality] = saved(image, "WEBP", quality=quality)
        return self._coarser_files[quality]

    def _levels(self, strength: float) -> npt.NDArray[np.intp]:
        """Return which of `_COARSER` each block asks for: an error costs the same if steps go by 1 / sqrt(weight)."""
        height, width = self.picture.weights.shape
        even = np.pad(self.picture.weights, ((0, height % 2), (0, width % 2)), mode="edge")
        most = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).max((1, 3))
        times = np.log(np.clip(strength / np.sqrt(most), 1, _COARSER[-1]))
        return np.abs(times[..., None] - np.log(_COARSER)).argmin(-1)

    def _saved(self, pixels: Pixels, quality: int, method: int) -> bytes:
        return saved(self.with_alpha(pixels), "WEBP", quality=quality, method=method, **self.picture.extra)


def step_of(quality: float) -> float:
    """Return about the quantizer's step at a quality: libwebp's own formula, VP8's table (RFC 6386, 14.1)."""
    linear = quality / 100
    compression = (linear * 2 / 3 if linear < 0.75 else 2 * linear - 1) ** (1 / 3)
    return float(np.interp(127 * (1 - compression), (0, 54, 83, 96, 127), (4, 58, 116, 155, 284)))


def quality_of(step: float) -> int:
    """Return the quality whose step is nearest."""
    return int(np.argmin([abs(step_of(quality) - step) for quality in range(101)]))
