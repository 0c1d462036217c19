"""AVIF with attention: its encoder, libaom, takes a map of how many bits each block may have among its neighbours.

The map is libaom's `rate-distribution-info`, a number for every 16 x 16 pixels, which its perceptual choice of a
quantizer for each superblock then follows (`deltaq-mode=3` with `enable-rate-guide-deltaq`). What is larger than
`MOST_AT_ONCE` becomes a grid of tiles, so that the encoder's memory has a bound.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..types import FloatMap, Pixels
from ._avif_grid import MOST_AT_ONCE, Grid, grid_of, joined
from ._blocks import SIDE, Number, block_means
from ._coders import Errors, Picture, saved
from ._sampling import LARGE
from ._smoothing import smoothed
from ._steered_coder import SteeredCoder

_SMOOTHING, _SMOOTHING_ALONE = 0.35, 0.7  # strengths at which the picture is smoothed, with a map and without
_BITS = 100.0  # of a block on average; their ratio alone matters
_SUPERBLOCK = 64 // SIDE  # blocks of 8 x 8 along a side of what has a quantizer of its own
_BOTH = 2  # blocks of 8 x 8 along a side of what has a number in the map
_OPAQUE = 255
_FASTER = 7  # of the encoder's speeds, for large pictures: twice that of 6, which it has by itself; 8 follows no map


class AvifCoder(SteeredCoder):
    """AVIF by the encoder that Pillow has: in two regions, or, which is gentler, with bits by the root of attention.

    Where it takes no map the picture is smoothed alone. Of large pictures the map would not be followed, see
    `two_regions`: both strengths have regions.
    """

    near = 0.93  # its encoder takes seconds, and makes a large step in size from one quality to the next

    def __init__(self, picture: Picture) -> None:
        super().__init__(picture)
        shape = picture.pixels.shape[:2]
        self._is_large = picture.pixel_count > LARGE
        self._grid = grid_of(shape) if shape[0] * shape[1] > MOST_AT_ONCE else None
        self._options = picture.extra | ({"speed": _FASTER} if self._is_large else {})
        if self._grid and (shape[0] % 2 or shape[1] % 2):  # a grid whose colours are halved has even sides
            self._options["subsampling"] = "4:4:4"
        self._sign = 1
        self._plain: bytes | None = None
        self._plain_ratio: float | None = None

    def plain(self, quality: int) -> bytes:
        """Return the file of the encoder by itself."""
        if self._grid is not None:
            return self._tiled(self._grid, self.picture.pixels, quality, steers=False)
        self._plain = saved(self.with_alpha(self.picture.pixels), "AVIF", quality=quality, **self._options)
        return self._plain

    def steered(self, strength: float, quality: int) -> Callable[[int], bytes]:
        """Return what encodes the picture with a map; see `SteeredCoder.steered`."""
        weights = self.picture.weights
        smoothing = _SMOOTHING if takes_maps() else _SMOOTHING_ALONE
        pixels = smoothed(self.picture.pixels, weights, smoothing * strength)
        if (grid := self._grid) is not None:
            return lambda each: self._tiled(grid, pixels, each, steers=takes_maps())
        image = self.with_alpha(pixels)

        def encode(each: int) -> bytes:
            if not takes_maps():
                return saved(image, "AVIF", quality=each, **self._options)
            if self._is_large or strength == max(self.strengths):
                return self._in_two_regions(image, each)
            return self._mapped(image, each, rates(weights, strength))

        return encode

    def _in_two_regions(self, image: Image.Image, quality: int) -> bytes:
        regions = two_regions(self.picture.weights)
        data = self._mapped(image, quality, regions * self._sign)
        if not self._is_large or self.picture.sample_of or self._is_steered(data):
            return data
        other = self._mapped(image, quality, regions * -self._sign)
        if self.errors(data).weighted <= self.errors(other).weighted:
            return data
        self._sign = -self._sign  # of the next qualities, most likely
        return other

    def _tiled(self, grid: Grid, pixels: Pixels, quality: int, *, steers: bool) -> bytes:
        """Return the file of pixels in the place of the picture's, as a grid of tiles too small for wrong signs."""
        alpha = self.picture.alpha
        if alpha is not None and alpha.min() == _OPAQUE:
            alpha = None
        files = []
        for rows, columns in grid.places():
            image = Image.fromarray(_tile(pixels, rows, columns))
            if alpha is not None:
                own = _tile(alpha, rows, columns)
                if own.min() == _OPAQUE:  # of which libavif would write none, and tiles are alike
                    own[-1, -1] -= 1
                image.putalpha(Image.fromarray(own))
            if steers:
                blocks = [slice(part.start // SIDE, part.stop // SIDE) for part in (rows, columns)]
                files.append(
                    self._mapped(image, quality, two_regions(_tile(self.picture.weights, *blocks), is_tile=True))
                )
            else:
                files.append(saved(image, "AVIF", quality=quality, **self._options))
        height, width = pixels.shape[:2]
        return joined(files, grid, (height, width))

    def _is_steered(self, data: bytes) -> bool:
        """Return whether a file's errors lie where nobody looks more than those of the plain file do."""
        if self._plain_ratio is None and self._plain is not None:
            self._plain_ratio = _ratio(self.errors(self._plain))
        return _ratio(self.errors(data)) < (self._plain_ratio or 1.0)

    def _mapped(self, image: Image.Image, quality: int, values: FloatMap) -> bytes:
        with map_of(values) as advanced:
            return saved(image, "AVIF", quality=quality, advanced=advanced, **self._options)


def _tile(values: npt.NDArray[Number], rows: slice, columns: slice) -> npt.NDArray[Number]:
    """Return a part of values, (n, m) or (n, m, C); what lies beyond their end is as the end is."""
    part = values[rows, columns]
    below, right = (side.stop - side.start - length for side, length in zip((rows, columns), part.shape, strict=False))
    return np.pad(part, ((0, below), (0, right), *((0, 0) for _ in part.shape[2:])), mode="edge")


def _ratio(errors: Errors) -> float:
    return errors.weighted / errors.plain if errors.plain > 0 else 0.0


@contextmanager
def map_of(values: FloatMap) -> Iterator[dict[str, str]]:
    """Yield libaom's options for a map of a number for each 16 x 16 pixels; its file is there within the block."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rates.txt")
        np.savetxt(path, values, "%.3f")
        yield {
            "deltaq-mode": "3",
            "enable-rate-guide-deltaq": "1",
            "rate-distribution-info": str(path),
            "sb-size": "64",  # quantizers are chosen for each superblock: the smaller the closer to the map
        }


def rates(weights: FloatMap, strength: float) -> FloatMap:
    """Return how many bits each 16 x 16 pixels may have, of weights of 8 x 8: (ceil(h / 2), ceil(w / 2)) float32."""
    means = block_means(weights, _BOTH) ** strength
    return np.asarray(_BITS * means / means.mean(), np.float32)


def two_regions(weights: FloatMap, *, is_tile: bool = False) -> FloatMap:
    """Return a map of two regions, superblocks that get more than the mean attention and others: as `rates` are.

    libaom divides what it takes the whole picture's bits to be by the sum of the map, to bring that to its own scale.
    It adds them up in 32 bits, which those of a large picture go beyond: what comes of it has any size and any sign. So
    here the numbers of both regions, whole ones, add up to 0: divided by that they are infinite, which libaom cuts off.
    The first region becomes as fine as it makes any and the other coarse, or the other way round if the sign is wrong.
    Of a tile that would be one region, as where nobody looks, the last superblock is the other.
    """
    rows, columns = (-(-side // _BOTH) for side in weights.shape)
    is_finer = block_means(weights, _SUPERBLOCK) > 1
    if is_tile and (is_finer.all() or not is_finer.any()):
        is_finer[-1, -1] ^= True
    each = _SUPERBLOCK // _BOTH
    finer = is_finer.repeat(each, 0).repeat(each, 1)[:rows, :columns]
    count = int(finer.sum())
    return np.where(finer, finer.size - count, -count).astype(np.float32)


@cache
def takes_maps() -> bool:
    """Return whether the encoder that Pillow has takes a map."""
    try:
        with map_of(np.ones((1, 1), np.float32)) as advanced:
            saved(Image.new("RGB", (16, 16)), "AVIF", quality=50, advanced=advanced)
    except ValueError:  # no such option: an older libaom, or another encoder
        return False
    return True
