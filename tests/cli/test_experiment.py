"""`salbox experiment` as people use it: what it says, its exit codes, and that it goes on after it was killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("lightning")

TEXT = """
models: [a, b]
images: photos
maps: maps/{model}
recipe: {base: box, epochs: EPOCHS, size: [32, 32], batch_size: 4, network: {context: none}}
"""


@pytest.fixture
def study(tmp_path, monkeypatch) -> Path:
    """Six drawn photos, and the maps of two models that are much alike."""
    monkeypatch.setenv("SALBOX_THREADS", "1")
    for folder in ("photos", "maps/a", "maps/b"):
        (tmp_path / folder).mkdir(parents=True)
    for i in range(6):
        image = np.random.default_rng(i).integers(30, 60, (40, 48, 3), dtype=np.uint8)
        image[5 + i : 15 + i, 15:25] = 230
        Image.fromarray(image).save(tmp_path / "photos" / f"{i}.png")
        for model in ("a", "b"):
            Image.fromarray(image[:, :, 0]).save(tmp_path / "maps" / model / f"{i}.png")
    path = tmp_path / "study.yaml"
    path.write_text(TEXT.replace("EPOCHS", "2"))
    return path


def test_what_does_not_fit_is_one_line(cli, study):
    study.write_text(study.read_text().replace("images:", "image:"))
    code, _, complaints = cli("experiment", study)
    assert code == 2
    assert complaints.startswith(f"salbox: {study}: no key 'image'; did you mean 'images'")
    assert complaints.count("\n") == 1
    assert not (study.parent / "study").exists()
    code, _, complaints = cli("experiment", study.parent / "none.yaml")
    assert code == 2
    assert complaints.count("\n") == 1


@pytest.mark.slow
def test_one_that_was_killed_goes_on_and_a_model_that_fails_is_a_line(cli, study):
    """Killed in the second training; the first student is not made again, and a third model has no maps."""
    students = study.parent / "study" / "students"
    code = "if __name__ == '__main__':\n from salbox.cli.main import run; run()"
    command = [sys.executable, "-c", code, "experiment", str(study), "--workers", "1"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 120
        while not (students / "b" / "work").exists() and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        child.kill()
    assert not (students / "b" / "student.onnx").exists()
    made = (students / "a" / "student.onnx").stat().st_mtime_ns
    study.write_text(study.read_text().replace("[a, b]", "[a, b, c]"))
    exit_code, printed, complaints = cli("experiment", study, "--workers", "1")
    assert exit_code == 1
    assert f"1 failed: c: {study.parent / 'maps' / 'c'}: no such folder of maps" in complaints
    assert (students / "a" / "student.onnx").stat().st_mtime_ns == made
    assert (students / "b" / "student.onnx").is_file()
    lines = [line.split() for line in printed.splitlines()]
    assert lines[0] == ["model", "LOSS", "NSS", "CC", "SIM", "KL"]
    assert [line[0] for line in lines[1:4]] == ["a", "b", "c"]
    assert lines[3] == ["c", *"–––––"]
    assert lines[4] == ["wrote", str(study.parent / "study" / "experiment.md")]
