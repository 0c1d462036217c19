"""How `gaze` is made: what is mixed into what it learns, how sure it may be, and what its card says."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("lightning")

from salbox.datasets import Fixations  # noqa: E402
from salbox.imaging.writing import write_picture  # noqa: E402
from salbox.models.exported import packaged  # noqa: E402
from salbox.models.registry import SHIPPED  # noqa: E402
from salbox.networks.trainable.gaze import Gaze  # noqa: E402

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SHAPE = (40, 60)


@pytest.fixture(scope="module")
def scripts():
    """The modules of scripts/, which are no package."""
    sys.path.insert(0, str(SCRIPTS))
    names = ("gaze_data", "learn_gaze", "ship_gaze", "temperature")
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    sys.path.remove(str(SCRIPTS))


def normalized(values):
    return values - np.log(np.exp(values).sum())


@pytest.fixture(scope="module")
def density():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return normalized(-((y - 15) ** 2 + (x - 40) ** 2) / 120.0)


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory, density):
    """A data set of one photo with 4,000 fixations drawn from the density."""
    path = tmp_path_factory.mktemp("photos") / "a.png"
    write_picture(path, np.zeros((*SHAPE, 3), np.uint8))
    places = np.random.default_rng(0).choice(density.size, 4000, p=np.exp(density).ravel())
    rows, columns = np.divmod(places, SHAPE[1])
    fixations = Fixations(columns, rows)
    return SimpleNamespace(
        items=[SimpleNamespace(image=path)], shape=lambda index: SHAPE, fixations=lambda index: fixations
    )


@pytest.mark.parametrize("sure", [0.5, 1.0, 2.0])
def test_the_temperature_of_a_density_that_is_too_sure_or_not_enough(scripts, looked_at, density, sure):
    found = scripts.temperature.best_temperature(lambda image: normalized(sure * density), looked_at)
    assert found == pytest.approx(sure, rel=0.06)


def test_softening_divides_the_logarithm(scripts):
    torch.manual_seed(0)
    network = Gaze(["gaze"], encoder="mobilenetv3_small_050", width=16, head_width=4, centre=0.6).eval()
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, 64, 96))).float()
    with torch.no_grad():
        before = network(image)
        scripts.ship_gaze.soften(network, 1.5)
        torch.testing.assert_close(network(image) * 1.5, before, rtol=1e-4, atol=1e-4)
    assert network.settings["centre"] == pytest.approx(0.4)


def test_people_and_teachers_are_mixed_by_their_mass(scripts, looked_at, monkeypatch):
    data = scripts.gaze_data
    teachers = np.random.default_rng(1).random((20, 30)).astype(np.float32)
    monkeypatch.setattr(data, "teachers_density", lambda key, sharpness: teachers)
    alone = data.mixed(looked_at, 0, "a", data.Mixture(people=1.0, sigma=0.05))
    both = data.mixed(looked_at, 0, "a", data.Mixture(people=0.25, sigma=0.05))
    assert alone.shape == both.shape
    assert alone.max() == both.max() == 1
    shares = [values / values.sum() for values in (both, alone)]
    rest = (shares[0] - 0.25 * shares[1]) / 0.75
    small = cv2.resize(rest, (30, 20), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(small.ravel(), teachers.ravel())[0, 1] > 0.9  # enlarged and shrunk again


def test_the_first_training_knows_nobody(scripts):
    setting = scripts.learn_gaze.Setting(people=("OSIE",), held_out=0)
    assert setting.first.people == ()
    assert setting.first.others  # it learns from something
    assert setting.first.held_out is None
    others = scripts.learn_gaze.Setting(people=("EyeCrowd",))
    assert scripts.learn_gaze.place(setting.first) == scripts.learn_gaze.place(others.first)
    assert scripts.learn_gaze.place(setting) != scripts.learn_gaze.place(others)


def test_folds_hold_every_photo_once_and_the_photo_that_osie_has_twice_in_one(scripts):
    photos = [SimpleNamespace(path=Path(f"{number}.jpg")) for number in range(1001, 1701)]
    folds = [scripts.gaze_data.fold(photo, 5) for photo in photos]
    assert set(folds) == {0, 1, 2, 3, 4}
    assert min(np.bincount(folds)) > 100
    assert folds[1279 - 1001] == folds[1374 - 1001]


def test_of_a_training_on_people_the_last_epoch_is_kept(scripts):
    """What validates where no people are held out are teachers' maps, which the first epoch is closest to."""
    setting = scripts.learn_gaze.Setting(epochs=5)
    assert scripts.learn_gaze.recipe(setting).validate_every == 5
    assert scripts.learn_gaze.recipe(setting.first).validate_every == 1


def test_a_setting_is_what_is_trained(scripts):
    setting = scripts.learn_gaze.Setting(
        size=(96, 128), context="none", epochs=7, learning_rate=0.01, cc=0.25, deepest=8
    )
    found = scripts.learn_gaze.recipe(setting)
    assert (found.size, found.epochs, found.optimizer.learning_rate) == ((96, 128), 7, 0.01)
    assert found.network == {"context": "none", "deepest": 8}
    assert found.loss == {"kl": 1.0, "cc": 0.25}
    assert scripts.learn_gaze.recipe(setting.first).optimizer.learning_rate == 0.003


def test_settings_that_differ_have_runs_of_their_own(scripts):
    make, place = scripts.learn_gaze.Setting, scripts.learn_gaze.place
    settings = [make(), make(epochs=5), make(held_out=0), make(people=("OSIE",)), make(head_only=True), make().first]
    assert len({place(setting) for setting in settings}) == len(settings)
    assert place(make(epochs=5).first) == place(make().first)


def test_a_head_on_the_students_has_their_features(scripts):
    network = scripts.learn_gaze.head_on_students()
    box = scripts.learn_gaze.read_exported(Path(packaged(SHIPPED))).eval()
    image = torch.rand(1, 3, 128, 192) * 255  # the students' encoder sees half of it
    with torch.no_grad():
        torch.testing.assert_close(network.eval().features(image)["decoder"], box.features(image)["decoder"])
        assert network(image).shape == (1, 1, 32, 48)
