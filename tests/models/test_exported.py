"""Files that salbox wrote, named by their path; one pass for all heads, batches for many images."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from skimage import data

import salbox

pytest.importorskip("torch")
pytest.importorskip("onnx")

HEADS = ("bms", "gbvs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run of two heads and a file of one; nothing learned, the point is the plumbing."""
    from salbox.networks.export.onnx import export_onnx
    from salbox.networks.trainable.factory import build_network

    made = tmp_path_factory.mktemp("saved")
    cards = {name: replace(salbox.card(name), name=f"{name}.student", parameters=()) for name in HEADS}
    (made / "runs" / "two").mkdir(parents=True)
    with pytest.warns(UserWarning, match="random"):
        two = build_network("box", HEADS, seed=1, size=(64, 64))
    with pytest.warns(UserWarning, match="random"):
        one = build_network("box", HEADS[:1], seed=2, size=(64, 64))
    export_onnx(two, made / "runs" / "two" / "student.onnx", cards, {name: name for name in HEADS})
    export_onnx(one, made / "one.onnx", cards, {name: name for name in HEADS})
    return made


@pytest.fixture
def passes(monkeypatch):
    """How many images went through which network, counted."""
    from salbox.runtime.network import ExportedNetwork

    counted: Counter[str] = Counter()
    run = ExportedNetwork._run

    def counting(self, images):
        counted["passes"] += 1
        counted["images"] += len(images)
        return run(self, images)

    monkeypatch.setattr(ExportedNetwork, "_run", counting)
    return counted


def test_a_path_works_where_a_name_does(folder):
    model = salbox.load(str(folder / "one.onnx"))
    saliency = model(data.chelsea())
    assert saliency.shape == data.chelsea().shape[:2]
    assert saliency.dtype == np.float32
    assert model.name == "one"
    assert salbox.card(str(folder / "one.onnx")).title == salbox.card("bms").title


def test_heads_of_one_network_share_a_pass(folder, passes):
    run = str(folder / "runs" / "two")
    maps = salbox.predict(data.chelsea(), [f"{run}#gbvs", "bms", f"{run}#bms"])
    assert passes == {"passes": 1, "images": 1}
    assert list(maps) == [f"{run}#gbvs", "bms", f"{run}#bms"]
    np.testing.assert_array_equal(maps[f"{run}#bms"], salbox.load(f"{run}#bms")(data.chelsea()))
    assert not np.array_equal(maps[f"{run}#bms"], maps[f"{run}#gbvs"])


def test_a_network_is_all_of_its_heads(folder):
    run = str(folder / "runs" / "two")
    assert list(salbox.predict(data.chelsea(), run)) == [f"{run}#bms", f"{run}#gbvs"]
    with pytest.raises(salbox.UsageError, match="several heads"):
        salbox.load(run)


def test_many_images_go_through_in_batches(folder, passes):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (60, 60 + i % 2, 3), dtype=np.uint8) for i in range(20)]
    maps = salbox.predict(images, str(folder / "one.onnx"))
    assert passes["images"] == 20
    assert passes["passes"] <= 4
    assert [m[str(folder / "one.onnx")].shape for m in maps] == [image.shape[:2] for image in images]
    for image, found in zip(images[:3], maps, strict=False):
        one = salbox.predict(image, str(folder / "one.onnx"))
        np.testing.assert_allclose(found[str(folder / "one.onnx")], one[str(folder / "one.onnx")], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("runs/none", salbox.UsageError, "no file of that name"),
        ("runs", salbox.UsageError, "no model 'runs'"),
        ("runs/", salbox.UsageError, "no model in this folder"),
        ("runs/two#gvbs", salbox.UsageError, "did you mean 'gbvs'"),
        ("none.onnx", salbox.UsageError, "no file of that name"),
        ("broken.onnx", salbox.WeightsError, "broken.onnx"),
    ],
)
def test_refuses_in_one_line(folder, monkeypatch, name, error, message):
    monkeypatch.chdir(folder)
    (folder / "broken.onnx").write_bytes((folder / "one.onnx").read_bytes()[:1000])
    with pytest.raises(error, match=message) as caught:
        salbox.load(name)
    assert "\n" not in str(caught.value)


def test_weights_are_inside(folder):
    with pytest.raises(salbox.UsageError, match="weights inside"):
        salbox.load(str(folder / "one.onnx"), weights="w.pth")


def test_the_command_line_takes_paths(folder, tmp_path, capsys):
    from PIL import Image

    from salbox.cli.main import run

    photo = tmp_path / "chelsea.png"
    Image.fromarray(data.chelsea()).save(photo)
    two, one = folder / "runs" / "two", folder / "one.onnx"
    with pytest.raises(SystemExit) as done:
        run(["predict", str(photo), "-m", f"{two},{one},ensemble:bms+{one}", "-o", str(tmp_path / "maps"), "--json"])
    assert done.value.code == 0
    written = {path.parent.name for path in (tmp_path / "maps").rglob("*.png")}
    assert written == {"two.bms", "two.gbvs", "one", "ensemble-bms+one"}
    assert len(json.loads(capsys.readouterr().out)[0]["written"]) == 4


def test_two_models_of_one_name_are_refused(folder, tmp_path):
    from salbox.models.specs import parse_models

    (tmp_path / "one.onnx").write_bytes((folder / "one.onnx").read_bytes())
    with pytest.raises(salbox.UsageError, match="both called 'one'"):
        parse_models([f"{folder / 'one.onnx'},{tmp_path / 'one.onnx'}"])


def test_files_of_this_package_are_looked_for_once(monkeypatch):
    """Eleven heads of one file are one answer: it does not change while the program runs."""
    from salbox.models import exported
    from salbox.models.registry import STUDENTS

    before = [salbox.load(f"{head}.student") for head in STUDENTS]
    monkeypatch.setattr(exported, "model_file", None)
    after = [salbox.load(f"{head}.student") for head in STUDENTS]
    assert len({model.weights for model in (*before, *after)}) == 1
