"""Features weighed anew: the likelihood and its maximum checked another way, what is found again, what is chosen."""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.optimize import minimize

import salbox
from salbox.calibration import adapt
from salbox.calibration.observed import observed
from salbox.calibration.readout_likelihood import BLURS, CENTER_PENALTY, CENTERS, center_terms
from salbox.calibration.readouts import (
    AS_IT_IS,
    NO_WEIGHTS,
    STRENGTHS,
    Looked,
    chosen,
    held_out_readouts,
)
from salbox.datasets import Fixations, open_dataset
from salbox.evaluation import ModelSource
from salbox.models.profile_files import read_profile

SIZE = (30, 40)


def smooth(rng, sigma=3):
    values = cv2.GaussianBlur(rng.normal(size=SIZE), (0, 0), sigma)
    return (values - values.mean()) / values.std()


def looked(rng, truth, count=300, photos=20):
    """Return photos whose fixations are drawn from exp(truth(log density, features))."""
    seen, features = [], []
    for k in range(photos):
        own = np.stack([smooth(rng) for _ in range(3)])
        log = 0.7 * smooth(rng)
        log -= np.log(np.exp(log).mean())
        heat = np.exp(truth(log, own)).reshape(-1)
        rows, columns = np.divmod(rng.choice(heat.size, count, p=heat / heat.sum()), SIZE[1])
        seen.append(observed(k, SIZE, Fixations(columns + 0.5, rows + 0.5), {"a": log.astype(np.float32)}))
        features.append(own.astype(np.float16))
    return Looked(seen, features, "network")


def test_gradient_and_maximum():
    rng = np.random.default_rng(0)
    photos = looked(rng, lambda log, own: log + 0.5 * own[0], 60, 4)
    likelihood = photos.likelihood()
    at = likelihood.begin + rng.normal(0, 0.1, len(likelihood.begin))
    members, strength = range(4), 20.0
    costs = np.concatenate([[0], np.full(CENTERS, CENTER_PENALTY), np.full(3 * len(BLURS), strength)]) / 4

    def loss(numbers):
        values = np.mean([likelihood.value(k, numbers) for k in members])
        return 0.5 * costs @ (numbers - likelihood.begin) ** 2 - values

    slope = likelihood._loss(members, at, costs)[1]
    numeric = [(loss(at + 1e-3 * e) - loss(at - 1e-3 * e)) / 2e-3 for e in np.eye(len(at))]
    np.testing.assert_allclose(slope, numeric, atol=2e-3)
    found = likelihood.fit(members, strength)
    other = minimize(loss, likelihood.begin, method="BFGS", options={"eps": 1e-4, "gtol": 1e-3, "maxiter": 60})
    assert loss(found) == pytest.approx(other.fun, abs=1e-4)
    assert loss(found) <= other.fun + 1e-5


def test_value_is_the_mean_log_density_at_fixations():
    rng = np.random.default_rng(1)
    photos = looked(rng, lambda log, own: log, 50, 1)
    likelihood = photos.likelihood()
    numbers = likelihood.begin.copy()
    numbers[0], numbers[1 + CENTERS] = 0.8, 0.3
    (log,) = photos.photos[0].values.values()
    feature = photos.features[0][0].astype(float)
    heat = 0.8 * log.astype(float) + 0.3 * (feature - feature.mean()) / likelihood.units[0]
    density = np.exp(heat) / np.exp(heat).sum()
    x, y = (photos.photos[0].places * [SIZE[1], SIZE[0]]).astype(int).T
    assert likelihood.value(0, numbers) == pytest.approx(np.log(density[y, x]).mean(), abs=1e-4)


def test_weights_and_a_temperature_are_found_again():
    rng = np.random.default_rng(2)
    photos = looked(rng, lambda log, own: 0.6 * log + 0.9 * own[1] - 0.6 * own[2], 600, 30)
    likelihood = photos.likelihood()
    numbers = likelihood.fit(range(30), 1.0)  # hardly held
    assert likelihood.sharpness(numbers) == pytest.approx(0.6, abs=0.05)
    readout = likelihood.readout(numbers, "network")
    assert readout.network == "network"
    added = readout(photos.features[0].astype(np.float32))
    right = (0.9 * photos.features[0][1].astype(float) - 0.6 * photos.features[0][2].astype(float)) / 0.6
    assert np.corrcoef(added.ravel(), right.ravel())[0, 1] > 0.99
    assert added.std() == pytest.approx(right.std(), rel=0.1)
    profile, strength = photos.profile(likelihood, range(30))
    assert strength == STRENGTHS[0]
    assert profile.readout.network == "network"


