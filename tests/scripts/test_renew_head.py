"""One head of a network that ships is written over by one that was trained on its trunk; nothing else moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import programs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import salbox  # noqa: E402
from salbox.imaging.writing import write_map  # noqa: E402
from salbox.networks.export.models import shrink_exported  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.trainable.base import TrainableNetwork  # noqa: E402
from salbox.networks.trainable.factory import build_network, rebuild  # noqa: E402
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


def export(network: TrainableNetwork, path: Path) -> None:
    teachers = {head: head.removesuffix("-new") for head in network.heads}
    export_onnx(network, path, {head: salbox.card(of) for head, of in teachers.items()}, teachers)


def test_one_head_changes_and_its_card(script, network, tmp_path):
    shipped, run = tmp_path / "box.onnx", tmp_path / "run"
    export(network, tmp_path / "float32.onnx")
    shrink_exported(tmp_path / "float32.onnx", shipped, "int8")
    run.mkdir()
    RunFolder(run).claim({"domains": 0, "keep_plain": False, "seed": 0})
    torch.manual_seed(1)
    trained = rebuild(network.name, [*HEADS, script.new_head("rare2012")], network.settings)
    weights = trained.state_dict() | network.state_dict()
    trained.load_state_dict(weights)
    export(trained.eval(), run / "student.onnx")
    write_split(run / "split.csv", {"OSIE/1": "training", "OSIE/2": "validation"})
    write_map(run / "maps" / "rare2012" / "OSIE" / "1.png", np.eye(4, dtype=np.float32), "png16", {})

    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    (before,), (learned,) = (open_network(path).maps([photo]) for path in (shipped, run / "student.onnx"))
    cards = open_network(shipped).cards
    card = script.put("rare2012", run, shipped, tmp_path / "no figures.json")
    after = open_network(shipped)
    (maps,) = after.maps([photo])

    for head in ("gbvs", "bms"):
        np.testing.assert_array_equal(maps[head], before[head])
        assert after.cards[head] == cards[head]
    new = learned[script.new_head("rare2012")]
    assert np.corrcoef(maps["rare2012"].ravel(), new.ravel())[0, 1] > 0.999
    assert np.abs(maps["rare2012"] - before["rare2012"]).max() > 0.01 * np.ptp(new)
    assert after.cards["rare2012"] == card
    assert card.origin.startswith("student of rare2012 trained on 1 photos")
    assert "the layers below the head are older" in card.origin
    assert card.agreement == "not measured yet"
