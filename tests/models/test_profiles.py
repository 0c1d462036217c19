"""Profiles: how maps become densities, the files that hold them, and models that wear one."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

import salbox
from salbox.datasets import open_dataset
from salbox.errors import UsageError
from salbox.evaluation.sources import ModelSource
from salbox.models.calibrated import wear
from salbox.models.curves import Curve, on_common_scale
from salbox.models.profile_files import SHIPPED, find_profile, read_profile, write_profile
from salbox.models.profiles import Center, Profile, Tail, blur, degrees_of

TAIL = Tail(1.4, 0.05, Center(0.7, 0.4, 0.5, 0.2, 0.3), 29.3)


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(data.chelsea()[:120, :160])


@pytest.fixture
def file(tmp_path):
    write_profile(tmp_path / "lab.json", Profile("log_density", TAIL))
    return tmp_path / "lab.json"


def test_log_density_is_temperature_blur_and_centre():
    rng = np.random.default_rng(0)
    given = np.log(rng.dirichlet(np.ones(60 * 80)).reshape(60, 80)).astype(np.float32)
    found = Profile("log_density", TAIL).log_density(given)
    y, x = np.mgrid[:60, :80]
    center = -0.5 * ((((x + 0.5) / 80 - 0.4) / 0.2) ** 2 + (((y + 0.5) / 60 - 0.5) / 0.3) ** 2)
    density = gaussian_filter(np.exp(given.astype(float) / 1.4), 0.05 * 80, mode="reflect") * np.exp(0.7 * center)
    np.testing.assert_allclose(found, np.log(density / density.sum()), atol=2e-3)
    assert np.exp(found.astype(float)).sum() == pytest.approx(1, abs=1e-5)


def test_nothing_to_do_leaves_a_density_as_it_is():
    given = np.log(np.random.default_rng(2).dirichlet(np.ones(300 * 400)).reshape(300, 400) + 1e-12)
    given = (given - np.log(np.exp(given).sum())).astype(np.float32)
    np.testing.assert_allclose(Profile("log_density").log_density(given), given, atol=1e-5)


def test_scores_are_read_by_a_curve_whatever_their_scale():
    rng = np.random.default_rng(1)
    score = gaussian_filter(rng.normal(size=(60, 80)), 3)
    profile = Profile("score", curve=Curve((-1, 0, 1), (0, 1, 3)))
    found = profile.log_density(score)
    np.testing.assert_allclose(found, profile.log_density(100 * score + 7), atol=1e-4)
    z = (score - score.mean()) / score.std(ddof=1)
    expected = np.interp(z, (-1, 0, 1), (0, 1, 3))
    np.testing.assert_allclose(found - found.min(), expected - expected.min(), atol=1e-3)


def test_common_scales():
    np.testing.assert_allclose(on_common_scale(np.log(np.full((2, 4), 1 / 8)), "log_density"), 0, atol=1e-12)
    np.testing.assert_array_equal(on_common_scale(np.full((3, 3), 5.0), "score"), 0)
    np.testing.assert_array_equal(on_common_scale(np.array([[0.0, 0.5]]), "probability"), [[0.0, 0.5]])


def test_a_constant_map_becomes_the_centre_bias():
    found = Profile("score", Tail(center=Center(1.0)), Curve((-1, 1), (0, 5))).log_density(np.ones((40, 40)))
    np.testing.assert_allclose(found - found.max(), Center().log((40, 40)) - Center().log((40, 40)).max(), atol=1e-4)


def test_blur_keeps_the_sum_even_where_it_is_wider_than_the_image():
    values = np.zeros((5, 40))
    values[0, 0] = 1
    assert blur(values, 9.0).sum() == pytest.approx(1, abs=1e-5)


def test_view_sets_the_blur():
    assert TAIL.for_view(None) == 0.05
    assert TAIL.for_view(2 * 29.3) == pytest.approx(0.025)
    assert degrees_of(None, 32, 320) == 10
    assert degrees_of("lab", None, 5) == 29.3
    with pytest.raises(UsageError, match="leave ppd and view out"):
        Tail(blur=0.1).for_view(10)
    with pytest.raises(UsageError, match="exclude each other"):
        degrees_of("lab", 3, 100)
    with pytest.raises(UsageError, match=r"did you mean 'phone'"):
        degrees_of("fone", None, 100)
    with pytest.raises(UsageError, match=r"would span 204\.8 degrees"):
        degrees_of(None, 5, 1024)
    with pytest.raises(UsageError, match="above 0"):
        degrees_of(None, 0, 100)


@pytest.mark.parametrize(
    "profile",
    [
        Profile("log_density", TAIL),
        Profile("score", Tail(center=Center(0.5, grid=((0.0, -1.0), (-2.0, -0.5)))), Curve((0, 1), (0, 2))),
        Profile("probability", Tail(), Curve((0, 0.5, 1), (0, 0, 2))),
    ],
)
def test_files(tmp_path, profile):
    write_profile(tmp_path / "p.json", profile)
    assert read_profile(tmp_path / "p.json") == profile


GOOD = {"format": "salbox profile", "version": 1, "reads": "log_density"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": "x"}, "not a salbox profile"),
        ({"version": 2}, "version 2"),
        ({"reads": "z"}, "reads 'z'"),
        ({"reads": "score"}, "its curve is missing"),
        ({"blr": 1}, "did you mean 'blur'"),
        ({"blur": 9}, "expected 0 to 0.25"),
        ({"blur": "1"}, "blur '1': expected a number"),
        ({"blur": True}, "expected a number"),
        ({"temperature": 0}, "expected 0.05 to 50"),
        ({"temperature": 10**400}, "finite"),
        ({"center": []}, "expected keys"),
        ({"center": {"weight": 99}}, "a weight of -5 to 5"),
        ({"center": {"width": 0}}, "sides of"),
        ({"center": {"grid": [[1, 2], [3]]}}, "rows of one length"),
        ({"center": {"grid": [[0] * 65]}}, "1 to 64 numbers"),
        ({"curve": {"x": [0, 1], "y": [1, 0]}}, "y not falling"),
        ({"curve": {"x": [1, 1], "y": [0, 1]}}, "x rising"),
        ({"curve": {"x": [1], "y": [1]}}, "2 to 64"),
        ({"about": {"a": {"b": {"c": {"d": {"e": 1}}}}}}, "nested too deeply"),
        ({"about": {"a": "x" * 5000}}, "at most 4000"),
    ],
)
def test_bad_files_are_one_line(tmp_path, changed, message):
    path = tmp_path / "p.json"
    path.write_text(json.dumps({**GOOD, **changed}))
    with pytest.raises(UsageError, match=message) as raised:
        read_profile(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"a": NaN}', b"[" * 100_000, b" " * 300_000])
def test_what_is_no_profile_is_refused(tmp_path, content):
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        read_profile(path)


def test_any_model_wears_one(photo, file, tmp_path):
    worn = salbox.load("gaze", profile=file)
    np.testing.assert_array_equal(worn(photo), Profile("log_density", TAIL).log_density(salbox.load("gaze")(photo)))
    np.testing.assert_array_equal(worn.log_density(photo), worn(photo))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(worn))(photo), worn(photo))
    write_profile(tmp_path / "s.json", Profile("score", Tail(), Curve((-1, 0, 3), (0, 1, 3))))
    score = salbox.load("gaussian", sigma=0.2, profile=tmp_path / "s.json")
    assert score.card.output == "log_density"
    assert score.parameters["sigma"] == 0.2
    together = salbox.load("ensemble:gaussian+imsig", profile=tmp_path / "s.json")
    assert np.exp(together(photo).astype(float)).sum() == pytest.approx(1, abs=1e-4)


def test_distance_changes_the_blur(photo, file):
    near, far = (salbox.load("gaze", profile=file, view=view)(photo) for view in ("phone", "lab"))
    assert near.max() < far.max()
    asked = salbox.load("gaze", profile=file, ppd=160 / 12.1)(photo)
    np.testing.assert_allclose(asked, near, atol=1e-6)
    # Whether ppd makes sense the image says: 160 pixels at 5 a degree are 32 degrees, 1024 would be too many.
    assert salbox.load("gaze", profile=file, ppd=5)(photo).shape == photo.shape[:2]


def test_heads_that_wear_one_share_their_pass(photo, tmp_path, monkeypatch):
    write_profile(tmp_path / "s.json", Profile("score", Tail(), Curve((-1, 0, 3), (0, 1, 3))))
    models = [salbox.load(f"{name}.student", profile=tmp_path / "s.json") for name in ("gbvs", "bms")]
    network = next(iter(models[0].function.models.values())).network
    calls = []
    own = type(network).maps
    monkeypatch.setattr(
        type(network), "maps", lambda self, *given, **more: calls.append(1) or own(self, *given, **more)
    )
    maps = salbox.predict(photo, models)
    assert len(calls) == 1
    np.testing.assert_allclose(maps["bms.student"], models[1](photo), atol=1e-5)


def test_figures_depend_on_the_file(file):
    source = ModelSource("gaze", {"profile": str(file)})
    assert source.output == "log_density"
    first = source.settings()["parameters"]["profile"]
    write_profile(file, Profile("log_density", Tail(2.0)))
    assert source.settings()["parameters"]["profile"] != first
    assert "profile" not in ModelSource("gaze").settings()["parameters"]


def test_what_does_not_fit_is_said(file, tmp_path):
    unknown = tmp_path / "unknown.json"
    write_profile(unknown, Profile("log_density", Tail(blur=0.1)))
    for name, more, message in (
        ("gaze", {"profile": "genral"}, "did you mean 'general'"),
        ("gbvs.student", {"view": "phone"}, "does nothing without a profile"),
        ("gaze", {"profile": file, "view": "x"}, "expected one of"),
        ("gaze", {"profile": unknown, "view": "lab"}, "leave ppd and view out"),
        ("gbvs.student", {"profile": file}, "the profile is for a log_density"),
        ("gbvs.student", {"profile": "general"}, "no file of that name"),
    ):
        with pytest.raises(UsageError, match=message):
            salbox.load(name, **more)
    scores = Profile("score", Tail(), Curve((0, 1), (0, 1)))
    with pytest.raises(UsageError, match="predict fixations"):
        wear(_objects(), scores)


def _objects():
    model = salbox.load("gaussian")
    model.card = salbox.models.cards.ModelCard("o", task="object", output="score")
    return model


def test_none_is_none(photo):
    np.testing.assert_array_equal(salbox.load("gaze", profile="none")(photo), salbox.load("gaze")(photo))
    assert salbox.load("gaze", profile=None).parameters == salbox.load("gaze").parameters


@pytest.mark.parametrize(("model", "name"), [(m, n) for m, names in SHIPPED.items() for n in names])
def test_what_ships(photo, model, name):
    told, path = find_profile(name, model)
    assert told == name
    assert read_profile(path).about["model"] == model
    density = salbox.load(model, profile=name)(photo)
    assert np.exp(density.astype(float)).sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("model", SHIPPED)
def test_a_laboratory_s_profile_predicts_its_people_better(shared, model):
    """Every twentieth test photo of OSIE, which neither a network nor a profile saw: the mean log density is higher."""
    people = open_dataset(f"osie:{shared / 'data' / 'OSIE'}", "test")
    plain, worn = salbox.load(model), salbox.load(model, profile="osie")
    gained = []
    for index in range(0, len(people), 20):
        pixels, at = people.pixels(index), people.fixations(index).flat_pixels(people.shape(index))
        gained.append(np.mean(worn(pixels).reshape(-1)[at] - plain(pixels).reshape(-1)[at]))
    assert len(gained) == 7
    assert np.mean(gained) > 0
