"""EMD by hand, in one dimension against SciPy's closed form, in two against its own linear program."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from salbox.errors import UsageError
from salbox.metrics import emd


def test_one_shifted_point_by_hand():
    first, second = np.zeros((10, 10)), np.zeros((10, 10))
    first[1, 2], second[4, 6] = 1, 5
    assert emd(first, second, cell=1) == pytest.approx(5)
    assert emd(second, first, cell=1) == pytest.approx(5)
    first[4, 6] = 1  # half of it is there already
    assert emd(first, second, cell=1) == pytest.approx(2.5)


def test_one_row_equals_scipys_closed_form():
    rng = np.random.default_rng(1)
    first, second = rng.random((1, 40)), rng.random((1, 40))
    expected = stats.wasserstein_distance(np.arange(40), np.arange(40), first[0], second[0])
    assert emd(first, second, cell=1) == pytest.approx(expected, abs=1e-7)


@pytest.mark.skipif(not hasattr(stats, "wasserstein_distance_nd"), reason="SciPy before 1.13")
def test_two_dimensions_equal_scipys_full_program():
    rng = np.random.default_rng(4)
    first, second = rng.random((5, 6)), rng.random((5, 6)) ** 4
    positions = np.argwhere(np.ones((5, 6)))
    expected = stats.wasserstein_distance_nd(positions, positions, first.ravel(), second.ravel())
    assert emd(first, second, cell=1) == pytest.approx(expected, abs=1e-7)


def test_cells_are_sums_over_their_area():
    first, second = np.zeros((64, 96)), np.zeros((64, 96))
    first[10:20, 5:9], second[40:50, 70:90] = 1, 1
    assert emd(first, second) == pytest.approx(np.hypot(1, 2))
    assert emd(np.ones((20, 20)), np.eye(20)) == 0  # one cell


def test_zero_for_equal_maps_and_constants():
    rng = np.random.default_rng(6)
    saliency = rng.random((70, 90))
    assert emd(saliency, 3 * saliency, cell=10) == pytest.approx(0, abs=1e-9)
    assert emd(np.zeros((64, 64)), np.ones((64, 64)), cell=8) == pytest.approx(0, abs=1e-9)


def test_shapes_and_values_are_checked():
    with pytest.raises(UsageError, match="resize one first"):
        emd(np.ones((4, 5)), np.ones((5, 4)))
    with pytest.raises(UsageError, match="not finite"):
        emd(np.full((4, 5), np.nan), np.ones((4, 5)))
