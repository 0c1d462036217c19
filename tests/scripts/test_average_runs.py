"""The mean of runs is a run: weights by hand, its card and photos those of the last."""

from __future__ import annotations

import numpy as np
import programs
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import salbox
from salbox.networks.export.cards import put_cards
from salbox.networks.export.onnx import export_onnx
from salbox.networks.trainable.factory import build_network
from salbox.networks.trainable.saved import read_weights, save_weights
from salbox.runtime.training_photos import TrainingPhotos, read_training_photos, short_digest

SETTINGS = {"width": 4, "head_width": 4, "deepest": 8, "size": (64, 64)}


def network(seed: int, **changes):
    return build_network("box", ["mask"], seed=seed, **{**SETTINGS, "encoder": "mobilenetv2_035", **changes}).eval()


@pytest.fixture(scope="module")
def script():
    return programs.script("average_runs")


@pytest.fixture
def runs(tmp_path):
    with pytest.warns(UserWarning, match="random weights"):
        made = [network(seed) for seed in (0, 1)]
    for place, each in enumerate(made):
        run = tmp_path / f"run{place}"
        run.mkdir()
        save_weights(each, run / "student.safetensors")
        cards = {"mask": salbox.card("scfnet")}
        export_onnx(each, run / "student.onnx", cards, {"mask": "people"})
        learned = TrainingPhotos(frozenset({short_digest(f"{place}" * 64)}), frozenset())
        put_cards(run / "student.onnx", cards, {"mask": learned})
    return made, [tmp_path / "run0", tmp_path / "run1"]


def test_the_mean_of_runs_is_a_run(script, runs, tmp_path):
    made, folders = runs
    script.average(folders, tmp_path / "mean")
    found = read_weights(tmp_path / "mean" / "student.safetensors").state_dict()
    first, second = (each.state_dict() for each in made)
    for name, tensor in found.items():
        if tensor.is_floating_point():
            np.testing.assert_allclose(tensor, (first[name].double() + second[name].double()) / 2, atol=1e-6)
    model = salbox.load(str(tmp_path / "mean"))
    assert model.card.summary.endswith("Its weights are the mean of 2 trainings'.")
    photos = read_training_photos(tmp_path / "mean" / "student.onnx")["mask"]
    assert photos.training == {short_digest(digit * 64) for digit in "01"}  # those of both
    photo = np.random.default_rng(0).integers(0, 256, (48, 80, 3), np.uint8)
    maps = [salbox.load(str(folder))(photo) for folder in (tmp_path / "mean", *folders)]
    assert all(np.abs(maps[0] - other).max() > 1e-6 for other in maps[1:])


def test_runs_of_different_networks_are_refused(script, runs):
    made, _ = runs
    with pytest.warns(UserWarning, match="random weights"):
        other = network(0, width=8)
    with pytest.raises(salbox.UsageError, match="different networks"):
        script.averaged([made[0], other])
