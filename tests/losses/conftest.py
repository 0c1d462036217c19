"""Random logits and what losses compare them with: 2 pictures, 3 heads, 5x7 pixels, double precision."""

from __future__ import annotations

import numpy as np
import pytest

SHAPE = (2, 3, 5, 7)


@pytest.fixture
def logits():
    return pytest.importorskip("torch").from_numpy(np.random.default_rng(0).normal(0, 2, SHAPE))


@pytest.fixture
def target():
    return pytest.importorskip("torch").from_numpy(np.random.default_rng(1).random(SHAPE))


@pytest.fixture
def fixations():
    """Counts, with pixels that several people looked at."""
    counts = np.random.default_rng(2).poisson(0.5, SHAPE).astype(float)
    assert (counts.sum(axis=(2, 3)) > 0).all()
    assert counts.max() > 1
    return pytest.importorskip("torch").from_numpy(counts)


@pytest.fixture
def valid():
    return pytest.importorskip("torch").ones(SHAPE[:2]).bool()
