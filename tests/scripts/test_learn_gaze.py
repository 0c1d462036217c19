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
from salbox.networks.trainable.gaze import Gaze  # noqa: E402
from salbox.runtime.gaze import log_center  # noqa: E402

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SHAPE = (40, 60)


@pytest.fixture(scope="module")
def scripts():
    """The modules of scripts/, which are no package."""
    sys.path.insert(0, str(SCRIPTS))
    names = ("gaze_data", "learn_gaze", "ship_gaze", "calibrate_gaze")
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


class Certain:
    """A network whose density is the true one, sharpened, with some of the centre taken out."""

    def __init__(self, log, center):
        self.log, self.center = log, center
        self.preprocessing = SimpleNamespace(prepare=lambda image: image)

    def maps(self, pixels):
        values = normalized(self.log + self.center * log_center(*SHAPE))
        return torch.from_numpy(values)[None, None]


@pytest.mark.parametrize(("sure", "center"), [(0.5, 0.0), (1.0, -0.5), (2.0, 0.3)])
def test_a_density_that_is_too_sure_or_lacks_the_centre_is_mended(scripts, looked_at, density, sure, center):
    found = scripts.calibrate_gaze.fitted(Certain(sure * density, center), [looked_at])
    assert found.temperature == pytest.approx(sure, rel=0.08)
    assert found.center == pytest.approx(-center / sure, abs=0.12)


def test_a_fit_divides_the_logarithm_and_adds_to_the_prior(scripts):
    torch.manual_seed(0)
    network = Gaze(["gaze"], encoder="mobilenetv3_small_050", width=16, head_width=4, centre=0.6).eval()
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, 64, 96))).float()
    with torch.no_grad():
        before = network(image)
        scripts.ship_gaze.apply(network, scripts.calibrate_gaze.Fit(1.5, 0.25))
        after = network(image)
    prior = torch.from_numpy(log_center(*after.shape[-2:]))
    torch.testing.assert_close((after - 0.25 * prior) * 1.5, before, rtol=1e-4, atol=1e-4)
    assert network.settings["centre"] == pytest.approx(0.65)


def test_people_and_teachers_are_mixed_by_their_mass(scripts, looked_at, monkeypatch):
    data = scripts.gaze_data
    teachers = np.random.default_rng(1).random((20, 30)).astype(np.float32)
    monkeypatch.setattr(data, "teachers_density", lambda key, runs: teachers)
    alone = data.mixed(looked_at, 0, "a", data.Mixture(people=1.0, sigma=0.05), [])
    both = data.mixed(looked_at, 0, "a", data.Mixture(people=0.25, sigma=0.05), [])
    assert alone.shape == both.shape
    assert alone.max() == both.max() == 1
    shares = [values / values.sum() for values in (both, alone)]
    rest = (shares[0] - 0.25 * shares[1]) / 0.75
    small = cv2.resize(rest, (30, 20), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(small.ravel(), teachers.ravel())[0, 1] > 0.9  # enlarged and shrunk again


def test_a_network_without_another_laboratory_has_teachers_without_it(scripts):
    ours, theirs = (scripts.gaze_data.teachers(people) for people in (("OSIE",), ("OSIE", "MIT1003")))
    assert [run.name for run in ours] == ["unisal-without-mit1003-0", "sam-without-mit1003-0"]
    assert [run.name for run in theirs] == ["unisal-0", "sam-0"]


def test_of_each_training_the_last_epoch_is_kept(scripts):
    """What validates are teachers' maps, of which the second training leads away."""
    setting = scripts.learn_gaze.Setting()
    for labeled in (False, True):
        found = scripts.learn_gaze.recipe(setting, labeled=labeled)
        assert found.validate_every == found.epochs


def test_a_setting_is_what_is_trained(scripts):
    setting = scripts.learn_gaze.Setting(
        size=(96, 128), width=24, deepest=8, pictures=(1200, 2000), learning_rates=(0.01, 0.02), loss=(("kl", 1.0),)
    )
    first, second = (scripts.learn_gaze.recipe(setting, labeled=labeled) for labeled in (False, True))
    assert (second.size, second.epochs, second.optimizer.learning_rate) == ((96, 128), 5, 0.02)
    assert (first.epochs, first.epoch_images, first.optimizer.learning_rate) == (3, 400, 0.01)
    assert second.network == {"context": "contrast", "deepest": 8, "width": 24}
    assert second.loss == {"kl": 1.0}
    assert "nss" not in first.loss  # there are no fixations


def test_settings_that_differ_have_runs_of_their_own(scripts):
    make, place = scripts.learn_gaze.Setting, scripts.learn_gaze.place
    settings = [make(), make(deepest=32), make(people=("OSIE",)), make(width=24), scripts.learn_gaze.SIZES["large"]]
    assert len({place(setting) for setting in settings}) == len(settings)
