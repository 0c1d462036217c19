"""`salbox distill` as people use it: what it says, what it writes, how it goes on, and its exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("lightning")

import salbox

QUICK = ("--size", "32x32", "--set", "epochs=1", "--set", "batch_size=4", "--init", "none", "--workers", "1")
LONG = (*QUICK, "--set", "epochs=9999")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(10):
        image = np.random.default_rng(i).integers(30, 60, (48, 48, 3), dtype=np.uint8)
        image[10 + i : 20 + i, 15:25] = 230
        Image.fromarray(image).save(folder / f"{i}.png")
    return folder


@pytest.mark.slow
def test_distill_prints_the_fidelity_and_the_command_that_uses_the_student(cli, photos, tmp_path):
    out = tmp_path / "run"
    code, printed, said = cli("distill", "--teacher", "bms", "--images", photos, "-o", out, *QUICK)
    assert code == 0, said
    fidelity, command = printed.splitlines()
    assert fidelity == f"bms: {salbox.card(str(out)).agreement}"
    assert "epoch 1/1" in said
    assert command == f"salbox predict photo.jpg -m {out} -o maps"
    arguments = command.replace("photo.jpg", str(photos / "1.png")).replace("-o maps", f"-o {tmp_path / 'maps'}")
    assert cli(*arguments.split()[1:])[0] == 0
    assert (tmp_path / "maps" / "run" / "1.png").is_file()


@pytest.mark.slow
def test_estimate_says_how_long_and_leaves(cli, photos, tmp_path):
    out = tmp_path / "run"
    code, printed, _ = cli("distill", "--teacher", "bms", "--images", photos, "-o", out, *QUICK, "--estimate")
    assert code == 0
    assert [line.split(":")[0] for line in printed.splitlines()[:3]] == ["maps of bms", "training", "export and report"]
    assert "together about" in printed
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no teacher"),
        (("--teacher", "bmss"), "did you mean 'bms'"),
        (("--teacher", "bms", "--recipe", "bix"), "did you mean 'box'"),
        (("--teacher", "bms", "--set", "epoch=3"), "did you mean 'epochs'"),
        (("--teacher", "bms", "--student", "bax"), "did you mean 'box'"),
        (("--teacher", "bms", "--size", "192"), "HEIGHTxWIDTH"),
        (("--teacher", "bms", "--max-time", "soon"), "HH:MM:SS"),
        (("--teacher", "bms", "--limit", "0"), "at least 1"),
        (("--teacher", "bms", "--devices", "0"), "0 devices"),
        (("--teacher", "bms", "--set", "select=nll"), "choose by cc, nss, mae"),
        (("--teacher", "bms", "--set", "optimizer.prefixes={encodr: {rate: 0.1}}"), "did you mean 'encoder"),
        (("--teacher", "bms", "--param", "max_dims=3"), "'max_dim'"),
        (("--teacher", "bms", "--init", "nowhere.pth"), "nowhere.pth"),
        (("--teacher", "bms", "--split", "nowhere.csv"), "nowhere.csv"),
        (("--teacher", "bms", "--add-to", "nowhere"), "nowhere"),
        (("--teacher", "bms", "--pre-histogram-matching", "biast"), "did you mean 'biased'"),
        (("--teacher-maps", "nowhere"), "nowhere"),
        (("--teacher-maps", "nowhere", "--pre-threshold", "otsu"), "--pre-... does nothing without --teacher"),
        (("--teacher-maps", "nowhere", "--histogram-matched"), "--histogram-matched does nothing without --teacher"),
        (("--teacher", "bms", "--histogram-matched", "--pre-histogram-matching", "equalization"), "give one"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(cli, photos, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, printed, said = cli("distill", "--images", photos, "-o", "run", *arguments)
    assert code == 2
    assert printed == ""
    assert message in said.splitlines()[-1]
    assert said.count("\n") == 1
    assert not list(tmp_path.glob("run/student.onnx"))


@contextmanager
def _started(photos: Path, out: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run that would go on for hours; it is killed at the end of the block."""
    arguments = ["distill", "--teacher", "bms", "--images", str(photos), "-o", str(out), *LONG]
    code = "if __name__ == '__main__':\n from salbox.cli.main import run; run()"
    environment = {**os.environ, "SALBOX_THREADS": "1"}
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as running:
        try:
            yield running
        finally:
            running.kill()


def _until_it_trains(running: subprocess.Popen[str]) -> str:
    """Return the line of the first epoch that ends."""
    assert running.stderr is not None
    lines = []
    for line in running.stderr:
        lines.append(line)
        if line.startswith("epoch"):
            return line
    raise AssertionError("".join(lines))


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_and_one_that_is_interrupted_says_so(photos, tmp_path):
    with _started(photos, tmp_path / "run") as killed:
        assert _until_it_trains(killed).startswith("epoch 1/")
    for number in (signal.SIGINT, signal.SIGTERM):
        with _started(photos, tmp_path / "run") as again:
            assert not _until_it_trains(again).startswith("epoch 1/")
            again.send_signal(number)
            _, said = again.communicate(timeout=60)
            assert again.returncode == 130
            assert said.splitlines()[-1] == "salbox: interrupted"
            assert "Traceback" not in said


@pytest.mark.slow
def test_a_run_of_the_loop_before_is_refused_in_one_line(cli, photos, tmp_path):
    import torch

    with _started(photos, tmp_path / "run") as killed:
        _until_it_trains(killed)
    work = tmp_path / "run" / "work"
    torch.save({"format": 1}, work / "last.pt")
    code, _, said = cli("distill", "--teacher", "bms", "--images", photos, "-o", tmp_path / "run", *LONG)
    assert code == 2
    assert said.splitlines()[-1].endswith(f"remove {work} to train anew")
