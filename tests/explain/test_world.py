"""A world with a known answer: a network learns where people look, and what it learned comes out by its name."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from shapes_world import write_world

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("pyarrow")

# ruff: noqa: E402 - what follows needs torch

import salbox.explain
from salbox.errors import UsageError
from salbox.explain import STEPS, Explanation
from salbox.networks.factorized.design import Factorized
from salbox.networks.trainable.saved import read_weights

NETWORK = """
from torch import nn

from salbox.networks.layers import Normalize
from salbox.networks.trainable.base import TrainableNetwork
from salbox.runtime.preprocessing import Preprocessing

class Eyes(TrainableNetwork):
    def __init__(self, heads, *, size=(96, 128)):
        super().__init__("eyes", heads, Preprocessing("fixed", *size))
        self.arguments = {"size": list(size)}
        self.stride = self.covered = 4
        self.normalize = Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
        self.encoder = nn.Sequential(nn.Conv2d(3, 16, 6, 4, 1), nn.ReLU(), nn.Conv2d(16, 24, 5, padding=2), nn.ReLU())
        self.decoder = nn.Sequential(nn.Conv2d(24, 24, 5, padding=2), nn.BatchNorm2d(24))
        self.read = nn.Conv2d(24, len(heads), 1)

    def features(self, images):
        return {"decoder": self.decoder(self.encoder(self.normalize(images)))}

    def decoder_readout(self, decoded):
        return self.read(decoded)

    def forward(self, images):
        return self.decoder_readout(self.decoder_features(images))
"""
PICTURES = 120
QUICK = ("epochs=16", "optimizer.learning_rate=0.01", "schedule={name: one-cycle}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, PICTURES)
    (folder / "eyes_of_a_world.py").write_text(NETWORK)
    return folder


@pytest.fixture(scope="module")
def arguments(folder):
    return {
        "model": "eyes_of_a_world:Eyes",
        "output": folder / "why",
        "concepts": [f"masks:{folder / 'things'}"],
        "datasets": [f"folder:{folder / 'looks'}"],
        "weights": "none",
        "bases": 24,
        "min_photos": 5,
        "replicates": 50,
        "settings": QUICK,
    }


@pytest.fixture(scope="module")
def found(folder, arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("SALBOX_THREADS", "1")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on random weights, and what PyTorch says of exporting
            made = salbox.explain.explain(**arguments)
        yield made


def test_what_people_look_at_is_what_makes_salient(found):
    table = found.contributions.set_index("concept")["scaled"]
    assert len(table) == 9
    assert table.index[0] == "red circle"
    assert table.iloc[0] == 1
    assert table.iloc[1:].max() < 0.2
    (row,) = found.contributions[:1].itertuples()
    assert row.low > 0


def test_the_summary_and_the_bases_agree(found):
    bases, summary = found.bases, found.summary
    assert (len(bases), summary["bases"], summary["photos"], summary["concepts"]) == (24, 24, PICTURES, 9)
    is_named = (bases["iou"] > 0.04) & (bases["low"] > bases["chance"])
    assert summary["named_bases"] == bases["is_named"].sum() == is_named.sum()
    assert summary["explained_by_named"] <= 1
    second = read_weights(found.folder / "reformulate" / "run" / "student.safetensors")
    assert isinstance(second, Factorized)
    kernel = second.weights.weight.detach().numpy()
    np.testing.assert_allclose(bases["weight"], kernel[0].sum(axis=(1, 2)), rtol=1e-5)


def test_the_second_phase_changes_the_last_layer_alone(found):
    first, second = (
        read_weights(found.folder / phase / "run" / "student.safetensors").state_dict()
        for phase in ("factorize", "reformulate")
    )
    assert set(second) - set(first) == {"weights.weight"}
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_one_basis_is_opened(found):
    known = found.basis(3, photos=2)
    assert known["basis"] == 3
    assert known["concepts"]["iou"].is_monotonic_decreasing
    assert [len(known["concepts"]), len(known["photos"])] == [5, 2]
    assert known["photos"][0][0].startswith("masks/")
    with pytest.raises(UsageError, match=r"no basis 24: there are 24, counted from 0"):
        found.basis(24)


def test_a_factorised_network_is_explained_without_further_training(found, arguments, tmp_path):
    run = found.folder / "reformulate" / "run"
    again = salbox.explain.explain(**{**arguments, "model": str(run), "output": tmp_path, "replicates": 2})
    np.testing.assert_array_equal(again.contributions["scaled"], found.contributions["scaled"])
    assert not (tmp_path / "factorize").exists()


def test_what_is_there_is_not_made_again(found, arguments, monkeypatch):
    files = {path: path.stat().st_mtime_ns for path in found.folder.rglob("*.parquet") if "contrib" not in path.name}
    with pytest.warns(Warning, match="starts from random weights"):
        again = salbox.explain.explain(**{**arguments, "step": "contributions", "top": 1})
    assert all(path.stat().st_mtime_ns == time for path, time in files.items() if "categor" not in path.name)
    assert again.contributions["concept"].iloc[0] == "red circle"


def test_a_folder_holds_one_explanation(found, arguments):
    with pytest.raises(UsageError, match=r"holds another explanation \(bases differs\)"):
        salbox.explain.explain(**{**arguments, "bases": 23})


def test_what_failed_before_its_first_step_holds_no_folder(folder, arguments, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    warnings.simplefilter("ignore")
    wanted = {**arguments, "output": tmp_path, "datasets": ()}
    with pytest.raises(UsageError, match="nothing to learn from"):
        salbox.explain.explain(**wanted)
    assert len(salbox.explain.explain(**{**wanted, "train": False}).bases) == 24


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"step": "thresholds"}, "step thresholds needs what factorize writes"),
        ({"step": "threshold"}, r"no step 'threshold'; did you mean 'thresholds'|no step 'threshold'.*thresholds"),
        ({"datasets": ()}, "nothing to learn from: give --dataset"),
        ({"concepts": ()}, "no concepts: give --concepts"),
        ({"min_photos": PICTURES + 1, "train": False}, "no concept is on 121 of 120 photos"),
        ({"layer": "decoder"}, "--layer goes with --no-train"),
        ({"layer": "decode", "train": False}, "no feature 'decode'.*decoder"),
        ({"kept": 0.0}, "expected a share"),
    ],
)
def test_errors_say_what_to_do(folder, arguments, tmp_path, monkeypatch, changed, message):
    monkeypatch.syspath_prepend(folder)
    warnings.simplefilter("ignore")  # on the random weights that all start from
    with pytest.raises(UsageError, match=message):
        salbox.explain.explain(**{**arguments, "output": tmp_path / "why", **changed})


def test_channels_as_they_are(folder, arguments, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    with pytest.warns(Warning, match="random weights"):
        found = salbox.explain.explain(**{**arguments, "output": tmp_path, "train": False, "datasets": ()})
    assert isinstance(found, Explanation)
    assert len(found.bases) == 24
    assert "weight" not in found.bases
    assert not (tmp_path / "contributions.parquet").exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        *("explain.json", "photos.json", "vocabulary.parquet"),
        *("thresholds.parquet", "dissection", "dissection.parquet", "bases.parquet", "report.html"),
    }
    assert json.loads((tmp_path / "explain.json").read_text())["trained"] is False
    assert found.thresholds["places"].iloc[0] == PICTURES * 24 * 32
    assert STEPS[-2:] == ("contributions", "report")
