"""The way of a window through a video: the best of all, smooth, each shot for itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from salbox.apps._path import HASTE, best_way, shots, smoothed


def cost(way: tuple[int, ...], scores: np.ndarray, places: np.ndarray, times: np.ndarray) -> float:
    """Return what a way costs, by the formula."""
    dt = np.diff(times)
    weights = np.append(dt, dt[-1])
    moves = HASTE * np.diff(places[list(way)]) ** 2 / dt
    return float(moves.sum() - (scores[np.arange(len(way)), list(way)] * weights).sum())


@pytest.mark.parametrize("seed", range(4))
def test_no_other_way_is_better(seed):
    random = np.random.default_rng(seed)
    scores, places = random.random((5, 4)), np.linspace(0, 0.6, 4)
    times = np.cumsum(random.uniform(0.1, 0.6, 5))
    way = best_way(scores, places, times)
    best = min(cost(w, scores, places, times) for w in itertools.product(range(4), repeat=5))
    assert cost(tuple(way), scores, places, times) == pytest.approx(best, abs=1e-12)


def test_a_short_flicker_is_not_followed():
    scores = np.tile([1.0, 0.0], (20, 1))
    scores[10] = [0.9, 1.0]
    assert set(best_way(scores, np.array([0.0, 0.5]), np.arange(20) / 5)) == {0}
    scores[10:] = [0.0, 1.0]
    assert best_way(scores, np.array([0.0, 0.5]), np.arange(20) / 5)[-1] == 1


def test_one_look_is_a_way():
    assert best_way(np.array([[0.1, 0.5, 0.2]]), np.array([0.0, 0.1, 0.2]), np.array([3.0])).tolist() == [1]


def test_shots_end_where_much_changes():
    assert shots(np.array([0.0, 1, 2, 60, 1, 2])).tolist() == [0, 0, 0, 1, 1, 1]
    assert set(shots(np.full(9, 50.0))) == {0}  # a flicker all along is none


def test_a_smoothed_way_has_no_leaps_and_stays_where_it_stood():
    times = np.arange(50) / 25
    found = smoothed(np.array([0.0, 0, 100, 100]), np.array([0.0, 0.9, 1.1, 2.0]), times, 25.0)
    assert np.abs(np.diff(found)).max() < 10
    assert (np.diff(found) >= -1e-9).all()
    np.testing.assert_allclose(smoothed(np.array([7.0]), np.array([0.0]), times, 25.0), 7)
