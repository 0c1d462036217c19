"""`salbox train` on the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image


def study(folder):
    """Write a study as a user has it: photos, and a table of fixations each."""
    (folder / "images").mkdir(parents=True)
    (folder / "fixations").mkdir()
    random = np.random.default_rng(1)
    for i in range(12):
        Image.fromarray(random.integers(0, 256, (40, 56, 3), np.uint8)).save(folder / "images" / f"{i:02}.png")
        rows = [f"{x:.1f},{y:.1f},{k % 3}" for k, (x, y) in enumerate(random.uniform((0, 0), (55, 39), (9, 2)))]
        (folder / "fixations" / f"{i:02}.csv").write_text("\n".join(["x,y,subject", *rows]) + "\n")
    return folder


@pytest.mark.slow
def test_a_study_of_ones_own_from_the_docs_alone(cli, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("lightning")
    monkeypatch.setenv("SALBOX_THREADS", "1")
    folder, run = study(tmp_path / "study"), tmp_path / "run"
    quick = ("--size", "32x32", "--init", "none")
    quick += ("--set", "epochs=1", "--set", "batch_size=4")
    command = ("train", "box", "--dataset", f"folder:{folder}", "-o", run, *quick)
    code, output, complaints = cli(*command, "--estimate")
    assert code == 0, complaints
    assert "together about" in output
    assert not run.exists()
    code, output, complaints = cli(*command)
    assert code == 0, complaints
    assert f"salbox predict photo.jpg -m {run} -o maps" in output
    assert json.loads((run / "card.json").read_text())["people"]["name"] == "box.people"
    code, _, complaints = cli("predict", folder / "images" / "00.png", "-m", run, "-o", tmp_path / "maps")
    assert code == 0, complaints
    code, _, complaints = cli("evaluate", "-m", run, "--dataset", f"folder:{folder}", "--metrics", "nss")
    assert code == 0
    assert "images were among the photos that" in complaints + _


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("box",), "nothing to learn from"),
        (("bax", "--dataset", "osie:x"), "did you mean 'box'"),
        (("box", "--dataset", "osi:x"), "did you mean 'osie'"),
        (("box", "--dataset", "osie:nowhere"), "no such folder"),
        (("box", "--images", "photos"), "--images and --maps go together"),
        (("box", "--max-time", "soon", "--dataset", "osie:x"), "expected HH:MM:SS"),
    ],
)
def test_wrong_usage_is_one_line(cli, tmp_path, arguments, message):
    pytest.importorskip("torch")
    pytest.importorskip("lightning")
    code, _, complaints = cli("train", *arguments, "-o", tmp_path / "run")
    assert code == 2
    assert message in complaints
    assert complaints.count("\n") == 1
    assert not (tmp_path / "run").exists()
