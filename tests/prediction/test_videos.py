"""Smoothing over time: of scores their mean, of log densities that of the densities."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.prediction.videos import _between

FIRST, SECOND = np.random.default_rng(0).random((2, 6, 8), np.float32) + 0.1


def test_scores():
    np.testing.assert_allclose(_between(FIRST, SECOND, 0.7, "score"), 0.7 * FIRST + 0.3 * SECOND, rtol=1e-6)


def test_log_densities():
    a, b = FIRST / FIRST.sum(), SECOND / SECOND.sum()
    found = _between(np.log(a), np.log(b), 0.7, "log_density")
    np.testing.assert_allclose(np.exp(found), 0.7 * a + 0.3 * b, rtol=1e-5)
    assert np.exp(found.astype(float)).sum() == pytest.approx(1, abs=1e-6)
