"""Two machines that share a training, here two processes that meet by gloo: as one with the whole batch."""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox.errors import UsageError
from salbox.training.nodes import check_nodes, node_folder

# Its encoder is frozen and it has no batch norm that learns: a share of a batch is learned from as the batch is.
COMMAND = ("dgii", "--encoder", "resnet18", "--init", "none", "--size", "32x32")
SETTINGS = ("epochs=2", "batch_size=4", "epoch_images=8", "schedule.milestones=[1]", "freeze_encoder_epochs=2")
CODE = "import sys; from salbox.cli.main import run; sys.exit(run())"


def photos_of(root):
    """Write photos of noise, and where two people looked at them."""
    for part in ("images", "fixations"):
        (root / part).mkdir(parents=True)
    random = np.random.default_rng(0)
    for i in range(16):
        Image.fromarray(random.integers(0, 256, (48, 64, 3), np.uint8)).save(root / "images" / f"{i:02}.png")
        lines = [f"{x},{y},{k % 2}" for k, (x, y) in enumerate(random.integers(0, 48, (6, 2)))]
        (root / "fixations" / f"{i:02}.csv").write_text("x,y,subject\n" + "\n".join(lines) + "\n")
    return root


def begin(people, run, **variables) -> subprocess.Popen:
    arguments = [*COMMAND, *(part for text in SETTINGS for part in ("--set", text)), "-o", str(run)]
    nodes = ["--nodes", "2"] if variables else []
    environment = {**os.environ, "SALBOX_THREADS": "1", "OMP_NUM_THREADS": "1", **variables}
    return subprocess.Popen(
        [sys.executable, "-c", CODE, "train", *arguments, "--dataset", f"folder:{people}", *nodes],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def losses(run) -> list[float]:
    with (run / "log.csv").open(newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_two_machines_learn_what_one_does(tmp_path):
    people = photos_of(tmp_path / "people")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    every = [
        begin(people, tmp_path / "two", **together, NODE_RANK="0"),
        begin(people, tmp_path / "two", **together, NODE_RANK="1"),
    ]
    try:
        said = [each.communicate(timeout=300)[0] for each in every]
    finally:
        for each in every:
            each.kill()
    assert [each.returncode for each in every] == [0, 0], said
    assert "the run folder of the first machine has the network" in said[1]
    one = begin(people, tmp_path / "one")
    text = one.communicate(timeout=300)[0]
    assert one.returncode == 0, text
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)
    assert (tmp_path / "two" / "student.onnx").is_file()
    assert not (tmp_path / "two" / "node-1" / "student.onnx").exists()


@pytest.mark.parametrize(
    ("nodes", "variables", "compress", "message"),
    [
        (0, {}, False, "expected at least 1"),
        (2, {}, False, "MASTER_ADDR and MASTER_PORT and NODE_RANK not set"),
        (2, {"MASTER_ADDR": "a", "MASTER_PORT": "x", "NODE_RANK": "0"}, False, "MASTER_PORT=x: expected a port"),
        (2, {"MASTER_ADDR": "a", "MASTER_PORT": "80", "NODE_RANK": "2"}, False, "NODE_RANK=2: expected 0 to 1"),
        (2, {"MASTER_ADDR": "a", "MASTER_PORT": "80", "NODE_RANK": "1"}, True, "measure its own speed"),
    ],
)
def test_what_the_environment_has_to_say(monkeypatch, nodes, variables, compress, message):
    for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=message):
        check_nodes(nodes, compress)


def test_only_the_first_machine_has_the_run_folder_itself(monkeypatch, tmp_path):
    assert node_folder(tmp_path, 1) == tmp_path
    monkeypatch.setenv("NODE_RANK", "0")
    assert node_folder(tmp_path, 2) == tmp_path
    monkeypatch.setenv("NODE_RANK", "1")
    assert node_folder(tmp_path, 2) == tmp_path / "node-1"
