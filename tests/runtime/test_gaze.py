"""`gaze`, the model that ships: a density, whatever the picture's shape, with a prior that can be taken out."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import salbox
from salbox.errors import UsageError
from salbox.models.exported import packaged
from salbox.models.registry import GAZE, SHIPPED
from salbox.runtime.gaze import GazePredictor, log_center

data = pytest.importorskip("skimage.data")

LARGEST = 6_000_000  # bytes, together with the students


@pytest.fixture(scope="module")
def photo():
    return data.astronaut()


def total(density) -> float:
    return float(np.exp(density.astype(np.float64)).sum())


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 99))
def test_a_density_for_every_image(height, width, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    gaze = salbox.load("gaze")
    density = gaze.log_density(image)
    assert density.shape == (height, width)
    assert density.dtype == np.float32
    assert total(density) == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(density, gaze(image))


def test_the_prior_is_what_it_says(photo):
    with_prior, without = (salbox.load("gaze", center_prior=weight)(photo) for weight in (1.0, 0.0))
    doubled = salbox.load("gaze", center_prior=2.0)(photo)
    first, second = with_prior - without, doubled - with_prior
    np.testing.assert_allclose(first - first.mean(), second - second.mean(), atol=1e-3)
    prior = log_center(*photo.shape[:2])
    assert np.corrcoef(first.ravel(), prior.ravel())[0, 1] > 0.999
    assert total(without) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("shape", [(512, 512), (300, 500), (500, 300), (150, 600)])
def test_a_face_is_where_it_is_in_pictures_of_any_shape(photo, shape):
    """The astronaut's face, put at the left or the top of a grey picture, is where the density is highest."""
    face = photo[20:220, 130:330]
    picture = np.full((*shape, 3), 128, np.uint8)
    side = min(140, *shape)
    small = face[:: -(-200 // side), :: -(-200 // side)]
    picture[: small.shape[0], : small.shape[1]] = small
    density = salbox.load("gaze", center_prior=0.0)(picture)
    y, x = np.unravel_index(density.argmax(), density.shape)
    assert y < small.shape[0] * 1.1
    assert x < small.shape[1] * 1.1


def test_best_is_a_density_of_its_own(photo):
    fast, best = (salbox.load("gaze", quality=quality)(photo) for quality in ("fast", "best"))
    assert total(best) == pytest.approx(1, abs=1e-3)
    assert 0.9 < np.corrcoef(np.exp(fast).ravel(), np.exp(best).ravel())[0, 1] < 1
    mirrored = salbox.load("gaze", quality="best")(photo[:, ::-1])
    np.testing.assert_allclose(mirrored[:, ::-1], best, atol=1e-3)


def test_fixations_are_drawn_where_the_density_is_high(photo):
    gaze = salbox.load("gaze")
    density, drawn = gaze.log_density(photo), gaze.sample(photo, 2000, seed=1)
    np.testing.assert_array_equal(drawn, gaze.sample(photo, 2000, seed=1))
    mean = density[drawn[:, 1], drawn[:, 0]].mean()
    expected = (np.exp(density.astype(np.float64)) * density).sum()
    assert mean == pytest.approx(expected, abs=0.15)


def test_the_card_names_data_and_terms():
    card = salbox.card("gaze")
    assert card.output == "log_density"
    assert [p.name for p in card.parameters] == ["center_prior", "quality"]
    for word in ("OSIE", "EyeCrowd", "DUTS-TR", "coco-semantic", "MIT", "glimpse: unknown"):
        assert word in card.license.training_data
    assert "information gain" in card.agreement


def test_the_card_states_the_network_s_parameters_and_defaults():
    taken = list(inspect.signature(GazePredictor.load(Path(packaged(GAZE))).__call__).parameters.values())[1:]
    assert {p.name: p.default for p in taken} == {p.name: p.default for p in salbox.card("gaze").parameters}


def test_it_is_sent_to_other_processes(photo):
    model = salbox.load("gaze", center_prior=0.5)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model.function))(photo, center_prior=0.5), model(photo))


def test_it_is_small_together_with_the_students():
    assert sum(Path(packaged(name)).stat().st_size for name in (GAZE, SHIPPED)) <= LARGEST


@pytest.mark.parametrize(
    ("values", "message"),
    [({"quality": "better"}, "quality"), ({"center_prior": -1.0}, "center_prior"), ({"centre": 1}, "center_prior")],
)
def test_what_does_not_fit_is_refused(values, message):
    with pytest.raises(UsageError, match=message):
        salbox.load("gaze", **values)
