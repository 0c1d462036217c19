"""`salbox evaluate --teacher`: the fidelity of a student on one's own photos."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
from trees import photo

import salbox
from salbox.distillation.fidelity.mean_map import write_means
from salbox.distillation.fidelity.measure import CONSTANT
from salbox.metrics import fidelity_cc, fidelity_kl
from salbox.runtime.metadata import INPUT, KEY, OUTPUT, Head, Metadata
from salbox.runtime.preprocessing import Preprocessing

SLOPE = np.linspace(0, 1, 240 * 320, dtype=np.float32).reshape(240, 320)


@pytest.fixture
def cli(cli):
    """`salbox evaluate`."""
    return partial(cli, "evaluate")


@pytest.fixture
def photos(tmp_path):
    photo(tmp_path / "photos" / "a.png", 90, 60)
    photo(tmp_path / "photos" / "below" / "b.png", 60, 90, seed=1)
    return tmp_path / "photos"


def brightness_run(folder, heads):
    """Write a run folder whose student's maps are the channels' mean, times 1, 2, .. for each head."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Cast", [INPUT], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[3], keepdims=1),
        helper.make_node("Transpose", ["mean"], ["grey"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["grey", "factors"], [OUTPUT]),
    ]
    factors = np.arange(1, len(heads) + 1, dtype=np.float32).reshape(1, -1, 1, 1)
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", len(heads), "h", "w"])],
        [numpy_helper.from_array(factors, "factors")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    cards = [Head(name, name, replace(salbox.card("gaussian"), parameters=())) for name in heads]
    metadata = Metadata(salbox.__version__, "box", tuple(cards), Preprocessing("native", 192, 256), "score")
    helper.set_model_props(model, {KEY: metadata.to_text()})
    folder.mkdir(parents=True)
    onnx.save(model, folder / "student.onnx")
    return folder


def at_640(path):
    pixels = salbox.read_image(path)
    size = (640, 427) if pixels.shape[0] < pixels.shape[1] else (427, 640)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)


def test_a_run_against_a_classical_teacher_at_reference_size(cli, photos, tmp_path):
    student = brightness_run(tmp_path / "runs" / "mine", ["bms"])
    code, out, err = cli("-m", student, "--teacher", "bms", "--images", photos, "--csv", "--per-image")
    assert (code, err) == (0, "")
    rows = {row["image"]: row for row in csv.DictReader(out.splitlines())}
    assert rows.keys() == {"a", "below/b"}
    for name, row in rows.items():
        path = photos / f"{name}.png"
        gray, teacher = salbox.read_image(path).mean(axis=2), salbox.load("bms")(at_640(path))
        assert float(row["fidelity_cc"]) == pytest.approx(fidelity_cc(gray, teacher), abs=1e-5)
        assert float(row["fidelity_kl"]) == pytest.approx(fidelity_kl(gray, teacher), abs=1e-5)


def test_a_student_worse_than_the_constant_is_named(cli, photos, tmp_path):
    student = brightness_run(tmp_path / "runs" / "mine", ["gaussian"])
    write_means(student, {"gaussian": salbox.load("gaussian")(np.zeros((240, 320, 3), np.uint8))})
    common = ["-m", student, "--teacher", "gaussian", "--images", photos, "--metrics", "fidelity_cc"]
    _, out, _ = cli(*common, "--json")
    found = json.loads(out)
    values = {row["model"]: row["value"] for row in found["results"]}
    assert values[str(student)] < values[CONSTANT]
    (note,) = found["notes"]
    assert note.startswith(f"{student} is worse than a constant: its CC with the teacher is {values[str(student)]:.3f}")
    _, out, _ = cli(*common)
    assert f"note: {student} is worse than a constant" in out
    _, out, _ = cli(*common[:-1], "fidelity_kl", "--json")
    assert json.loads(out)["notes"] == []


