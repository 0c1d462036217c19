"""Scanpaths drawn from a density: the next fixation's density computed again, and what is drawn from it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import salbox
from salbox.errors import UsageError
from salbox.models.model import Model
from salbox.models.scanpath_model import DensityScanpathModel, ScanpathModel
from salbox.models.scanpaths import (
    EARLIER_NODES,
    LAST_NODES,
    Saccades,
    find_saccades,
    saccades_from_json,
    saccades_to_json,
    shipped_saccades,
)

CARD = replace(salbox.card("gaussian"), output="log_density", parameters=())
SHAPE = (60, 100)
OWN = Saccades(0.7, (3.0, 2.5, 2.0, 1.5, 1.0, 0.6, 0.3, 0.1), (-2.0, -1.0, -0.5, 0.2), (-1.0, -0.4, 0.1, 0.0))
PLAIN = Saccades(1.0, (0.0,) * 8, (0.0,) * 4, (0.0,) * 4)


def uneven():
    values = np.random.default_rng(0).random(SHAPE) + 0.1
    return np.log(values / values.sum())


def test_the_next_density_is_what_the_formula_says():
    density = uneven()
    places = np.array([(10.5, 20.5), (80.0, 5.0), (50.5, 30.5), (60.5, 40.5)])
    expected = 0.7 * density
    for y in range(SHAPE[0]):
        for x in range(SHAPE[1]):
            far = [np.hypot(x + 0.5 - a, y + 0.5 - b) / 100 for a, b in places]
            expected[y, x] += np.interp(far[3], LAST_NODES, [*OWN.last, 0])
            expected[y, x] += np.interp(far[2], EARLIER_NODES, [*OWN.previous, 0])
            expected[y, x] += sum(np.interp(d, EARLIER_NODES, [*OWN.earlier, 0]) for d in far[:2])
    expected -= np.log(np.exp(expected).sum())
    found = OWN.next_log_density(density, places)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.dtype == np.float32


def test_a_large_image_is_weighed_on_a_smaller_copy():
    small, large = OWN.weights((75, 100), [(20, 30)]), OWN.weights((750, 1000), [(200, 300)])
    np.testing.assert_allclose(large[5::10, 5::10], small, atol=0.1)


def test_without_a_fixation_yet_one_comes_from_the_middle():
    np.testing.assert_array_equal(OWN.weights(SHAPE, np.zeros((0, 2))), OWN.weights(SHAPE, [(50, 30)]))


def test_saccades_without_weights_leave_the_density():
    np.testing.assert_allclose(PLAIN.next_log_density(uneven(), [(3, 4), (5, 6)]), uneven(), atol=1e-5)


def test_one_does_not_stay_where_one_does_not_return():
    away = Saccades(1.0, (-50.0, -50.0, -50.0, -50.0, 0, 0, 0, 0), (0.0,) * 4, (0.0,) * 4)
    path = away.sample(np.full(SHAPE, -np.log(6000)), 40, np.random.default_rng(1))
    assert (np.hypot(*np.diff(path, axis=0).T) > 0.07 * 100).all()


def test_a_model_draws_a_scanpath():
    density = uneven().astype(np.float32)
    model = Model(CARD, lambda image: density, {})
    image = np.zeros((*SHAPE, 3), np.uint8)
    path = model.sample(image, 6, seed=3, scanpath=True, saccades=OWN)
    np.testing.assert_array_equal(path, OWN.sample(density, 6, np.random.default_rng(3)))
    assert not np.array_equal(path, model.sample(image, 6, seed=3))
    paths = DensityScanpathModel(model, OWN).sample(image, length=6, count=3, seed=3)
    assert paths.shape == (3, 6, 2)
    np.testing.assert_array_equal(paths[0], path)
    assert model.sample(image, 0, scanpath=True).shape == (0, 2)


def test_a_density_is_computed_once_an_image():
    calls = []
    model = Model(CARD, lambda image: calls.append(1) or uneven().astype(np.float32), {})
    following = DensityScanpathModel(model, OWN)
    assert isinstance(following, ScanpathModel)
    images = [np.full((*SHAPE, 3), value, np.uint8) for value in (1, 2)]
    for image in (*images[:1] * 3, *images[1:] * 2):
        following.conditional_log_density(image, [4.0], [5.0])
    assert len(calls) == 2


def test_what_ships_is_read_and_holds_what_a_file_can():
    assert set(shipped_saccades()) == {"general", "osie", "mit1003"}
    for saccades in shipped_saccades().values():
        assert saccades.density > 0.3
        assert saccades_from_json(json.loads(json.dumps(saccades_to_json(saccades)))) == saccades
    assert find_saccades(OWN) is OWN


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="expected 8"):
        Saccades(1.0, (0.0,), (0.0,) * 4, (0.0,) * 4)
    with pytest.raises(UsageError, match="expected numbers"):
        Saccades(np.nan, (0.0,) * 8, (0.0,) * 4, (0.0,) * 4)
    with pytest.raises(UsageError, match="one of general"):
        find_saccades("nobody")
    model = Model(CARD, lambda image: uneven().astype(np.float32), {})
    with pytest.raises(UsageError, match="one of general"):
        model.sample(np.zeros((*SHAPE, 3), np.uint8), 3, scanpath=True, saccades="nobody")
    with pytest.raises(UsageError, match="at least 0"):
        DensityScanpathModel(model, OWN).sample(np.zeros((*SHAPE, 3), np.uint8), length=-1)
