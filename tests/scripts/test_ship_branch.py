"""A branch's heads come beside those of a network that ships, whose maps do not move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import programs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("lightning")

import salbox  # noqa: E402
from salbox.imaging.inputs import ImageFile  # noqa: E402
from salbox.networks.export.models import shrink_exported  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.trainable.factory import build_network, rebuild  # noqa: E402
from salbox.networks.trainable.reload import read_exported  # noqa: E402
from salbox.networks.trainable.saved import save_weights  # noqa: E402
from salbox.runtime.network import open_network  # noqa: E402

BRANCH = {
    "branch": ["unisal", "sam", "dgii"],
    "rows": [1, 1, 1, 1],
    "leaves": 1,
    "branch_decoder": "unisal",
    "branch_head_width": 4,
}


@pytest.fixture(scope="module")
def script():
    return programs.script("ship_branch")


@pytest.fixture
def shipped(tmp_path):
    """A network of two heads in 8 bits, as `salbox.models.registry.SHIPPED` is."""
    with pytest.warns(UserWarning, match="random weights"):
        network = build_network("box", ["gbvs", "bms"], size=(64, 96))
    cards = {head: salbox.card(head) for head in network.heads}
    export_onnx(network, tmp_path / "float32.onnx", cards, {"gbvs": "gbvs", "bms": "bms"})
    shrink_exported(tmp_path / "float32.onnx", tmp_path / "box.onnx", "int8")
    return tmp_path / "box.onnx"


@pytest.fixture
def run(script, shipped, tmp_path, monkeypatch):
    """A branch beside that network's trunk, and what it learned from: two photos, of which one of its heads saw one."""
    source = read_exported(shipped)
    torch.manual_seed(0)
    branch = rebuild("branched-box", BRANCH["branch"], {**source.settings, **BRANCH})
    (tmp_path / "run").mkdir()
    save_weights(branch.eval(), tmp_path / "run" / script.WEIGHTS)
    photos = [ImageFile(Path(f"{name}.jpg"), Path(name)) for name in ("OSIE/1001", "DUTS-TR/a")]
    monkeypatch.setattr(script, "learned", lambda head: photos[: 1 + (head == "sam")])
    monkeypatch.setattr(script, "card", lambda name: salbox.card(Path(name).name.removesuffix("-0")))
    return tmp_path / "run"


def test_heads_come_beside_those_that_stay(script, shipped, run, tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    (before,) = open_network(shipped).maps([photo])
    cards = script.ship(run, shipped, tmp_path / "no figures.json")
    after = open_network(shipped)
    (maps,) = after.maps([photo])
    assert list(maps) == ["gbvs", "bms", "unisal", "sam", "dgii"]
    for head in before:
        np.testing.assert_array_equal(maps[head], before[head])  # to the last bit
        assert after.cards[head].agreement == salbox.card(head).agreement
        assert after.cards[head].size.endswith("all 5 heads together")
    assert after.cards == cards
    sam = cards["sam"]
    assert sam.origin.startswith("student of sam.lite0.people trained on 2 photos; its layers are its own and those of")
    assert cards["dgii"].origin.startswith("student of dgii.lite0.people trained on 1 photos")
    assert "not the published network" in sam.limits[0]
    assert sam.license.training_data.startswith("1 of OSIE")
    assert sam.agreement == "not measured yet"
    assert {head.name: head.teacher for head in after.metadata.heads}["dgii"] == "dgii.lite0.people"

    content = shipped.read_bytes()
    script.ship(run, shipped, tmp_path / "no figures.json")
    assert shipped.read_bytes() == content


def test_maps_that_moved_stop_it(script, shipped, tmp_path):
    with pytest.warns(UserWarning, match="random weights"):
        other = build_network("box", ["gbvs", "bms"], size=(64, 96), seed=1)
    export_onnx(
        other, tmp_path / "other.onnx", {h: salbox.card(h) for h in other.heads}, {"gbvs": "gbvs", "bms": "bms"}
    )
    with pytest.raises(SystemExit, match="have moved by"):
        script.ensure_same(open_network(shipped), open_network(tmp_path / "other.onnx"))
