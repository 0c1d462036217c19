"""The record of a run: whose folder it is, and that what is noted is there whenever it is read."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("pydantic")

from salbox.distillation.run_folder import RunFolder
from salbox.errors import UsageError
from salbox.training.recipe import read_recipe
from salbox.version import __version__

IDENTITY = {"teachers": {"bms": {"model": "bms"}}, "seed": 0}


def test_what_is_noted_is_read_by_the_next_one(tmp_path):
    folder, recipe = RunFolder(tmp_path / "run"), read_recipe("box", ["epochs=3"])
    assert (folder.finished, folder.heads, folder.recipe, folder.flip_cc) == (False, (), None, {})
    folder.claim(IDENTITY)
    folder.note(heads=("bms",))
    folder.note(flip_cc={"bms": {"h": 0.99}})
    folder.note_recipe(recipe)
    for found in (folder, RunFolder(folder.path)):
        assert (found.identity, found.heads, found.flip_cc) == (IDENTITY, ("bms",), {"bms": {"h": 0.99}})
        assert found.recipe == recipe
        assert not found.finished
    assert read_recipe(str(folder.path / "recipe.yaml")) == recipe


def test_the_record_is_what_it_always_was(tmp_path):
    folder = RunFolder(tmp_path)
    folder.claim(IDENTITY)
    folder.note(heads=("bms",))
    folder.finish()
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    expected = {"format": 1, "salbox": __version__, "identity": IDENTITY, "heads": ["bms"], "finished": True}
    assert list(record.items()) == list(expected.items())


def test_a_record_of_another_version_of_salbox_keeps_its_version(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "salbox": "0.0.1", "identity": IDENTITY}))
    folder = RunFolder(tmp_path)
    folder.claim(IDENTITY)
    folder.note(heads=["bms"])
    assert json.loads((tmp_path / "run.json").read_text())["salbox"] == "0.0.1"


def test_a_run_of_a_release_whose_recipes_had_fewer_keys_is_known_again(tmp_path):
    recipe = read_recipe("box").model_dump(mode="json")
    older = {key: value for key, value in recipe.items() if key not in ("select", "accumulate")}
    record = {"format": 1, "salbox": "0.1.0", "identity": {**IDENTITY, "recipe": older}, "finished": True}
    (tmp_path / "run.json").write_text(json.dumps(record))
    folder = RunFolder(tmp_path)
    folder.claim({**IDENTITY, "recipe": recipe})
    assert folder.finished
    with pytest.raises(UsageError, match=r"recipe\.select"):
        RunFolder(tmp_path).claim({**IDENTITY, "recipe": {**recipe, "select": "mae"}})


def test_the_record_is_read_once(tmp_path):
    folder = RunFolder(tmp_path)
    folder.claim(IDENTITY)
    (tmp_path / "run.json").unlink()
    assert folder.identity == IDENTITY


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ({**IDENTITY, "seed": 1}, "seed: 0 there, 1 now"),
        ({"teachers": {"aim": {"model": "aim"}}, "seed": 0}, "teachers.aim: null there"),
        ({"seed": 0}, "teachers: .* there, null now"),
    ],
)
def test_a_folder_of_another_run_is_refused(tmp_path, identity, message):
    RunFolder(tmp_path).claim(IDENTITY)
    with pytest.raises(UsageError, match=message):
        RunFolder(tmp_path).claim(identity)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2}', "\x00"])
def test_a_broken_record_is_one_line(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UsageError, match=r"run\.json") as raised:
        RunFolder(tmp_path).claim(IDENTITY)
    assert "\n" not in str(raised.value)


def test_a_student_without_a_record_is_left_alone(tmp_path):
    RunFolder(tmp_path).student.write_bytes(b"somebody's")
    with pytest.raises(UsageError, match="no note of its run"):
        RunFolder(tmp_path).claim(IDENTITY)
    assert not (tmp_path / "run.json").exists()


def test_a_finished_run_keeps_its_logs_and_no_work(tmp_path):
    folder = RunFolder(tmp_path)
    (folder.work / "tensorboard").mkdir(parents=True)
    (folder.work / "log.csv").write_text("epoch\n1\n")
    (tmp_path / "log.csv").write_text("of a run that died after it had moved them")
    folder.keep_logs()
    folder.finish()
    assert (tmp_path / "log.csv").read_text() == "epoch\n1\n"
    assert (tmp_path / "tensorboard").is_dir()
    assert not folder.work.exists()
    assert RunFolder(tmp_path).finished
