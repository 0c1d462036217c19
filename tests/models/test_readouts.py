"""Readouts: a network's features weighed in a profile, the files that hold them, and models that wear one."""

from __future__ import annotations

import json
import pickle

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

import salbox
from salbox.errors import UsageError
from salbox.models.calibrated import wear
from salbox.models.model import Model
from salbox.models.profile_files import read_profile, write_profile
from salbox.models.profiles import Center, Profile, Tail
from salbox.models.readouts import SIDE, Look, Readout, looks_of, reduced, shown_by

NETWORK = "0123456789abcdef"


class Shown:
    """Shows how bright and how red an image is, and a density of the first."""

    shown = NETWORK

    def look(self, image, **_):
        bright = image.mean(axis=2).astype(np.float32) / 255
        log = bright - np.log(np.exp(bright.astype(float)).sum())
        features = np.stack([bright, image[..., 0].astype(np.float32) / 255])[:, ::2, ::2]
        return Look(log.astype(np.float32), np.ascontiguousarray(features))

    def __call__(self, image, **_):
        return self.look(image).log_density


@pytest.fixture
def model():
    card = salbox.models.cards.ModelCard("shown", task="fixation", output="log_density")
    return Model(card, Shown(), {})


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(data.chelsea()[:60, :80])


@pytest.fixture
def profile():
    readout = Readout(NETWORK, (0.0, 0.1), ((0.5, -1.0), (2.0, 0.25)))
    return Profile("log_density", Tail(1.5, 0.02, Center(0.5), 29.3), readout=readout)


def test_a_readout_by_hand():
    features = np.random.default_rng(0).normal(size=(3, 20, 30)).astype(np.float32)
    readout = Readout(NETWORK, (0.0, 0.1), ((1.0, 0.0, -2.0), (0.0, 3.0, 0.5)))
    blurred = gaussian_filter(features.astype(float), (0, 3, 3), mode="reflect")
    expected = features[0] - 2 * features[2] + 3 * blurred[1] + 0.5 * blurred[2]
    np.testing.assert_allclose(readout(features), expected, atol=2e-3)
    assert readout.at(features, (40, 60)).shape == (40, 60)
    large = np.repeat(np.repeat(features, 4, axis=1), 4, axis=2)  # 80 by 120
    assert reduced(large).shape == (3, 27, SIDE)
    assert reduced(large)[1].mean() == pytest.approx(float(features[1].mean()), abs=1e-5)


def test_what_a_worn_readout_gives(model, photo, profile):
    assert shown_by(model) == NETWORK
    look = looks_of(model)(photo)
    worn = wear(model, profile)
    added = cv2.resize(profile.readout(look.features), (80, 60), interpolation=cv2.INTER_LINEAR)
    by_hand = Profile("log_density", profile.tail).log_density(look.log_density + added)
    np.testing.assert_allclose(worn(photo), by_hand, atol=1e-4)
    assert np.exp(worn(photo).astype(float)).sum() == pytest.approx(1, abs=1e-4)
    with pytest.raises(UsageError, match="expected the features of its network"):
        profile.log_density(look.log_density)


def test_weights_of_another_network_are_refused(model, photo, profile):
    for readout, message in (
        (Readout("another", (0.0,), ((1.0, 1.0),)), "weighs the features of another network"),
        (Readout(NETWORK, (0.0,), ((1.0, 1.0, 1.0),)), "weights of 3 features; the network has 2"),
    ):
        with pytest.raises(UsageError, match=message):
            wear(model, Profile("log_density", readout=readout))(photo)
    with pytest.raises(UsageError, match="another network"):
        wear(salbox.load("gaze"), profile)