@pytest.mark.slow
def test_the_mean_teacher_map_of_the_training_photos_is_a_row(cli, photos, tmp_path):
    student = brightness_run(tmp_path / "runs" / "mine", ["bms", "gbvs"])
    write_means(student, {"bms": SLOPE, "gbvs": 1 - SLOPE})
    common = ["-m", student, "--images", photos, "--metrics", "fidelity_cc", "--json", "--teacher"]
    code, out, _ = cli(*common, "bms")
    assert code == 0
    found = json.loads(out)
    values = {row["model"]: row["value"] for row in found["results"]}
    assert values.keys() == {f"{student}#bms", f"{student}#gbvs", CONSTANT}
    teachers = [salbox.load("bms")(at_640(photos / name)) for name in ("a.png", "below/b.png")]
    assert values[CONSTANT] == pytest.approx(np.mean([fidelity_cc(SLOPE, t) for t in teachers]), abs=1e-5)
    assert found["facts"][CONSTANT].startswith(f"{student / 'fidelity-mean.npz'}, bms")
    _, out, _ = cli("-m", f"{student}#gbvs", *common[2:], "aim")
    values = {row["model"]: row["value"] for row in json.loads(out)["results"]}
    teachers = [salbox.load("aim")(at_640(photos / name)) for name in ("a.png", "below/b.png")]
    assert values[CONSTANT] == pytest.approx(np.mean([fidelity_cc(1 - SLOPE, t) for t in teachers]), abs=1e-5)


def test_a_run_as_the_teacher(cli, photos, tmp_path):
    teacher = brightness_run(tmp_path / "runs" / "two", ["x", "y"])
    common = ["-m", "gaussian", "--images", photos, "--metrics", "fidelity_cc", "--csv", "--teacher"]
    code, out, err = cli(*common, teacher)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "has several heads: say which" in err
    code, out, _ = cli(*common, f"{teacher}#y")
    assert code == 0
    gray = [salbox.read_image(photos / name).mean(axis=2) for name in ("a.png", "below/b.png")]
    own = [salbox.load("gaussian")(photos / name) for name in ("a.png", "below/b.png")]
    expected = np.mean([fidelity_cc(s, t) for s, t in zip(own, gray, strict=True)])
    assert float(next(csv.DictReader(out.splitlines()))["value"]) == pytest.approx(expected, abs=1e-5)


def test_parameters_reach_the_teacher(cli, photos):
    common = ["-m", "gaussian", "--teacher", "imsig", "--images", photos, "--metrics", "fidelity_cc", "--csv"]
    values = [
        float(next(csv.DictReader(cli(*common, *more)[1].splitlines()))["value"])
        for more in ([], ["--param", "imsig:blur_sigma=.2"])
    ]
    assert values[0] != values[1]


def test_a_classical_ensemble_teaches_at_reference_size_too(cli, photos):
    code, out, _ = cli("-m", "gaussian", "--teacher", "ensemble:bms+imsig", "--images", photos)
    assert code == 0
    assert "teacher: ensemble:bms+imsig: " in out
    assert "brought to a longest side of 640" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "bms", "--teacher", "gbvs"], "give --dataset NAME:PATH, or --images DIR with a teacher"),
        (["-m", "bms", "--teacher", "gvbs", "--images", "photos"], "did you mean 'gbvs'"),
        (["--teacher", "gbvs", "--images", "photos"], "nothing to evaluate"),
        (["-m", "bms", "--teacher", "gbvs,aim", "--images", "photos"], "no model 'gbvs,aim'"),
        (["-m", "bms", "--teacher", "gbvs", "--images", "nowhere"], "--images nowhere: no such folder"),
        (["-m", "bms", "--teacher", "gbvs", "--images", "photos", "--weights", "gbvs=x.npz"], "--weights 'gbvs=x.npz'"),
        (["-m", "bms", "--teacher", "fastgaze", "--images", "photos"], "needs weights"),
        (["-m", "runs/none", "--teacher", "gbvs", "--images", "photos"], "no model 'runs/none'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(cli, photos, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
