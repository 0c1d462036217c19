"""`gaze`, the model that ships: a density, whatever the picture's shape, with a prior that can be taken out."""

from __future__ import annotations

import inspect
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import salbox
from salbox.errors import UsageError
from salbox.models.exported import packaged
from salbox.models.profile_files import find_profile, read_profile
from salbox.models.profiles import VIEWS
from salbox.models.registry import GAZE, GAZE_LARGE, SHIPPED
from salbox.runtime.gaze import GazePredictor, log_center
from salbox.runtime.network import open_network

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


@pytest.mark.parametrize("quality", ["multiscale", "best"])
def test_several_looks_are_a_density_of_their_own(photo, quality):
    fast, several = (salbox.load("gaze", quality=chosen)(photo) for chosen in ("fast", quality))
    assert total(several) == pytest.approx(1, abs=1e-3)
    assert 0.9 < np.corrcoef(np.exp(fast).ravel(), np.exp(several).ravel())[0, 1] < 1


def test_best_sees_a_mirrored_picture_as_the_picture(photo):
    best, mirrored = (salbox.load("gaze", quality="best")(pixels) for pixels in (photo, photo[:, ::-1]))
    np.testing.assert_allclose(mirrored[:, ::-1], best, atol=1e-3)


@pytest.mark.parametrize(
    ("model", "file", "given", "ways"),
    [
        ("gaze", GAZE, {"quality": "best"}, (1, -1)),
        ("gaze", GAZE, {"quality": "multiscale"}, (1,)),
        ("gaze.large", GAZE_LARGE, {}, (1,)),
    ],
)
def test_several_looks_are_the_mean_of_densities_at_three_sizes(photo, model, file, given, ways):
    """Computed again with the network itself, its size given by hand."""
    network = open_network(packaged(file), threads=1)
    size = network.metadata.preprocessing
    looks = []
    for scale in (0.75, 1.0, 1.5):
        scaled = replace(size, height=int(size.height * scale), width=int(size.width * scale))
        for way in ways:
            (log,) = network.maps([np.ascontiguousarray(photo[:, ::way])], preprocessing=scaled)[0].values()
            looks.append(np.exp(log[:, ::way].astype(np.float64)))
    found = np.exp(salbox.load(model, **given)(photo).astype(np.float64))
    np.testing.assert_allclose(found, np.mean(looks, axis=0), rtol=1e-3, atol=1e-9)


def test_an_image_that_spans_less_is_looked_at_smaller_and_its_density_is_broader(photo):
    def spread(**view):
        density = salbox.load("gaze", **view)(photo).astype(np.float64)
        return -(np.exp(density) * density).sum()

    plain = salbox.load("gaze")(photo)
    np.testing.assert_array_equal(salbox.load("gaze", view="lab")(photo), plain)
    np.testing.assert_allclose(salbox.load("gaze", ppd=512 / 29.3)(photo), plain, atol=1e-5)
    assert spread(view="phone") > spread()
    half = salbox.load("gaze", ppd=2 * 512 / 29.3)(photo)
    np.testing.assert_array_equal(half, salbox.load("gaze", view="phone")(photo))  # no smaller than half


def test_a_profile_s_blur_is_scaled_beside_the_look(photo):
    lab, phone = (salbox.load("gaze", profile="mit1003", view=view)(photo) for view in ("lab", "phone"))
    worn = salbox.load("gaze", profile="mit1003")(photo)
    np.testing.assert_allclose(lab, worn, atol=0.05)  # mit1003 knows 29.26 degrees
    profile, smaller = read_profile(find_profile("mit1003", "gaze")[1]), salbox.load("gaze", view="phone")(photo)
    np.testing.assert_allclose(phone, profile.log_density(smaller, VIEWS["phone"]), atol=1e-5)
    assert np.abs(phone - profile.log_density(smaller)).max() > 0.02


def test_a_profile_without_blur_needs_no_angle_of_its_own(photo):
    worn = salbox.load("gaze", profile="general", view="phone")(photo)
    np.testing.assert_allclose(worn, salbox.load("gaze", view="phone")(photo), atol=1e-5)


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
    assert [p.name for p in card.parameters] == ["center_prior", "quality", "ppd", "view"]
    for word in ("OSIE", "EyeCrowd", "DUTS-TR", "coco-semantic", "MIT1003", "Judd et al."):
        assert word in card.license.training_data
    assert "IG" in card.agreement


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
    [
        ({"quality": "better"}, "quality"),
        ({"view": "cinema"}, "view"),
        ({"ppd": -1.0}, "ppd"),
        ({"center_prior": -1.0}, "center_prior"),
        ({"centre": 1}, "center_prior"),
    ],
)
def test_what_does_not_fit_is_refused(values, message):
    with pytest.raises(UsageError, match=message):
        salbox.load("gaze", **values)
