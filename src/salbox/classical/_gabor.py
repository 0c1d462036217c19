"""Oriented energy: Gabor filters in quadrature, by Fourier transform."""

from __future__ import annotations

from concurrent.futures import Executor
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import scipy.fft

Map64 = npt.NDArray[np.float64]

SIGMA_ALONG_WAVE, SIGMA_ACROSS = 2.0, 4.0  # pixels of the level
FREQUENCY = 2.0  # radians a pixel: a period of pi
RADIUS = 13  # ceil(SIGMA_ACROSS * sqrt(10)): kernels of 27 x 27


def gabor_kernel(angle: float, phase: float) -> Map64:
    """Return a Gabor filter of zero mean and unit L2 norm: (27, 27) float64.

    Parameters
    ----------
    angle : float
        Direction of the bars in degrees: 0 is horizontal, growing clockwise.
    phase : float
        Degrees; 0 is even, 90 odd.
    """
    y, x = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    wave, bar = y * cos - x * sin, y * sin + x * cos
    envelope = np.exp(-(wave**2) / (2 * SIGMA_ALONG_WAVE**2) - bar**2 / (2 * SIGMA_ACROSS**2))
    kernel = np.cos(FREQUENCY * wave + np.deg2rad(phase)) * envelope
    kernel -= kernel.mean()
    return kernel / np.linalg.norm(kernel)


@lru_cache(maxsize=32)
def _spectrum(angle: float, shape: tuple[int, int]) -> npt.NDArray[np.complex128]:
    """Return the spectrum of the filters of one angle, both phases as one: even the real part, odd the imaginary."""
    spectrum = scipy.fft.fft2(gabor_kernel(angle, 0) + 1j * gabor_kernel(angle, 90), shape)
    spectrum.flags.writeable = False
    return spectrum


def gabor_energy(plane: npt.NDArray[np.float32], angles: tuple[float, ...], pool: Executor) -> Map64:
    """Return |even response| + |odd response| for every angle: (angles, H, W) float64.

    Parameters
    ----------
    plane : (H, W) float32
        Its border samples are repeated outwards.
    angles : tuple of float
        Degrees.
    pool : Executor
        The angles are shared out over it.
    """
    height, width = plane.shape
    padded = cv2.copyMakeBorder(plane, RADIUS, RADIUS, RADIUS, RADIUS, cv2.BORDER_REPLICATE).astype(np.float64)
    # The circular convolution wraps around in the first 26 rows and columns, which are none of the result.
    shape = (scipy.fft.next_fast_len(padded.shape[0]), scipy.fft.next_fast_len(padded.shape[1]))
    spectrum = scipy.fft.fft2(padded, shape)
    energy = np.empty((len(angles), height, width))

    def respond(index: int) -> None:
        response = scipy.fft.ifft2(spectrum * _spectrum(angles[index], shape), overwrite_x=True)
        valid = response[2 * RADIUS : 2 * RADIUS + height, 2 * RADIUS : 2 * RADIUS + width]
        np.abs(valid.real, out=energy[index])
        energy[index] += np.abs(valid.imag)

    list(pool.map(respond, range(len(angles))))
    return energy
