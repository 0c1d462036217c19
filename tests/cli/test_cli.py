"""The command line as people use it: what is written, what is said, and the exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import salbox
from salbox.writing import read_notes


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    Image.fromarray(data.chelsea()).save(folder / "cat.jpg")
    Image.fromarray(data.coffee()).save(folder / "more" / "cup.png")
    return folder


def test_predict_writes_a_map_a_model_and_photo(cli, photos, tmp_path):
    out = tmp_path / "out"
    code, _, said = cli("predict", photos, "-r", "-m", "bms,gaussian", "-o", out, "--param", "gaussian:sigma=0.3")
    assert code == 0
    assert "4 outputs of 2 inputs" in said
    written = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*"))
    assert written == ["bms/cat.png", "bms/more/cup.png", "gaussian/cat.png", "gaussian/more/cup.png"]
    with Image.open(out / "bms" / "cat.png") as picture:
        assert picture.size == (451, 300)
    notes = read_notes(out / "gaussian" / "cat.png")
    assert notes["parameters"] == {"sigma": 0.3, "is_square": False}
    assert notes["salbox"] == salbox.__version__


def test_predict_npy_is_what_python_gives(cli, photos, tmp_path):
    assert cli("predict", photos / "cat.jpg", "-m", "bms", "-o", tmp_path, "--format", "npy")[0] == 0
    np.testing.assert_array_equal(np.load(tmp_path / "bms" / "cat.npy"), salbox.load("bms")(photos / "cat.jpg"))


def test_predict_leaves_what_is_there_unless_told(cli, photos, tmp_path):
    target = tmp_path / "gaussian" / "cat.png"
    target.parent.mkdir()
    target.write_text("mine")
    _, _, said = cli("predict", photos / "cat.jpg", "-m", "gaussian", "-o", tmp_path)
    assert "1 were there already" in said
    assert target.read_text() == "mine"
    cli("predict", photos / "cat.jpg", "-m", "gaussian", "-o", tmp_path, "--overwrite")
    assert read_notes(target)["model"] == "gaussian"


def test_predict_says_when_what_is_there_was_made_otherwise(cli, photos, tmp_path):
    arguments = ["predict", photos, "-r", "-m", "gaze", "-o", tmp_path / "out"]
    assert cli(*arguments)[0] == 0
    maps = [tmp_path / "out" / "gaze" / name for name in ("cat.png", "more/cup.png")]
    before = [path.read_bytes() for path in maps]
    code, _, said = cli(*arguments)
    assert (code, "2 were there already (--overwrite makes them again)" in said) == (0, True)
    code, _, said = cli(*arguments, "--quality", "best")
    assert code == 1
    assert said.splitlines()[-1] == (
        f"2 maps that are there were made otherwise ({maps[0]}: quality: 'fast' there, 'best' now): make them again "
        "with --overwrite, or choose another folder"
    )
    assert [path.read_bytes() for path in maps] == before
    code, _, said = cli(*arguments, "--quality", "best", "--overwrite")
    assert (code, "otherwise" in said) == (0, False)
    assert all(read_notes(path)["parameters"]["quality"] == "best" for path in maps)


def test_a_stream_says_so_too(cli, photos, tmp_path, monkeypatch):
    for quality, expected in (("fast", 0), ("fast", 0), ("best", 2)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((photos / "cat.jpg").read_bytes())))
        code, _, said = cli("predict", "-", "-m", "gaze", "-o", tmp_path, "--quality", quality)
        assert code == expected, said
    assert "quality: 'fast' there, 'best' now" in said
    assert "--overwrite" in said


@pytest.mark.parametrize("device", ["banana", "mps"])
def test_a_device_that_gaze_cannot_use_is_refused(cli, photos, tmp_path, device):
    code, _, said = cli("predict", photos / "cat.jpg", "-m", "gaze", "--device", device, "-o", tmp_path / "out")
    assert code == 2
    assert said.startswith(f"salbox: device '{device}': expected cpu, cuda")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        (["-m", "gaze", "--center-prior", "0"], "center_prior of gaze itself is set by --param center_prior=0"),
        (["-m", "bms,gaze", "--center-prior", "0.5"], "of gaze itself is set by --param center_prior=0.5"),
        (["-m", "bms", "--center-prior", "0"], ""),
        (["-m", "gaze", "--center-prior", "proportional"], ""),
        (["-m", "gase", "--center-prior", "0"], ""),
    ],
)
def test_an_option_that_a_model_has_as_a_parameter_too(cli, arguments, own, tmp_path):
    code, _, said = cli("predict", "a.png", "-o", tmp_path, *arguments)
    assert code == 2
    assert said.count("\n") == 1
    assert "center_prior='" in said
    assert said.rstrip().endswith(own or "proportional_mult)")


def test_broken_files_cost_a_line_each_and_exit_code_1(cli, photos, tmp_path):
    (photos / "broken.jpg").write_bytes((photos / "cat.jpg").read_bytes()[:2000])
    (photos / "empty.png").write_bytes(b"")
    (photos / "text.png").write_text("no picture")
    code, _, said = cli("predict", photos, "-m", "gaussian", "-o", tmp_path / "out")
    assert code == 1
    lines = [line for line in said.splitlines() if line.startswith("failed:")]
    assert len(lines) == 3
    assert all(any(name in line for line in lines) for name in ("broken.jpg", "empty.png", "text.png"))
    assert "3 failed: " in said.splitlines()[-1]
    assert [p.name for p in (tmp_path / "out" / "gaussian").iterdir()] == ["cat.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict"], "Missing"),
        (["predict", "a.png", "-o", "x"], "'-m'"),
        (["predict", "a.png", "-m", "bmss", "-o", "x"], "did you mean 'bms'"),
        (["predict", "a.png", "-m", "bms", "-o", "x", "--format", "gif"], "no format 'gif'"),
        (["predict", "a.png", "-m", "bms", "-o", "x", "--param", "max_dims=3"], "'max_dim'"),
        (["predict", "a.png", "-m", "bms", "-o", "x", "--param", "max_dim=3"], "at least 16"),
        (["predict", "PHOTO", "-m", "aim", "-o", "x", "--param", "basis=nowhere.mat"], "nowhere.mat"),
        (["predict", "PHOTO", "-m", "gbvs", "-o", "x", "--param", "channels=DIX"], "X"),
        (["predict", "nowhere/*.png", "-m", "bms", "-o", "x"], "no image or video matches"),
        (["predict", "--frmat", "png"], "No such option"),
        (["prdict"], "predict"),
        (["models", "bmss"], "did you mean 'bms'"),
        (["models", "--task", "objects"], "unknown task"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(cli, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo = str(Path(data.__file__).with_name("chelsea.png"))
    code, out, said = cli(*(photo if a == "PHOTO" else a for a in arguments))
    assert code == 2
    assert out == ""
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_bug_shows_no_traceback(cli, monkeypatch):
    def explode(*_):
        raise ValueError("two\nlines")

    monkeypatch.setattr("salbox.cli.models.list_models", explode)
    code, _, said = cli("models")
    assert code == 1
    assert said.count("\n") == 1
    assert "internal error" in said


def test_interrupt_is_one_line_and_exit_code_130(cli, photos, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("salbox.prediction.batch.read_image", interrupt)
    code, _, said = cli("predict", photos, "-m", "gaussian", "-o", tmp_path / "out")
    assert code == 130
    assert said.strip().splitlines()[-1] == "salbox: interrupted"
    assert not (tmp_path / "out").exists()


def test_models_lists_all_and_one(cli):
    _, out, _ = cli("models", "--long")
    assert all(name in out for name in salbox.list_models())
    code, out, _ = cli("models", "bms")
    assert code == 0
    assert "10.1109/ICCV.2013.26" in out
    assert "sample_step" in out


def test_models_as_json_and_bibtex(cli):
    cards = json.loads(cli("models", "--json")[1])
    assert [c["name"] for c in cards] == salbox.list_models()
    assert json.loads(cli("models", "bms", "--json")[1])["paper"]["year"] == 2013
    assert cli("models", "bms", "--bibtex")[1].startswith("@inproceedings{zhang2013saliency,")
    assert cli("models", "gaze", "--bibtex") == (0, "", "model 'gaze' has no paper to cite\n")


@pytest.mark.slow
def test_demo_draws_every_model(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("salbox.cli.demo.PHOTOS", ("chelsea",))
    code, out, _ = cli("demo", "-o", tmp_path)
    assert code == 0
    assert str(tmp_path / "comparison.png") in out
    assert salbox.read_image(tmp_path / "comparison.png").shape[1] > 1000
    assert sorted(p.parent.name for p in tmp_path.glob("*/chelsea.png")) == sorted(
        salbox.list_models("fixation", ready=True)
    )


@pytest.mark.slow
def test_version_and_help_as_installed():
    command = [sys.executable, "-c", "from salbox.cli.main import run; run()"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"salbox {salbox.__version__}\n"
    done = subprocess.run([*command, "predict", "--help"], capture_output=True, text=True, check=True)
    assert "--format" in done.stdout
    assert (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().startswith("Usage: salbox")
    )
