"""The network before its training: which heads it has, and what each output learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox.distillation.initial_network import make_initial_network
from salbox.distillation.plan import HeadTarget, Plan
from salbox.errors import UsageError
from salbox.system.progress import SILENT
from salbox.training.recipe import read_recipe
from salbox.training.splitting import Split


@pytest.fixture(autouse=True)
def _maps(tmp_path, monkeypatch):
    """A folder of maps where the tests run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps" / "a.npy", np.eye(4))


def make(student: str, *heads: str):
    recipe = read_recipe("resnet18-kd", ["size=[32, 32]"], student=student)
    targets = tuple(HeadTarget(head, maps=Path("maps")) for head in heads)
    return make_initial_network(Plan((), Path("run"), targets, recipe, init="none"), Split((), (), ()), SILENT)


@pytest.mark.parametrize(
    ("student", "heads", "own", "targets", "names"),
    [
        ("resnet18-a", ("a", "b"), ("a", "b"), (0, 1), ("a", "b")),
        ("resnet18-b", ("a",), ("a",), (0, 0), ("a",)),  # a map for both
        ("resnet18-b", ("a", "b"), ("a",), (0, 1), ("a", "b")),
    ],
)
def test_what_outputs_learn_from(student, heads, own, targets, names):
    initial = make(student, *heads)
    assert initial.network.heads == own
    assert initial.output_targets == targets
    assert initial.map_names(heads) == names
    assert initial.trainable is None


def test_words_are_first_weights_whatever_lies_about(tmp_path, monkeypatch):
    """A folder of that name is somebody's data set, not a run."""
    (tmp_path / "imagenet").mkdir()
    monkeypatch.chdir(tmp_path)
    plan = Plan((), Path("run"), (HeadTarget("a", maps=Path("maps")),), read_recipe("box"), init="imagenet")
    network = make_initial_network(plan, Split((), (), ()), SILENT).network
    assert network.init_note == "encoder from EfficientNet-Lite0's ImageNet weights (Apache-2.0)"
    assert plan.identity()["init"] == "imagenet"
    assert plan.init_run is None


def test_more_teachers_than_outputs():
    with pytest.raises(UsageError, match="learns one map, and its feature map another: give two teachers at most"):
        make("resnet18-b", "a", "b", "c")
