"""A bank of complex Gabor filters that tile the frequency plane, defined and applied there.

The parametrisation is that of Ilonen, Kamarainen and Kälviäinen (Efficient computation of Gabor features, Lappeenranta
University of Technology, 2005): neighbouring filters cross at a given height, which fixes the widths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.fft

from ..types import FloatMap


@dataclass(frozen=True)
class GaborBank:
    """Filters at frequencies max_frequency / ratio^i and orientations pi o / orientations.

    Attributes
    ----------
    frequencies, orientations : int
    max_frequency : float
        Cycles a pixel.
    ratio : float
        Of neighbouring frequencies (k).
    overlap : float
        Height at which neighbouring filters cross (p).
    energy : float
        Share of a filter's energy that is kept: what lies outside an ellipse in the frequency plane is cut off.
    """

    frequencies: int
    orientations: int
    max_frequency: float
    ratio: float = math.sqrt(2)
    overlap: float = 0.5
    energy: float = 0.99

    @property
    def sharpness_along(self) -> float:
        """Width of the envelope along the wave, in periods (gamma)."""
        return math.sqrt(-math.log(self.overlap)) / math.pi * (self.ratio + 1) / (self.ratio - 1)

    @property
    def sharpness_across(self) -> float:
        """Width of the envelope across the wave, in periods (eta), the tangent taken as its angle."""
        return math.sqrt(-math.log(self.overlap)) / math.pi / (math.pi / (2 * self.orientations))

    @property
    def reach(self) -> int:
        """Pixels after which the widest envelope has fallen to 1 - energy."""
        periods = max(self.sharpness_along, self.sharpness_across) * math.sqrt(-math.log(1 - self.energy))
        return math.ceil(periods * self.ratio ** (self.frequencies - 1) / self.max_frequency)

    def magnitudes(self, values: FloatMap) -> npt.NDArray[np.float32]:
        """Return the magnitude of each filter's response: (frequencies, orientations, h, w) float32.

        Parameters
        ----------
        values : (h, w) float32
            Of zero mean: outside it counts as zero, far enough that opposite borders do not see each other.
        """
        height, width = values.shape
        shape = (scipy.fft.next_fast_len(height + self.reach), scipy.fft.next_fast_len(width + self.reach))
        spectrum = scipy.fft.fft2(values, s=shape)
        out = np.empty((self.frequencies, self.orientations, height, width), np.float32)
        wide = np.zeros((height, shape[1]), np.complex64)
        for scale in range(self.frequencies):
            for o in range(self.orientations):
                columns, transfer = _passband(self, scale, o, shape)
                wide[:, columns] = scipy.fft.ifft(spectrum[:, columns] * transfer, axis=0)[:height]
                np.abs(scipy.fft.ifft(wide, axis=1)[:, :width], out=out[scale, o])
                wide[:, columns] = 0
        return out

    def transfer(self, scale: int, orientation: int, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
        """Return a filter in the frequency plane, in the order of `fftfreq`: (h, w) float64, peak 1."""
        frequency = self.max_frequency / self.ratio**scale
        angle = math.pi * orientation / self.orientations
        down = scipy.fft.fftfreq(shape[0])[:, None]
        right = scipy.fft.fftfreq(shape[1])
        along = right * math.cos(angle) + down * math.sin(angle)
        across = down * math.cos(angle) - right * math.sin(angle)
        offset = np.hypot(self.sharpness_along * (along - frequency), self.sharpness_across * across)
        exponents = (np.pi / frequency * offset) ** 2
        # Inside the ellipse where the exponent is below e lies the share 1 - exp(-2 e) of a Gaussian's energy.
        inside = exponents <= -math.log(1 - self.energy) / 2
        return np.where(inside, np.exp(-exponents), 0.0)


@lru_cache(maxsize=96)
def _passband(
    bank: GaborBank, scale: int, orientation: int, shape: tuple[int, int]
) -> tuple[npt.NDArray[np.intp], FloatMap]:
    """Return the columns of the frequency plane where a filter is not zero, and the filter there: (h, columns)."""
    transfer = bank.transfer(scale, orientation, shape)
    columns = np.flatnonzero(transfer.any(axis=0))
    return columns, transfer[:, columns].astype(np.float32)
