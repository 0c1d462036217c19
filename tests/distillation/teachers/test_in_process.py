"""Teachers that run beside their student: their own map of a picture, and the features that it passes on its way."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

import salbox  # noqa: E402
from salbox.distillation.teachers.in_process import feature_model  # noqa: E402
from salbox.distillation.teachers.teacher import Teacher  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.models.cards import ModelCard  # noqa: E402
from salbox.models.model import Model  # noqa: E402
from salbox.training.online_teacher import OnlineTeacher  # noqa: E402
from salbox.training.recipe_parts import Hint  # noqa: E402

PICTURE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
CARD = ModelCard("halves", task="fixation", output="score")


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")


class Halves(torch.nn.Module):
    """A published network: its map is the sum of the only channels that it has in between."""

    def __init__(self, reads=True):
        super().__init__()
        self._reads = reads

    def features(self, images, scale=1.0):
        return {"early": images / 2, "late": scale * images / 4}

    def forward(self, images):
        return (self.features(images, scale=2.0)["late"] if self._reads else images).sum(dim=1)


class HalvesPredictor:
    def __init__(self, reads=True):
        self.network = Halves(reads)

    def __call__(self, image, add=0.0):
        return self.network(torch.from_numpy(image.transpose(2, 0, 1)[None].astype(np.float32)))[0].numpy() + add

    def graph(self):
        raise AssertionError("not asked for")


def test_a_published_network_s_features_are_those_of_its_own_map():
    model = Model(CARD, HalvesPredictor(), {"add": 3.0})
    teacher = feature_model(Teacher("halves"), model, hints=True)
    saliency, features = teacher.with_features(PICTURE)
    np.testing.assert_allclose(saliency, PICTURE.sum(axis=2) / 2 + 3, rtol=1e-6)
    assert list(features) == ["early", "late"]
    np.testing.assert_allclose(features["late"][0].permute(1, 2, 0), PICTURE / 2, rtol=1e-6)
    assert "features" not in vars(model.function.network)  # as it was


def test_a_network_whose_map_is_not_read_off_its_features():
    teacher = feature_model(Teacher("halves"), Model(CARD, HalvesPredictor(reads=False), {}), hints=True)
    with pytest.raises(UsageError, match="'halves' is not read off its features"):
        teacher.with_features(PICTURE)


def test_a_network_that_gives_features_itself_gets_its_parameters():
    class Gives:
        def with_features(self, image, blur):
            return np.full(image.shape[:2], blur), {"x": torch.zeros(1, 1, 2, 2)}

    saliency, features = feature_model(Teacher("gives"), Model(CARD, Gives(), {"blur": 0.5}), hints=True).with_features(
        PICTURE
    )
    assert saliency.max() == 0.5
    assert list(features) == ["x"]


@pytest.mark.parametrize("name", ["gbvs.student", "gaze"])
def test_what_salbox_trained_gives_its_maps_as_anybody_gets_them(name):
    teacher = Teacher(name)
    saliency, features = feature_model(teacher, teacher.load(), hints=True).with_features(PICTURE)
    np.testing.assert_array_equal(saliency, salbox.load(name)(PICTURE))
    network = salbox.network(name)
    pixels = network.preprocessing.prepare(PICTURE).transpose(2, 0, 1)
    with torch.no_grad():
        expected = network.features(torch.from_numpy(np.ascontiguousarray(pixels))[None].float())
    assert list(features) == list(expected)
    torch.testing.assert_close(features["stride16"], expected["stride16"])
    assert not any(found.requires_grad for found in features.values())
    assert feature_model(teacher, teacher.load(), hints=False).with_features(PICTURE)[1] == {}


def test_what_is_no_network_is_refused():
    teacher = Teacher("bms")
    with pytest.raises(UsageError, match="'bms' is no PyTorch network"):
        feature_model(teacher, teacher.load(), hints=False)


def test_hints_pull_the_student_s_middle_towards_the_teacher_s():
    teacher = Teacher("gbvs.student")
    model = feature_model(teacher, teacher.load(), hints=True)
    with pytest.warns(UserWarning, match="random weights"):
        student = salbox.network("box", size=(64, 96), width=8).train()
    hint = Hint(weight=1.0, student="stride16", teacher="stride16")
    online = OnlineTeacher(model, "score", hint, student, (64, 96))
    assert online.hint is not None
    images = torch.from_numpy(np.resize(PICTURE, (2, 64, 96, 3)).copy()).permute(0, 3, 1, 2)
    taught = online(images, (16, 24))
    learning = torch.optim.Adam([*student.parameters(), *online.hint.parameters()], 0.01)
    losses = []
    for _ in range(8):
        loss = online.hint_loss(student.features(images.float()), taught)
        learning.zero_grad()
        loss.backward()
        learning.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
