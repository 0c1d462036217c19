"""Fixations as arrays of positions, as most people hold them."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.datasets import Fixations, fixation_counts, fixation_density, fixation_map
from salbox.errors import UsageError
from salbox.metrics import auc, auc_borji, auc_judd, ig, ll, nss, sauc

SHAPE = (20, 30)
RANDOM = np.random.default_rng(3)
POINTS = RANDOM.uniform((0, 0), SHAPE[::-1], (12, 2))
SET = Fixations(x=POINTS[:, 0], y=POINTS[:, 1])
MAP = RANDOM.random(SHAPE)
LOG_DENSITY = np.log(MAP / MAP.sum())


@pytest.mark.parametrize("metric", [nss, auc, auc_judd, auc_borji])
@pytest.mark.parametrize(
    "points", [POINTS, POINTS.tolist(), POINTS.astype(np.float32)], ids=["array", "list", "single"]
)
def test_an_array_is_as_good_as_a_set(metric, points):
    assert metric(MAP, points) == metric(MAP, SET)


def test_those_with_further_arguments_too():
    assert sauc(MAP, POINTS, POINTS[::2]) == sauc(MAP, SET, SET[np.arange(0, 12, 2)])
    assert ll(LOG_DENSITY, POINTS) == ll(LOG_DENSITY, SET)
    uniform = np.full(SHAPE, -np.log(MAP.size))
    assert ig(LOG_DENSITY, POINTS, uniform) == ig(LOG_DENSITY, SET, uniform)


def test_densities_and_maps_of_an_array():
    np.testing.assert_array_equal(fixation_counts(POINTS, SHAPE), fixation_counts(SET, SHAPE))
    np.testing.assert_array_equal(fixation_map(POINTS.tolist(), SHAPE), fixation_map(SET, SHAPE))
    np.testing.assert_array_equal(fixation_density(POINTS, SHAPE, 2), fixation_density(SET, SHAPE, 2))


def test_x_stands_first():
    grid = np.zeros((4, 9))
    grid[1, 7] = 1
    assert nss(grid, [[7, 1]]) > 5
    with pytest.raises(UsageError, match=r"1 of 1 fixations lie outside .* x in its first column"):
        nss(grid, [[1, 7]])


@pytest.mark.parametrize("points", [np.zeros((4, 3)), np.zeros(4), [[1, np.nan]], "here", [[1], [2, 3]]])
def test_what_is_no_array_of_positions(points):
    with pytest.raises(UsageError, match=r"expected finite positions \(N, 2\)"):
        nss(MAP, points)


def test_none_at_all():
    with pytest.raises(UsageError, match="no fixations on this image"):
        nss(MAP, [])
    with pytest.raises(UsageError, match="no negatives"):
        sauc(MAP, POINTS, [])
    with pytest.raises(UsageError, match=r"fixations of shape \(3,\)"):
        fixation_density([1.0, 2.0, 3.0], SHAPE, 2)
