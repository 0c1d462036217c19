"""The record of a run: whose folder it is, and that what is noted is there whenever it is read."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("pydantic")

from salbox.errors import UsageError
from salbox.training.recipe import read_recipe
from salbox.training.run_folder import RunFolder
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


CONTENTS = {"photos": "aa", "maps of mine": "bb"}


def half_trained(path):
    folder = RunFolder(path)
    assert folder.claim(IDENTITY, CONTENTS) == ()
    folder.note(heads=["bms"], flip_cc={"bms": {"h": 0.9}})
    folder.note_recipe(read_recipe("box"))
    folder.work.mkdir()
    (folder.work / "last.pt").write_bytes(b"trained on what was there")
    return folder


def test_a_run_on_the_same_files_goes_on(tmp_path):
    half_trained(tmp_path)
    folder = RunFolder(tmp_path)
    assert folder.claim(IDENTITY, CONTENTS) == ()
    assert folder.flip_cc
    assert (folder.work / "last.pt").exists()


def test_an_unfinished_run_whose_files_changed_begins_anew(tmp_path):
    half_trained(tmp_path)
    for folder in (RunFolder(tmp_path), RunFolder(tmp_path)):
        found = folder.claim(IDENTITY, {**CONTENTS, "photos": "cc"})
        assert (folder.heads, folder.recipe, folder.flip_cc, folder.work.exists()) == ((), None, {}, False)
        assert folder.contents == {**CONTENTS, "photos": "cc"}
    assert found == ()


def test_what_changed_is_named(tmp_path):
    half_trained(tmp_path)
    assert RunFolder(tmp_path).claim(IDENTITY, {**CONTENTS, "photos": "cc"}) == ("photos",)


def test_a_finished_run_whose_files_changed_is_refused(tmp_path):
    half_trained(tmp_path).finish()
    with pytest.raises(UsageError, match=r"its files changed since \(maps of mine\)"):
        RunFolder(tmp_path).claim(IDENTITY, {**CONTENTS, "maps of mine": "cc"})
    assert RunFolder(tmp_path).contents == CONTENTS


def test_a_run_that_did_not_note_its_files_is_trusted_when_it_was_finished_alone(tmp_path):
    for name, finished in (("a", True), ("b", False)):
        record = {"format": 1, "salbox": "0.1.0", "identity": IDENTITY, "finished": finished}
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps(record))
    assert RunFolder(tmp_path / "a").claim(IDENTITY, CONTENTS) == ()
    assert RunFolder(tmp_path / "b").claim(IDENTITY, CONTENTS) == tuple(CONTENTS)


ODD = [None, True, 3, 1e999, "text", [], [3], {}, {"a": 3}, {"a": {"h": "x"}}, {"a": None}]


@pytest.mark.parametrize("key", ["identity", "contents", "finished", "heads", "recipe", "flip_cc", "salbox"])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_an_odd_entry_is_one_line_or_harmless(tmp_path, key, value):
    known = {"format": 1, "salbox": "0.1.0", "identity": {**IDENTITY, "recipe": {}}, "finished": False}
    (tmp_path / "run.json").write_text(json.dumps({**known, key: value}))
    try:
        folder = RunFolder(tmp_path)
        folder.claim(IDENTITY, CONTENTS)
        assert all(isinstance(head, str) for head in folder.heads)
        assert (type(folder.finished), type(folder.flip_cc)) == (bool, dict)
        assert folder.recipe is None or folder.recipe.epochs
    except UsageError as error:
        said = str(error)
    else:
        said = str(tmp_path)
    assert str(tmp_path) in said
    assert said.isprintable()
