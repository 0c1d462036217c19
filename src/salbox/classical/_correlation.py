"""Correlation of an image with many filters, tile by tile, through the Fourier transform.

A tile is small enough for the processor's cache, so the memory taken does not grow with the number of filters. All in
double precision: what AIM counts in bins and what SUN raises to a power shows the rounding of single precision.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import fft

from ..types import Pixels

TILE = 140  # positions along a side, at most; with a patch of 21 pixels a transform of 160, the fastest measured
TILES_PER_BLOCK = 32  # transformed and kept together: 20 MB

Array = npt.NDArray[np.float64]
Region = tuple[slice, slice]


class Block:
    """Some tiles of an image, transformed, ready to be correlated with filters.

    Parameters
    ----------
    image : (H, W, 3) uint8
    regions : list of two slices
        The positions of each tile: where patches have their first row and column.
    side : int
        Side of a patch.
    shape : (int, int)
        Size of the transform, at least that of a tile plus `side` - 1.
    """

    def __init__(self, image: Pixels, regions: list[Region], side: int, shape: tuple[int, int]) -> None:
        self._regions = regions
        self._shape = shape
        self._spectra = np.empty((len(regions), 3, shape[0], shape[1] // 2 + 1), np.complex128)
        for spectrum, (rows, columns) in zip(self._spectra, regions, strict=True):
            tile = image[rows.start : rows.stop + side - 1, columns.start : columns.stop + side - 1]
            spectrum[:] = fft.rfft2(tile.transpose(2, 0, 1).astype(np.float64), s=shape)

    def responses(self, kernel: Array) -> Iterator[tuple[Region, Array]]:
        """Yield each tile's region and the inner products of its patches, values 0..255, with a kernel (3, K, K)."""
        # Correlation is multiplication with the conjugate. Its circular part stays out of the region.
        transfer = np.conj(fft.rfft2(kernel, s=self._shape))
        total, product = np.empty_like(transfer[0]), np.empty_like(transfer[0])
        for (rows, columns), spectrum in zip(self._regions, self._spectra, strict=True):
            np.multiply(spectrum[0], transfer[0], out=total)
            for channel in (1, 2):
                np.multiply(spectrum[channel], transfer[channel], out=product)
                total += product
            response = fft.irfft2(total, s=self._shape, overwrite_x=True)
            yield (rows, columns), response[: rows.stop - rows.start, : columns.stop - columns.start]


def blocks(image: Pixels, side: int, tile: int = TILE) -> Iterator[Block]:
    """Yield blocks whose tiles together hold every position of a patch within the image, (H-side+1, W-side+1), once."""
    tile = max(tile, 2 * side)  # below that the overlap of the tiles is most of the work
    rows, columns = (_split(length - side + 1, tile) for length in image.shape[:2])
    shape = tuple(fft.next_fast_len(part[0].stop + side - 1, real=True) for part in (rows, columns))
    regions = [(r, c) for r in rows for c in columns]
    for first in range(0, len(regions), TILES_PER_BLOCK):
        yield Block(image, regions[first : first + TILES_PER_BLOCK], side, (shape[0], shape[1]))


def _split(length: int, longest: int) -> list[slice]:
    """Return slices of nearly equal length that cover 0..length; the first is the longest."""
    step = -(-length // -(-length // longest))
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]
