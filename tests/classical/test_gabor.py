"""Gabor energy against a direct convolution and the properties of the filters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

from salbox.classical._gabor import gabor_energy, gabor_kernel


def energy(plane, angles):
    with ThreadPoolExecutor(2) as pool:
        return gabor_energy(plane, angles, pool)


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 135])
def test_kernels(angle):
    for phase, sign in ((0, 1), (90, -1)):
        kernel = gabor_kernel(angle, phase)
        assert kernel.shape == (27, 27)
        assert kernel.sum() == pytest.approx(0, abs=1e-12)
        assert (kernel**2).sum() == pytest.approx(1)
        np.testing.assert_allclose(kernel[::-1, ::-1], sign * kernel, atol=1e-12)
    np.testing.assert_allclose(gabor_kernel(angle + 90, 0), np.rot90(gabor_kernel(angle, 0)), atol=1e-12)


def test_kernel_by_hand():
    """Bars lie flat at 0 degrees: two pixels down the wave has turned by 4 radians under a Gaussian of sigma 2."""
    kernel = gabor_kernel(0, 0)
    offset = kernel[0, 0]  # far out nothing is left but the mean that was taken off
    ratio = (kernel[15, 13] - offset) / (kernel[13, 13] - offset)
    assert ratio == pytest.approx(np.cos(4) * np.exp(-0.5), abs=1e-5)
    assert (kernel[13, 17] - offset) / (kernel[13, 13] - offset) == pytest.approx(np.exp(-0.5), abs=1e-5)


@pytest.mark.parametrize("shape", [(40, 51), (5, 3), (1, 1)])
def test_equals_a_direct_convolution(shape):
    plane = np.random.default_rng(4).random(shape).astype(np.float32)
    angles = (0.0, 45.0, 100.0)
    expected = [
        sum(np.abs(ndimage.convolve(plane.astype(np.float64), gabor_kernel(a, p), mode="nearest")) for p in (0, 90))
        for a in angles
    ]
    np.testing.assert_allclose(energy(plane, angles), expected, atol=1e-13)


def test_stripes_answer_in_their_own_direction():
    """At 45 degrees bars run from the upper left to the lower right."""
    y, x = np.mgrid[:60, :60]
    for angle, wave in ((0, y), (90, x), (45, (y - x) / np.sqrt(2)), (135, (y + x) / np.sqrt(2))):
        strength = energy(np.cos(2 * wave).astype(np.float32), (0.0, 45.0, 90.0, 135.0)).mean(axis=(1, 2))
        assert np.argmax(strength) == (0, 45, 90, 135).index(angle)
        assert strength.max() > 4 * np.sort(strength)[-2]
