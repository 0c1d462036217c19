"""Fixations drawn from a density."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import salbox
from salbox.models.model import Model

CARD = replace(salbox.card("gaussian"), output="log_density", parameters=())


def density_model(density: np.ndarray) -> Model:
    with np.errstate(divide="ignore"):
        log_density = np.maximum(np.log(density / density.sum()), -1e4)
    return Model(CARD, lambda image: log_density, {})


def test_pixels_are_drawn_as_often_as_the_density_says():
    density = np.array([[1.0, 0.0, 3.0], [0.0, 6.0, 0.0]])
    drawn = density_model(density).sample(np.zeros((2, 3, 3), np.uint8), 20_000, seed=1)
    counts = np.zeros(density.shape)
    np.add.at(counts, (drawn[:, 1], drawn[:, 0]), 1)
    assert (counts[density == 0] == 0).all()
    # Five standard deviations of a binomial distribution.
    assert np.abs(counts / 20_000 - density / 10).max() < 5 * np.sqrt(0.25 / 20_000)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 50), st.integers(0, 5))
def test_fixations_lie_in_the_image_and_follow_from_the_seed(height, width, count, seed):
    model = density_model(np.random.default_rng(seed).random((height, width)) + 1e-3)
    image = np.zeros((height, width, 3), np.uint8)
    drawn = model.sample(image, count, seed)
    assert drawn.shape == (count, 2)
    assert drawn.dtype == np.int64
    assert ((drawn >= 0) & (drawn < [width, height])).all()
    assert np.array_equal(drawn, model.sample(image, count, seed))


def test_other_seeds_draw_others():
    model = density_model(np.ones((50, 50)))
    image = np.zeros((50, 50, 3), np.uint8)
    assert not np.array_equal(model.sample(image, 20, 0), model.sample(image, 20, 1))


def test_a_generator_is_drawn_from_and_none_is_another_each_time():
    model, image = density_model(np.ones((50, 50))), np.zeros((50, 50, 3), np.uint8)
    generator = np.random.default_rng(3)
    first, second = model.sample(image, 20, generator), model.sample(image, 20, seed=generator)
    assert np.array_equal(first, model.sample(image, 20, 3))
    assert not np.array_equal(first, second)
    assert not np.array_equal(model.sample(image, 20, None), model.sample(image, 20, None))


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8])
def test_whole_numbers_of_any_kind(kind):
    model, image = density_model(np.ones((5, 5))), np.zeros((5, 5, 3), np.uint8)
    assert np.array_equal(model.sample(image, kind(4), kind(2)), model.sample(image, 4, 2))


@pytest.mark.parametrize("count", [5.0, 1.5, "5", True, np.True_, None, -1, [5]])
def test_what_is_no_count(count):
    with pytest.raises(salbox.UsageError, match=r"^count=.*: expected a whole number, at least 0$"):
        density_model(np.ones((2, 2))).sample(np.zeros((2, 2, 3), np.uint8), count)


@pytest.mark.parametrize("seed", [5.0, "5", True, -1, [1, 2], np.random.RandomState(0)])
def test_what_is_no_seed(seed):
    with pytest.raises(salbox.UsageError, match=r"^seed=.*: expected a whole number, at least 0, a Generator or None$"):
        density_model(np.ones((2, 2))).sample(np.zeros((2, 2, 3), np.uint8), 1, seed)


def test_what_cannot_be_drawn_from():
    with pytest.raises(salbox.UsageError, match="gives a score, not a density"):
        salbox.load("gaussian").sample(np.zeros((4, 4, 3), np.uint8), 3)
