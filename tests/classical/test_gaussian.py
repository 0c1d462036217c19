"""The centred Gaussian against SciPy's normal density."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from salbox.classical.gaussian import gaussian


def offsets(n: int) -> np.ndarray:
    return np.arange(-n / 2, n / 2) if n % 2 == 0 else np.arange(-(n - 1) / 2, (n + 1) / 2)


@pytest.mark.parametrize("shape", [(6, 8), (7, 9), (1, 1), (1, 10), (60, 81)])
@pytest.mark.parametrize("is_square", [False, True])
def test_is_the_product_of_two_normal_densities(shape, is_square):
    height, width = shape
    sigma = 0.25
    s_y, s_x = (sigma * max(shape),) * 2 if is_square else (sigma * height, sigma * width)
    expected = np.outer(norm.pdf(offsets(height), scale=s_y), norm.pdf(offsets(width), scale=s_x))
    saliency = gaussian(np.zeros((*shape, 3), np.uint8), sigma=sigma, is_square=is_square)
    np.testing.assert_allclose(saliency, expected, rtol=1e-6)


def test_sums_to_one_where_the_image_holds_it():
    assert gaussian(np.zeros((300, 400, 3), np.uint8)).sum() == pytest.approx(1, abs=1e-5)
