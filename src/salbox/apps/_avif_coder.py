"""AVIF with attention: its encoder, libaom, takes a map of how many bits each block may have among its neighbours.

The map is libaom's `rate-distribution-info`, a number for every 16 x 16 pixels, which its perceptual choice of a
quantizer for each superblock then follows (`deltaq-mode=3` with `enable-rate-guide-deltaq`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from ..types import FloatMap
from ._coders import saved
from ._smoothing import smoothed
from ._steered_coder import SteeredCoder

_SMOOTHING = 0.7  # strength at which the picture is smoothed besides
_BITS = 100.0  # of a block on average; their ratio alone matters


class AvifCoder(SteeredCoder):
    """AVIF by the encoder that Pillow has: bits follow attention to the power of the strength.

    Where it takes no map the picture is smoothed alone.
    """

    near = 0.93  # its encoder takes seconds, and makes a large step in size from one quality to the next

    def plain(self, quality: int) -> bytes:
        """Return the file of the encoder by itself."""
        return saved(self.with_alpha(self.picture.pixels), "AVIF", quality=quality, **self.picture.extra)

    def steered(self, strength: float, quality: int) -> Callable[[int], bytes]:
        """Return what encodes the picture with a map; see `SteeredCoder.steered`."""
        picture = self.picture
        pixels = smoothed(picture.pixels, picture.weights, _SMOOTHING * strength)

        def encode(each: int) -> bytes:
            image = self.with_alpha(pixels)
            if not takes_maps():
                return saved(image, "AVIF", quality=each, **picture.extra)
            with map_of_rates(picture.weights, strength) as advanced:
                return saved(image, "AVIF", quality=each, advanced=advanced, **picture.extra)

        return encode


@contextmanager
def map_of_rates(weights: FloatMap, strength: float) -> Iterator[dict[str, str]]:
    """Yield libaom's options for a map of weights of 8 x 8 pixels to a power; its file is there within the block."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rates.txt")
        np.savetxt(path, rates(weights, strength), "%.3f")
        yield {
            "deltaq-mode": "3",
            "enable-rate-guide-deltaq": "1",
            "rate-distribution-info": str(path),
            "sb-size": "64",  # quantizers are chosen for each superblock: the smaller the closer to the map
        }


def rates(weights: FloatMap, strength: float) -> FloatMap:
    """Return how many bits each 16 x 16 pixels may have, of weights of 8 x 8: (ceil(h / 2), ceil(w / 2)) float32."""
    height, width = weights.shape
    even = np.pad(weights, ((0, height % 2), (0, width % 2)), mode="edge")
    means = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).mean((1, 3)) ** strength
    return np.asarray(_BITS * means / means.mean(), np.float32)


@cache
def takes_maps() -> bool:
    """Return whether the encoder that Pillow has takes a map."""
    try:
        with map_of_rates(np.ones((2, 2), np.float32), 1.0) as advanced:
            saved(Image.new("RGB", (16, 16)), "AVIF", quality=50, advanced=advanced)
    except ValueError:  # no such option: an older libaom, or another encoder
        return False
    return True