def test_a_centre_is_found_again():
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    prior = -0.5 * ((((x + 0.5) / SIZE[1] - 0.6) / 0.2) ** 2 + (((y + 0.5) / SIZE[0] - 0.45) / 0.25) ** 2)
    photos = looked(rng, lambda log, own: log + prior, 600, 30)
    likelihood = photos.likelihood()
    found = likelihood.center(likelihood.fit(range(30), NO_WEIGHTS)).log(SIZE)
    near = prior > -2
    off = (found - prior)[near]
    assert off.std() < 0.15  # nats; the centre itself ranges over 2
    assert center_terms(SIZE).shape == (CENTERS, SIZE[0] * SIZE[1])


def test_what_the_model_says_already_is_left_as_it_is():
    rng = np.random.default_rng(4)
    right = looked(rng, lambda log, own: log, 5, 12)
    assert chosen(right.likelihood(), range(12)) == AS_IT_IS
    profile, _ = right.profile(right.likelihood(), range(12))
    assert profile.tail.changes_nothing
    assert profile.readout is None
    useful = looked(rng, lambda log, own: log + own[0], 100, 16)
    assert chosen(useful.likelihood(), range(16)) in STRENGTHS


def test_people_who_look_where_the_model_says_nobody_does():
    """What a temperature cannot say, features still do: their weights keep their signs."""
    photos = looked(np.random.default_rng(2), lambda log, own: -0.6 * log + 0.9 * own[1], 100, 16)
    likelihood = photos.likelihood()
    profile, _ = photos.profile(likelihood, range(16))
    added = profile.readout(photos.features[0].astype(np.float32))
    assert likelihood.fit(range(16), STRENGTHS[0])[0] < 0
    assert np.corrcoef(added.ravel(), photos.features[0][1].astype(float).ravel())[0, 1] > 0.9


def test_weights_are_fitted_to_some_of_many_photos(monkeypatch):
    """Every third photo is one that weights are fitted to: the others of those that are seen do not count."""
    monkeypatch.setattr("salbox.calibration.readouts.MOST", 6)
    photos = looked(np.random.default_rng(6), lambda log, own: log + own[0], 200, 16)
    assert photos.weighing == [0, 3, 6, 9, 12, 15]
    likelihood = photos.likelihood()
    monkeypatch.setattr("salbox.calibration.readouts.chosen", lambda *_: STRENGTHS[0])
    profile, _ = photos.profile(likelihood, range(1, 16, 2))
    alone = likelihood.fit([1, 3, 5], STRENGTHS[0])  # photos 3, 9 and 15
    assert profile.readout == likelihood.readout(alone, "network")


