"""One head of a network that ships is written over by one that was trained on its trunk; nothing else moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import programs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import salbox  # noqa: E402
from salbox.imaging.writing import write_map  # noqa: E402
from salbox.networks.export.histogram_curves import put_curves  # noqa: E402
from salbox.networks.export.models import shrink_exported  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.trainable.base import TrainableNetwork  # noqa: E402
from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.networks.trainable.factory import build_network, rebuild  # noqa: E402
from salbox.runtime.fingerprint import weights_fingerprint  # noqa: E402
from salbox.runtime.histogram_curves import HistogramCurves  # noqa: E402
from salbox.runtime.network import open_network  # noqa: E402
from salbox.training.run_folder import RunFolder  # noqa: E402
from salbox.training.splitting import write_split  # noqa: E402

HEADS = ("gbvs", "rare2012", "bms")


@pytest.fixture(scope="module")
def script():
    return programs.script("renew_head")


@pytest.fixture(scope="module")
def network() -> TrainableNetwork:
    with pytest.warns(UserWarning, match="random weights"):
        return build_network("box", HEADS, size=(64, 96))


def curves(path: Path, heads: Sequence[str]) -> HistogramCurves:
    return HistogramCurves(weights_fingerprint(path), (0.5, 1.0), dict.fromkeys(heads, (0.1, 0.9)))


def export(network: TrainableNetwork, path: Path) -> None:
    teachers = {head: head.removesuffix("-new") for head in network.heads}
    export_onnx(network, path, {head: salbox.card(of) for head, of in teachers.items()}, teachers)


@pytest.mark.parametrize("sight", [None, "spectrum"])
def test_one_head_changes_and_its_card(script, network, tmp_path, sight):
    shipped, run = tmp_path / "box.onnx", tmp_path / "run"
    export(network, tmp_path / "float32.onnx")
    shrink_exported(tmp_path / "float32.onnx", shipped, "int8")
    run.mkdir()
    RunFolder(run).claim({"domains": 0, "keep_plain": False, "seed": 0})
    torch.manual_seed(1)
    new = script.new_head("rare2012")
    trained = rebuild(network.name, [*HEADS, new], {**network.settings, "sees": {new: sight} if sight else {}})
    weights = trained.state_dict() | network.state_dict()
    trained.load_state_dict(weights)
    export(trained.eval(), run / "student.onnx")
    write_split(run / "split.csv", {"OSIE/1": "training", "OSIE/2": "validation"})
    write_map(run / "maps" / "rare2012" / "OSIE" / "1.png", np.eye(4, dtype=np.float32), "png16", {})

    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    (before,), (learned,) = (open_network(path).maps([photo]) for path in (shipped, run / "student.onnx"))
    cards = open_network(shipped).cards
    put_curves(shipped, curves(shipped, HEADS))
    card = script.put("rare2012", run, shipped, tmp_path / "no figures.json")
    after = open_network(shipped)
    (maps,) = after.maps([photo])

    for head in ("gbvs", "bms"):
        np.testing.assert_array_equal(maps[head], before[head])  # to the last bit
        assert replace(after.cards[head], size=cards[head].size) == cards[head]
    assert np.corrcoef(maps["rare2012"].ravel(), learned[new].ravel())[0, 1] > 0.999
    assert np.abs(maps["rare2012"] - before["rare2012"]).max() > 0.01 * np.ptp(learned[new])
    assert after.metadata.settings["sees"] == ({"rare2012": sight} if sight else {})
    assert after.histogram_curves == curves(shipped, ("gbvs", "bms"))
    assert after.cards["rare2012"] == card
    assert card.origin.startswith("student of rare2012 trained on 1 photos")
    assert "the layers below the head are older" in card.origin
    assert card.agreement == "not measured yet"

    content = shipped.read_bytes()
    script.put("rare2012", run, shipped, tmp_path / "no figures.json")
    assert shipped.read_bytes() == content  # once more changes nothing


def test_a_head_that_sees_more_begins_as_the_old_one(script):
    torch.manual_seed(0)
    old, new = (Box(["a"], size=(64, 96), width=8, sees=own) for own in ({}, {"a": "spectrum"}))
    script.begin_as(new.head_layers[0], old.head_layers[0])
    trunk = {name: values for name, values in old.state_dict().items() if not name.startswith("head_layers")}
    new.load_state_dict(trunk, strict=False)
    images = 255 * torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(new.eval()(images), old.eval()(images))
