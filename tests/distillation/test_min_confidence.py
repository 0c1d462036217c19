"""Photos in which the teacher sees no object for sure are not learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_writer as ow
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.distillation.distill import distill
from salbox.distillation.from_command_line import head_targets
from salbox.distillation.plan import HeadTarget, Plan
from salbox.distillation.teachers.teacher import Teacher
from salbox.distillation.training_data import prepare_training_data
from salbox.errors import UsageError
from salbox.imaging.inputs import find_images
from salbox.system.progress import SILENT, Progress
from salbox.training.recipe import read_recipe
from salbox.training.run_folder import RunFolder
from salbox.training.splitting import split


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")


class Said(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def photos(tmp_path) -> Path:
    """A square, red for certain; in every third photo too dim to be an object."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(36):
        pixels = np.zeros((64, 64, 3), np.uint8)
        top, left = np.random.default_rng(number).integers(4, 36, 2)
        pixels[top : top + 24, left : left + 24, 0] = 60 if number % 3 == 0 else 250
        Image.fromarray(pixels).save(folder / f"p{number:02}.png")
    return folder


@pytest.fixture
def masks(photos, tmp_path) -> Path:
    """Somebody's maps of these photos: 8-bit pictures without notes."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for path in photos.iterdir():
        Image.fromarray(np.asarray(Image.open(path))[..., 0]).save(folder / path.name)
    return folder


DIM = {f"p{number:02}" for number in range(0, 36, 3)}


def planned(photos: Path, run: Path, *targets: HeadTarget, settings=(), **changes) -> Plan:
    quick = ["size=[64, 64]", "epochs=2", "batch_size=4", "network.width=8", "network.deepest=8"]
    recipe = read_recipe("box", [*quick, *settings])
    return Plan(tuple(find_images([str(photos)])), run, targets, recipe, init="none", workers=1, **changes)


def data_of(plan: Plan, progress: Progress = SILENT):
    return prepare_training_data(plan, split(plan.photos), RunFolder(plan.run), progress)


def of_masks(masks: Path) -> HeadTarget:
    (target,) = head_targets({}, [f"object={masks}"], maps_output="probability")
    return target


def computed(tmp_path: Path) -> HeadTarget:
    path = tmp_path / "red.onnx"
    path.write_bytes(
        ow.student(ow.notes(output="probability", preprocessing={"rule": "native", "height": 1, "width": 1}))
    )
    return HeadTarget("object", Teacher(f"{path}#red"))


@pytest.mark.parametrize("kind", ["folder", "model"])
def test_unsure_photos_neither_train_nor_validate_and_the_run_says_how_many(kind, photos, masks, tmp_path):
    target = of_masks(masks) if kind == "folder" else computed(tmp_path)
    said = Said()
    data = data_of(planned(photos, tmp_path / "run", target, settings=["flips=false"], min_confidence=0.6), said)
    kept = {part: {s.key for s in data.samples(part, (0,))} for part in ("training", "validation", "test")}
    learned = {view.key for part in ("training", "validation") for view in data.views[part]}
    assert kept["training"] | kept["validation"] == learned - DIM
    assert kept["validation"]
    tested = {view.key for view in data.views["test"] if view.domain is None}
    assert tested <= kept["test"]
    (line,) = [line for line in said.lines if "left out" in line]
    assert line.startswith(
        f"object: {len(learned & DIM)} of {len(learned)} pictures left out of training and validation"
    )
    assert "below 0.6" in line
    assert any("left out" in note for note in data.notes)  # in the report too


def test_without_it_all_are_learned_from(photos, masks, tmp_path):
    data = data_of(planned(photos, tmp_path / "run", of_masks(masks)))
    assert {s.key for part in ("training", "validation", "test") for s in data.samples(part, (0,))} >= DIM


def test_a_run_belongs_to_its_confidence(photos, masks, tmp_path):
    plain, filtered = (
        planned(photos, tmp_path / "run", of_masks(masks), min_confidence=least).identity() for least in (None, 0.6)
    )
    assert {key for key in filtered if filtered[key] != plain.get(key)} == {"min_confidence"}
    assert "min_confidence" not in plain  # runs of before go on


def test_what_cannot_be(photos, masks, tmp_path):
    with pytest.raises(UsageError, match=r"--min-confidence 1\.5: expected 0 to 1"):
        planned(photos, tmp_path / "run", of_masks(masks), min_confidence=1.5)
    with pytest.raises(UsageError, match="is for teachers of probabilities; 'b' gives a score"):
        planned(photos, tmp_path / "run", HeadTarget("b", Teacher("imsig")), min_confidence=0.5)
    with pytest.raises(UsageError, match="leave out --in-process"):
        planned(photos, tmp_path / "run", computed(tmp_path), min_confidence=0.5, in_process=True)
    with pytest.raises(UsageError, match="object: of no picture is the teacher as sure"):
        data_of(planned(photos, tmp_path / "run", of_masks(masks), min_confidence=1.0))
    with pytest.raises(UsageError, match="--maps-output 'probabilty'; did you mean 'probability'"):
        head_targets({}, [f"object={masks}"], maps_output="probabilty")


def test_the_published_student_of_somebody_s_maps(photos, masks, tmp_path):
    """By the published recipe, made small: it gives probabilities, and the dark photos' are dark."""
    quick = ["size=[64, 64]", "sizes=[[32, 32], [64, 64]]", "epochs=3", "batch_size=8", "schedule.warm_up_epochs=1"]
    recipe = read_recipe("kd-scfnet", [*quick, "network.width=8"])
    photos_ = tuple(find_images([str(photos)]))
    plan = Plan(photos_, tmp_path / "run", (of_masks(masks),), recipe, init="none", min_confidence=0.6)
    said = Said()
    result = distill(plan, said)
    assert result.training.epochs == 3
    card = salbox.card(str(tmp_path / "run"))
    assert (card.task, card.output) == ("object", "probability")
    assert any("left out" in line for line in said.lines)
    saliency = salbox.load(str(tmp_path / "run"))(str(photos_[1].path))
    assert 0 <= saliency.min() <= saliency.max() <= 1
