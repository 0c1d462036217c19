"""A run becomes the network that ships: 8 bits a weight, cards that say what was learned from and what was measured."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import salbox  # noqa: E402
from salbox.distillation.teachers.augmentations import plan_views  # noqa: E402
from salbox.errors import SalboxError  # noqa: E402
from salbox.imaging.inputs import ImageFile  # noqa: E402
from salbox.imaging.writing import write_map  # noqa: E402
from salbox.networks.export.histogram_curves import put_curves  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.runtime.fingerprint import weights_fingerprint  # noqa: E402
from salbox.runtime.histogram_curves import HistogramCurves  # noqa: E402
from salbox.runtime.network import open_network  # noqa: E402
from salbox.training.run_folder import RunFolder  # noqa: E402
from salbox.training.splitting import write_split  # noqa: E402

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "ship_students.py"
HEADS = ("gbvs", "rare2012", "fastgaze")
PARTS = {"OSIE/1": "training", "OSIE/2": "training", "DUTS-TR/a": "training", "OSIE/3": "validation"}
PLAN = {"domains": 0.5, "keep_plain": False, "seed": 5}  # OSIE/2 is changed
TRAINING = [ImageFile(Path(name), Path(name)) for name, part in PARTS.items() if part == "training"]
VIEWS = plan_views(TRAINING, share=PLAN["domains"], keep_plain=False, seed=PLAN["seed"])
# Beside the training's, maps of other parts, of a photo that left, and of another training in the same folder.
OTHERS = ("DUTS-TR/a@flip-h", "OSIE/3", "OSIE/3@grey", "OSIE/9", *(f"{p.output}" for p in TRAINING), "OSIE/1@ad")
MAPS = tuple(dict.fromkeys([*(view.key for view in VIEWS), *OTHERS]))


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("ship_students", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    RunFolder(folder).claim(PLAN)
    with pytest.warns(UserWarning, match="random weights"):
        network = build_network("box", HEADS, size=(64, 96))
    cards = {head: salbox.card(head) for head in HEADS}
    export_onnx(network, folder / "student.onnx", cards, {head: head for head in HEADS})
    write_split(folder / "split.csv", PARTS)
    for head in HEADS:
        for name in MAPS if head != "rare2012" else MAPS[:1]:
            write_map(folder / "maps" / head / f"{name}.png", np.eye(4, dtype=np.float32), "png16", {})
    return folder


def figures(fingerprint: str) -> dict:
    own = {"pictures": 70, "cc": 0.9312, "cc_std": 0.04, "kl": 0.0213, "kl_std": 0.01}
    own |= {"constant_cc": 0.5, "constant_kl": 0.3}
    by_head = dict.fromkeys(HEADS, own)
    return {"weights": fingerprint, "osie": by_head, "domains": {"noise": by_head, "jpeg": by_head}}


def test_cards_say_what_each_head_learned_from(script, run, tmp_path):
    target = tmp_path / "box.onnx"
    script.ship(run, target, tmp_path / "none.json")
    student = open_network(target)
    assert student.heads == HEADS
    gbvs, rare, gaze = (student.cards[head] for head in HEADS)
    assert gbvs.name == "gbvs.student"
    assert gbvs.origin.startswith("student of gbvs trained on 3 photos, 1 of them changed")
    assert "2 of OSIE (Xu et al. 2014: MIT); 1 of DUTS-TR (Wang et al. 2017: research use)" in (
        gbvs.license.training_data
    )
    assert rare.origin.startswith("student of rare2012 trained on 1 photos, 0 of them")
    assert any("not verified" in limit for limit in rare.limits)
    assert not any("not verified" in limit for limit in gbvs.limits)
    assert salbox.card("fastgaze").license.weights in gaze.license.weights
    assert "teacher's" not in rare.license.weights  # it has none
    assert f"{target.stat().st_size / 1e6:.1f} MB" in gbvs.size
    assert {card.agreement for card in student.cards.values()} == {"not measured yet"}


def test_weights_take_less_room_and_maps_stay(script, run, tmp_path):
    target = tmp_path / "box.onnx"
    script.ship(run, target, tmp_path / "none.json")
    assert target.stat().st_size < 0.62 * (run / "student.onnx").stat().st_size
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    (before,), (after,) = (open_network(path).maps([photo]) for path in (run / "student.onnx", target))
    for head in HEADS:
        assert np.corrcoef(before[head].ravel(), after[head].ravel())[0, 1] > 0.999


def test_figures_are_stated_of_the_network_that_they_were_measured_on(script, run, tmp_path):
    target, kept = tmp_path / "box.onnx", tmp_path / "figures.json"
    script.ship(run, target, kept)
    fingerprint = weights_fingerprint(target)
    kept.write_text(json.dumps(figures(fingerprint)), encoding="utf-8")
    script.ship(run, target, kept)
    assert weights_fingerprint(target) == fingerprint
    found = open_network(target).cards["gbvs"]
    assert found.agreement.startswith("CC 0.931 ± 0.040, KL 0.021 ± 0.010 with its teacher on 70 test photos of OSIE")
    assert found.limits[-1] == "Mean CC by kind of picture (70 each): noise 0.93, jpeg 0.93."
    kept.write_text(json.dumps(figures("another")), encoding="utf-8")
    script.ship(run, target, kept)
    assert open_network(target).cards["gbvs"].agreement == "not measured yet"


def test_histogram_curves_stay_where_the_weights_do(script, run, tmp_path):
    target = tmp_path / "box.onnx"
    script.ship(run, target, tmp_path / "none.json")
    curves = HistogramCurves(weights_fingerprint(target), (0.5, 1.0), dict.fromkeys(HEADS, (0.0, 1.0)))
    put_curves(target, curves)
    script.ship(run, target, tmp_path / "none.json")
    assert open_network(target).histogram_curves == curves
    with pytest.warns(UserWarning, match="random weights"):
        other = build_network("box", HEADS, size=(64, 96), seed=1)
    export_onnx(other, target, {head: salbox.card(head) for head in HEADS}, {head: head for head in HEADS})
    put_curves(target, replace(curves, weights=weights_fingerprint(target)))
    script.ship(run, target, tmp_path / "none.json")
    assert open_network(target).histogram_curves is None


def test_a_run_that_is_not_finished_ships_nothing(script, tmp_path):
    with pytest.raises(SalboxError):
        script.ship(tmp_path / "nowhere", tmp_path / "box.onnx")
    assert not list(tmp_path.iterdir())