def test_held_out_photos_are_not_seen():
    """Odd photos are looked at where a feature is high, even ones where it is low: each part sees the other alone."""
    rng = np.random.default_rng(5)
    one = looked(rng, lambda log, own: log + own[0], 200, 8)
    other = looked(rng, lambda log, own: log - own[0], 200, 8)
    photos = Looked(one.photos + other.photos, one.features + other.features, "network")
    row = held_out_readouts("held", photos, photos.likelihood(), np.arange(16) // 8)
    for k, sign in ((0, -1), (15, 1)):
        priorities, _ = row.made[k]
        (log,) = photos.photos[k].values.values()
        added = (priorities - log).reshape(-1)
        assert np.corrcoef(added, sign * photos.features[k][0].astype(float).reshape(-1))[0, 1] > 0.9


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photos with a red and a green spot each; four people look at the green one alone."""
    root = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    for part in ("images", "fixations"):
        (root / part).mkdir()
    y, x = np.mgrid[:90, :120]
    for k in range(12):
        spots = rng.permutation([rng.uniform((15, 15), (50, 75)), rng.uniform((70, 15), (105, 75))])
        pixels = np.full((90, 120, 3), 90.0) + rng.normal(0, 3, (90, 120, 3))
        for spot, channel in zip(spots, (0, 1), strict=True):
            pixels[..., channel] += 150 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 60)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / "images" / f"p{k:02}.png")
        rows = [(*(spots[1] + rng.normal(0, 3, 2)), person) for person in range(4) for _ in range(4)]
        table = np.array(rows).clip([0, 0, 0], [119, 89, 9])
        np.savetxt(root / "fixations" / f"p{k:02}.csv", table, delimiter=",", header="x,y,subject", comments="")
    return root


def test_adapt_weighs_the_features_of_gaze(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path))
    data = open_dataset(f"folder:{folder}", "all")
    with_features = adapt(ModelSource("gaze"), data, sigma=4.0, parts=2)
    without = adapt(ModelSource("gaze"), data, sigma=4.0, parts=2, readout=False)
    assert without.profile.readout is None
    assert with_features.profile.readout is not None
    assert with_features.profile.about["penalty"] in STRENGTHS
    gains = [np.mean(own.table.rows[own.after]["ig"]) for own in (without, with_features)]
    assert gains[1] > gains[0] + 0.1  # a temperature does not tell green from red
    photo = data.pixels(0)
    worn = salbox.models.calibrated.wear(salbox.load("gaze"), with_features.profile)
    assert np.exp(worn(photo).astype(float)).sum() == pytest.approx(1, abs=1e-4)


def test_what_is_no_better_on_held_out_photos_is_not_shipped(folder, monkeypatch, tmp_path):
    """People who look anywhere, of whom nothing can be learned but that: as they are drawn from the model itself."""
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path / "home"))
    model = salbox.load("gaze")
    (tmp_path / "fixations").mkdir()
    (tmp_path / "images").symlink_to(folder / "images")
    for k in range(12):
        drawn = model.sample(folder / "images" / f"p{k:02}.png", 6, seed=k)
        rows = np.concatenate([drawn, np.arange(6)[:, None] % 3], axis=1)
        np.savetxt(tmp_path / "fixations" / f"p{k:02}.csv", rows, delimiter=",", header="x,y,subject", comments="")
    data = open_dataset(f"folder:{tmp_path}", "all", allow_outside=True)
    photo = data.pixels(0)
    for readout, choose in ((True, chosen), (True, lambda *_: STRENGTHS[0]), (False, chosen)):
        monkeypatch.setattr("salbox.calibration.readouts.chosen", choose)
        found = adapt(ModelSource("gaze"), data, sigma=4.0, parts=3, readout=readout)
        assert found.gain("ig").value <= 0
        assert found.is_unchanged
        assert "penalty" not in found.profile.about
        figures = found.profile.about["held_out"]["figures"]
        assert figures["after"] == figures["before"]  # what is shipped changes nothing
        assert figures["lost"]["ig"] <= figures["before"]["ig"]
        worn = salbox.models.calibrated.wear(model, found.profile)(photo)
        np.testing.assert_allclose(worn, model(photo), atol=1e-5)


def test_more_features_than_a_profile_holds_are_left_as_they_are(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path))
    data = open_dataset(f"folder:{folder}", "all")
    monkeypatch.setattr(sys.modules["salbox.calibration.adapt"], "MAX_CHANNELS", 16)
    found = adapt(ModelSource("gaze"), data, sigma=4.0, parts=2)
    assert found.profile.readout is None
    assert "penalty" not in found.profile.about


def test_at_the_command_line(cli, folder, tmp_path):
    profile = tmp_path / "ours.json"
    common = ["--dataset", f"folder:{folder}", "--sigma", 4, "--folds", 2, "-o", profile]
    code, out, err = cli("adapt", "-m", "gaze", *common)
    assert code == 0, err
    assert "48 features of the network weighed anew" in out
    assert read_profile(profile).readout.channels == 48
    code, out, err = cli(
        "predict", folder / "images" / "p00.png", "-m", "gaze", "--param", f"profile={profile}", "-o", tmp_path
    )
    assert code == 0, err
    code, out, err = cli("adapt", "-m", "gaze", *common, "--no-readout", "--json")
    assert code == 0, err
    assert json.loads(out)["unchanged"] is False
    assert read_profile(profile).readout is None