@pytest.mark.parametrize(
    ("blurs", "weights", "message"),
    [
        ((0.0,), ((1.0,), (2.0,)), "a row of weights a blur"),
        ((0.0, 0.1), ((1.0,), (2.0, 3.0)), "all of one length"),
        ((0.7,), ((1.0,),), "blurs of 0 to .5"),
        ((0.0,), ((float("nan"),),), "weights of at most 1,000,000 nats"),
        ((0.0,), ((1.0, -1e38),), "weights of at most 1,000,000 nats"),  # no number in single precision, times two
        ((), (), "a row of weights a blur"),
    ],
)
def test_what_is_no_readout(blurs, weights, message):
    with pytest.raises(UsageError, match=message):
        Readout(NETWORK, blurs, weights)


def test_files_keep_it_and_those_without_stay_as_they_were(tmp_path, profile):
    write_profile(tmp_path / "p.json", profile)
    assert read_profile(tmp_path / "p.json") == profile
    write_profile(tmp_path / "q.json", Profile("log_density", profile.tail))
    assert "readout" not in json.loads((tmp_path / "q.json").read_text())
    assert read_profile(tmp_path / "q.json").readout is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ([], "expected network, blurs and weights"),
        ({"network": 3, "blurs": [0], "weights": [[1]]}, "readout network"),
        ({"network": "x", "blurs": [0], "weights": 1}, "at most 8 rows"),
        ({"network": "x", "blurs": [0], "weights": [[]]}, "1 to 1024 numbers"),
        ({"network": "x", "blurs": [0], "weights": [["1"]]}, "expected a number"),
        ({"netwrok": "x"}, "did you mean 'network'"),
    ],
)
def test_bad_files_are_one_line(tmp_path, changed, message):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"format": "salbox profile", "version": 1, "reads": "log_density", "readout": changed}))
    with pytest.raises(UsageError, match=message) as raised:
        read_profile(path)
    assert "\n" not in str(raised.value)


def test_a_readout_is_for_a_density_s_features():
    readout = Readout(NETWORK, (0.0,), ((1.0,),))
    curve = salbox.models.curves.Curve((0, 1), (0, 1))
    with pytest.raises(UsageError, match="a log_density, without a curve"):
        Profile("score", curve=curve, readout=readout)


@pytest.mark.parametrize("name", ["gaze", "gaze.large"])
def test_what_ships_shows_its_features(name, photo, tmp_path):
    """The map beside them is the model's own; a readout of zeros changes nothing; the file is worn everywhere."""
    model = salbox.load(name)
    look = looks_of(model)(photo)
    np.testing.assert_array_equal(look.log_density, model(photo))
    channels = len(look.features)
    zeros = Profile("log_density", Tail(1.2), readout=Readout(shown_by(model), (0.0,), ((0.0,) * channels,)))
    np.testing.assert_allclose(
        wear(model, zeros)(photo), wear(model, Profile("log_density", Tail(1.2)))(photo), atol=1e-5
    )
    weights = tuple(np.random.default_rng(0).normal(0, 0.2, channels).tolist())
    write_profile(tmp_path / "p.json", Profile("log_density", readout=Readout(shown_by(model), (0.0,), (weights,))))
    worn = salbox.load(name, profile=tmp_path / "p.json")
    assert np.abs(worn(photo) - model(photo)).max() > 0.05
    (predicted,) = salbox.predict(photo, [worn]).values()
    np.testing.assert_array_equal(predicted, worn(photo))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(worn))(photo), worn(photo))
    other = "gaze" if name == "gaze.large" else "gaze.large"
    with pytest.raises(UsageError, match=f"another network than model '{other}' has"):
        salbox.load(other, profile=tmp_path / "p.json")


def test_features_of_mirrored_looks_are_where_the_density_is(photo):
    best = salbox.load("gaze", quality="best")
    own, mirrored = (looks_of(best)(np.ascontiguousarray(pixels)) for pixels in (photo, photo[:, ::-1]))
    np.testing.assert_allclose(mirrored.features[:, :, ::-1], own.features, atol=2e-3)


def test_others_show_none(photo):
    model = salbox.load("gbvs.student")
    assert shown_by(model) == ""
    with pytest.raises(UsageError, match="does not show the features"):
        looks_of(model)
