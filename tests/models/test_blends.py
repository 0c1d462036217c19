"""Blends: the files, the models that they are, and what they refuse."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest
from skimage import data

import salbox
from salbox.errors import UsageError
from salbox.evaluation.code import code_fingerprint, weights_hashes
from salbox.models.blends import Blend, Member, read_blend, write_blend
from salbox.models.curves import Curve, on_common_scale
from salbox.models.exported import packaged
from salbox.models.profiles import Center, Tail, working_copy

UP = Curve((-2.0, 0.0, 4.0), (0.0, 0.2, 1.0))
MEMBERS = (
    Member("gbvs.student", "score", 2.0, UP),
    Member("bms.student", "score", 1.5, UP),
    Member("gaussian", "score", 0.5, UP, {"sigma": 0.3}),
)
FIXATIONS = Blend("fixation", MEMBERS, Tail(1.0, 0.02, Center(0.5)))
OBJECTS = Blend("object", MEMBERS, bias=-3.0)


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(data.chelsea()[:120, :160])


def written(tmp_path, blend, name="mine.json"):
    write_blend(tmp_path / name, blend)
    return str(tmp_path / name)


@pytest.mark.parametrize("blend", [FIXATIONS, OBJECTS])
def test_files(tmp_path, blend):
    assert read_blend(tmp_path / written(tmp_path, blend)) == blend


def test_is_the_sum_of_what_the_models_say(tmp_path, photo):
    maps = {
        "gbvs.student": salbox.load("gbvs.student")(photo),
        "bms.student": salbox.load("bms.student")(photo),
        "gaussian": salbox.load("gaussian", sigma=0.3)(photo),
    }
    priorities = sum(
        m.weight * np.interp(on_common_scale(working_copy(maps[m.model], "score"), "score"), UP.x, UP.y)
        for m in MEMBERS
    )
    found = salbox.load(written(tmp_path, FIXATIONS))(photo)
    np.testing.assert_allclose(found, FIXATIONS.tail.log_density(priorities, (120, 160)), atol=1e-3)
    said = sum(m.weight * np.interp(on_common_scale(maps[m.model], "score"), UP.x, UP.y) for m in MEMBERS)
    share = salbox.load(written(tmp_path, OBJECTS, "objects.json"))(photo)
    np.testing.assert_allclose(share, 1 / (1 + np.exp(3.0 - said)), atol=1e-4)


def test_works_wherever_a_name_does(tmp_path, photo):
    name = written(tmp_path, FIXATIONS)
    card = salbox.card(name)
    assert (card.name, card.output, card.task) == ("mine", "log_density", "fixation")
    assert "gbvs.student 2" in card.summary
    assert salbox.card("gbvs.student").commercial_use in card.commercial_use
    maps = salbox.predict(photo, [name, "bms.student"])
    assert np.exp(maps[name].astype(float)).sum() == pytest.approx(1, abs=1e-4)
    model = salbox.load(name)
    np.testing.assert_allclose(maps[name], model(photo), atol=1e-4)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model))(photo), model(photo))


def test_heads_of_one_network_share_a_pass(tmp_path, photo, monkeypatch):
    model = salbox.load(written(tmp_path, FIXATIONS))
    network = model.function.models["bms.student"].network
    calls = []
    own = type(network).maps
    monkeypatch.setattr(
        type(network), "maps", lambda self, *given, **more: calls.append(1) or own(self, *given, **more)
    )
    model(photo)
    salbox.predict(photo, [model, "ikn.student"])
    assert len(calls) == 2


def test_members_that_are_files_lie_relative_to_the_blend(tmp_path, photo):
    (tmp_path / "networks").mkdir()
    shutil.copy(packaged("gaze.onnx"), tmp_path / "networks" / "own.onnx")
    reads = salbox.card(str(tmp_path / "networks" / "own.onnx")).output
    curve = Curve((-5.0, 5.0), (0.0, 1.0))
    name = written(tmp_path, Blend("fixation", (Member("networks/own.onnx", reads, 3.0, curve), MEMBERS[0])))
    salbox.load(name)(photo)
    shutil.move(tmp_path, f"{tmp_path}-moved")
    moved = f"{tmp_path}-moved/mine.json"
    assert salbox.load(moved)(photo).shape == (120, 160)
    hashes = weights_hashes(moved, {})
    assert any(key.endswith("own.onnx") for key in hashes)
    assert moved in hashes


def test_figures_depend_on_the_members_code(tmp_path):
    students = written(tmp_path, Blend("fixation", MEMBERS[:2]), "students.json")
    assert code_fingerprint(written(tmp_path, FIXATIONS)) != code_fingerprint(students)  # MEMBERS[2] is other code


def test_an_object_blend_is_a_probability_however_large_its_logits():
    maps = {member.model: np.zeros((4, 4)) for member in MEMBERS}
    with np.errstate(all="raise"):
        found = [Blend("object", MEMBERS, bias=bias)(maps)[0, 0] for bias in (-1e5, -0.8, 1e5)]
    assert found == pytest.approx([0, 0.5, 1], abs=1e-6)  # each curve is .2 at 0, and .2 (2 + 1.5 + .5) = .8


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ({"model": "os:system"}, "no functions of your own"),
        ({"model": "ensemble:a+b"}, "ensembles and blends"),
        ({"model": "./other.json"}, "ensembles and blends"),
        ({"model": "gbsv.student"}, "no model"),
        ({"reads": "log_density"}, "which gives a score"),
        ({"weight": -1}, "expected 0 to 1000"),
        ({"curve": None}, "its curve is missing"),
        ({"parameters": {"weights": "https://example.org/x"}}, "no parameter 'weights'"),
        ({"parameters": {"device": "cuda"}}, "no parameter 'device'"),
        ({"parameters": {"profile": "/etc/passwd"}}, "no parameter 'profile'"),
        ({"parameters": 3}, "parameters of 'gbvs.student': expected keys"),
        ({"what": 1}, "no key 'what'"),
    ],
)
def test_bad_files_are_one_line(tmp_path, member, message):
    path = written(tmp_path, FIXATIONS)
    values = json.loads((tmp_path / "mine.json").read_text())
    values["members"][0] |= member
    (tmp_path / "mine.json").write_text(json.dumps(values))
    with pytest.raises(UsageError, match=message) as raised:
        salbox.load(path)
    assert "\n" not in str(raised.value)


def test_what_is_no_blend_is_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        salbox.load("missing.json")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match="not a salbox blend"):
        salbox.card(str(tmp_path / "x.json"))
    with pytest.raises(UsageError, match="different models"):
        Blend("fixation", (MEMBERS[0], MEMBERS[0]))
