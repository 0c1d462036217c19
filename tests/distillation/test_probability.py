"""Teachers of probabilities: what is learned is their map as it is, and the student's is a probability too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_writer as ow
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.bench import bench
from salbox.distillation.distill import distill
from salbox.distillation.initial_network import make_initial_network
from salbox.distillation.plan import HeadTarget, Plan
from salbox.distillation.teachers.teacher import Teacher, teach
from salbox.distillation.training_data import prepare_training_data
from salbox.imaging.inputs import find_images
from salbox.models.cards import ModelCard
from salbox.networks.encoders import WeightsWarning
from salbox.networks.export.models import shrink_exported
from salbox.networks.export.onnx import export_onnx
from salbox.networks.trainable.base import TrainableNetwork
from salbox.networks.trainable.factory import build_network
from salbox.networks.trainable.reload import read_exported
from salbox.system.progress import SILENT
from salbox.training.online_teacher import OnlineTeacher
from salbox.training.recipe import read_recipe
from salbox.training.recipe_parts import Hint
from salbox.training.run_folder import RunFolder
from salbox.training.splitting import Split, split

QUICK = ["size=[32, 32]", "epochs=2", "batch_size=4", "network.width=8", "network.deepest=8"]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")


@pytest.fixture
def masks(tmp_path) -> str:
    """A model of the salient object whose map is a probability, how red a place is; its file has a second head."""
    notes = ow.notes(output="probability", preprocessing={"rule": "native", "height": 1, "width": 1})
    path = tmp_path / "masks.onnx"
    path.write_bytes(ow.student(notes))
    return f"{path}#red"


@pytest.fixture
def photos(tmp_path) -> Path:
    """Dim pictures: nowhere is the teacher sure."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(14):
        pixels = np.random.default_rng(number).integers(20, 130, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((48, 48), Image.Resampling.NEAREST).save(folder / f"p{number:02}.png")
    return folder


def planned(photos: Path, run: Path, *targets: HeadTarget, settings: Any = (), **changes: Any) -> Plan:
    recipe = read_recipe("box", [*QUICK, *settings])
    return Plan(tuple(find_images([str(photos)])), run, targets, recipe, init="none", workers=1, **changes)


def target(model: str, head: str = "red") -> HeadTarget:
    return HeadTarget(head, Teacher(model))


def first_network(plan: Plan) -> TrainableNetwork:
    return make_initial_network(plan, Split((), (), ()), SILENT).network


def test_the_student_of_probabilities_gives_probabilities(photos, masks, tmp_path):
    plan = planned(photos, tmp_path / "run", target(masks))
    assert first_network(plan).output == "probability"
    assert first_network(planned(photos, tmp_path / "run", target("imsig"))).output == "score"
    assert first_network(planned(photos, tmp_path / "run", target(masks), target("imsig", "b"))).output == "score"
    said = planned(photos, tmp_path / "run", target(masks), settings=["network.output=score"])
    assert first_network(said).output == "score"


def test_so_does_that_of_maps_that_were_taught(photos, masks, tmp_path):
    list(teach(masks, find_images([str(photos)]), tmp_path / "maps", workers=1))
    (folder,) = (tmp_path / "maps").iterdir()
    stored = HeadTarget("red", maps=folder)
    assert stored.is_probability
    assert first_network(planned(photos, tmp_path / "run", stored)).output == "probability"
    (folder / "teacher.json").unlink()
    assert stored.is_probability  # the maps say so too
    for path in folder.glob("*.png"):  # pictures that somebody made
        Image.fromarray(np.asarray(Image.open(path))).save(path)
    assert not stored.is_probability
    assert HeadTarget("red", maps=folder, output="probability").is_probability


def test_pictures_are_drawn_with_the_map_as_it_is(photos, masks, tmp_path):
    """Mirrored ones too; the map of a teacher of scores goes from 0 to 1."""
    plan = planned(photos, tmp_path / "run", target(masks), HeadTarget("imsig", Teacher("imsig")))
    data = prepare_training_data(plan, split(plan.photos), RunFolder(plan.run), SILENT)
    for sample in data.samples("training", (0, 1)):
        red, imsig = (None if read is None else read() for read in sample.maps)
        if red is not None:
            np.testing.assert_allclose(red.mean(), sample.picture()[..., 0].mean() / 255, atol=0.01)
            assert 0.05 < red.min() < red.max() < 0.55
        if imsig is not None:
            assert (imsig.min(), imsig.max()) == (0, 1)


def test_from_a_teacher_of_probabilities_to_a_model(photos, masks, tmp_path):
    """Beside one of scores, in a file whose cards say which is which."""
    run = RunFolder(tmp_path / "run")
    taught = salbox.load(masks)
    distill(planned(photos, run.path, target(masks), HeadTarget("imsig", Teacher("imsig"))), SILENT)
    cards = {head: salbox.card(f"{run.path}#{head}") for head in ("red", "imsig")}
    assert (cards["red"].task, cards["red"].output) == (taught.card.task, "probability")
    assert (cards["imsig"].task, cards["imsig"].output) == ("fixation", "score")


@pytest.mark.parametrize("task", ["object", "fixation"])
def test_a_network_of_probabilities_is_a_model_of_every_verb(task, tmp_path):
    with pytest.warns(WeightsWarning):
        network = build_network("box", ["mask"], size=(64, 96), width=8, deepest=8, output="probability").eval()
    path = tmp_path / "mask.onnx"
    export_onnx(network, path, {"mask": ModelCard("mask", task=task, output="probability")}, {"mask": "somebody"})
    assert read_exported(path).output == "probability"
    card = salbox.card(str(path))
    assert (card.task, card.output) == (task, "probability")
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    seen = torch.from_numpy(network.preprocessing.prepare(image)).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        coarse = network.maps(seen)[0, 0].numpy()
    (found,) = salbox.predict(image, str(path)).values()
    assert found.shape == (50, 70)
    assert coarse.min() - 1e-4 <= found.min() < found.max() <= coarse.max() + 1e-4
    assert 0 <= found.min() <= found.max() <= 1
    with pytest.raises(salbox.UsageError, match="gives a probability, not a density"):
        salbox.load(str(path)).log_density(image)
    shrink_exported(path, tmp_path / "half.onnx")
    np.testing.assert_allclose(salbox.load(str(tmp_path / "half.onnx"))(image), found, atol=1e-2)
    (row,) = bench({str(path): {}}, [(96, 64)], threads=1, repeat=1)
    assert row.parameters == sum(p.numel() for p in network.parameters())


class Unsure:
    """A teacher in the process: half of the pictures' red, and no features."""

    def with_features(self, image):
        return image[:, :, 0].astype(np.float32) / 510, {}


@pytest.mark.parametrize(("output", "scaled"), [("probability", False), ("score", True)])
def test_a_teacher_in_the_process(output, scaled):
    with pytest.warns(WeightsWarning):
        network = build_network("box", ["a"], width=8, deepest=8)
    images = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    images[:, 0, 8:16] = 255
    maps = OnlineTeacher(Unsure(), output, Hint(), network, (32, 32))(images, (32, 32)).maps
    assert maps.max() == (1 if scaled else 0.5)
