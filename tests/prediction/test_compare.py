"""`salbox compare` and `salbox predict -`: one photo in, one picture or map out."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage import data

import salbox
from salbox.cli.main import run
from salbox.prediction import compare
from salbox.prediction.compare import compare_models

COMMAND = [sys.executable, "-c", "from salbox.cli.main import run; run()"]


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "cat.png"
    Image.fromarray(data.chelsea()).save(path)
    return path


def test_compare_draws_models_people_and_differences(photo, tmp_path, capsys):
    (tmp_path / "points.csv").write_text("x,y\n100,50\n200,150\n")
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "truth.png")
    arguments = ["compare", photo, "-m", "bms,gaussian", "-o", tmp_path / "grid.png", "--difference", "bms,gaussian"]
    arguments += ["--fixations", tmp_path / "points.csv", "--ground-truth", tmp_path / "truth.png", "--size", "200"]
    with pytest.raises(SystemExit) as left:
        run([str(a) for a in arguments])
    assert not left.value.code
    assert "grid.png" in capsys.readouterr().out
    assert salbox.read_image(tmp_path / "grid.png").shape[1] == 1540


def test_compare_draws_several_photos_a_row_each(photo, tmp_path, capsys):
    Image.fromarray(data.chelsea()[:, ::-1]).save(tmp_path / "turned.png")
    arguments = ["compare", photo, tmp_path / "turned.png", "-m", "gaussian", "-o", tmp_path / "grid.png"]
    arguments += ["--overlay", "--contours", "--same-scale", "--legend"]
    with pytest.raises(SystemExit) as left:
        run([str(a) for a in arguments])
    assert not left.value.code, capsys.readouterr().err
    height, width, _ = salbox.read_image(tmp_path / "grid.png").shape
    # Two rows of two pictures, 451 wide and 300 high each.
    assert height / width == pytest.approx(300 / 451, abs=0.06)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--same-scale"], "--same-scale does nothing without several photos"),
        (["--contours"], "--contours does nothing without --overlay"),
        (["--overlay", "--alpha", "2"], "opacity 2"),
        (["again.png", "--fixations", "points.csv"], "belong to one photo"),
    ],
)
def test_compare_refuses_what_has_no_meaning(photo, tmp_path, arguments, message, capsys):
    with pytest.raises(SystemExit) as left:
        run(["compare", str(photo), *arguments, "-m", "bms", "-o", str(tmp_path / "grid.png")])
    assert left.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"differences": ["bms"]}, "expected two models"),
        ({"differences": ["bms,aim"]}, "no map of 'aim'"),
        ({"output": "grid.gif"}, "one of .png"),
    ],
)
def test_compare_says_what_does_not_fit(photo, tmp_path, options, message):
    options = {"output": "grid.png", **options}
    output = tmp_path / options.pop("output")
    with pytest.raises(salbox.UsageError, match=message):
        compare_models(str(photo), {"bms": {}}, output, **options)
    assert not output.exists()


def test_compare_reads_points_before_it_computes(photo, tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "load_for", lambda *_: pytest.fail("a model was loaded"))
    with pytest.raises(salbox.SalboxError, match=r"points\.csv"):
        compare_models(str(photo), {"bms": {}}, tmp_path / "grid.png", fixations=tmp_path / "points.csv")


def test_standard_input_to_standard_output(photo):
    done = subprocess.run(
        [*COMMAND, "predict", "-", "-m", "bms", "-o", "-", "--format", "npy"],
        input=photo.read_bytes(),
        capture_output=True,
        check=True,
    )
    np.testing.assert_array_equal(np.load(io.BytesIO(done.stdout)), salbox.load("bms")(photo))


@pytest.mark.parametrize(
    ("arguments", "content", "message"),
    [
        (["-", "-m", "bms", "-o", "-"], b"nothing", "stdin: not an image"),
        (["-", "-m", "bms", "-o", "-"], b"", "stdin: empty file"),
        (["-", "a.png", "-m", "bms", "-o", "x"], b"", "no other input"),
        (["-", "-m", "bms,gaussian", "-o", "-"], b"", "one model"),
    ],
)
def test_streams_say_what_does_not_fit(arguments, content, message, tmp_path):
    done = subprocess.run(
        [*COMMAND, "predict", *arguments], input=content, capture_output=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""


def test_standard_input_to_a_folder(photo, tmp_path):
    subprocess.run(
        [*COMMAND, "predict", "-", "-m", "gaussian", "-o", str(tmp_path / "out")], input=photo.read_bytes(), check=True
    )
    assert (tmp_path / "out" / "gaussian" / "stdin.png").exists()
