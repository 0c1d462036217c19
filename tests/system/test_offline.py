"""Nothing that is run connects anywhere or leaves anything in the home folder, whatever a library does by default."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from salbox.system.offline import OPT_OUTS, stay_offline

# Run before anything else in the child: a connection or a look-up, which Python's own sockets would make, fails and is
# noted. What is made in C, as ONNX Runtime's telemetry, shows by the files that it keeps.
WATCHED = """
import socket, sys
from pathlib import Path

def refuse(*where, **more):
    with Path("connections").open("a") as file:
        print(where[-1:], file=file)
    raise OSError("there is no network here")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.create_connection = refuse
from salbox.cli.main import run

for arguments in {commands!r}:
    try:
        run(arguments)
    except SystemExit as left:
        assert left.code in (None, 0), (arguments, left.code)
"""
DISTILL = ["distill", "--teacher", "bms", "--images", "photos", "-o", "run", "--size", "32x32", "--workers", "1"]
DISTILL += ["--set", "epochs=1", "--set", "batch_size=4", "--init", "none"]


def clean_environment(folder: Path) -> dict[str, str]:
    """Return surroundings with a new home folder, and without what switches telemetry off by itself."""
    gone = {"CI", "MPLCONFIGDIR", "TORCH_HOME", "HF_HOME", *OPT_OUTS}
    kept = {k: v for k, v in os.environ.items() if k not in gone and not k.startswith(("XDG_", "GITHUB_"))}
    home = folder / "person"
    home.mkdir()
    return {**kept, "HOME": str(home), "USERPROFILE": str(home), "SALBOX_HOME": str(folder / "kept")}


def left_behind(folder: Path) -> list[str]:
    """Return the files in the home folder; but for the list of fonts that Matplotlib keeps."""
    home = folder / "person"
    files = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]
    return [name for name in files if "matplotlib" not in name]


def watch(folder: Path, commands: list[list[str]]) -> None:
    code = WATCHED.format(commands=commands)
    environment = {**clean_environment(folder), "SALBOX_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert not (folder / "connections").exists(), (folder / "connections").read_text()
    assert left_behind(folder) == []


@pytest.fixture
def photos(tmp_path) -> Path:
    (tmp_path / "photos").mkdir()
    for number in range(10):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.png")
    return tmp_path


def test_heads_and_lists_need_no_network_and_leave_the_home_alone(photos):
    predict = ["predict", "photos/0.png", "-m", "gaze,gbvs.student", "-o", "maps", "--overlay"]
    watch(photos, [["models"], ["doctor"], predict])


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("lightning") is None, reason="needs the extra 'train'")
def test_training_and_its_export_neither(photos):
    watch(photos, [DISTILL, ["predict", "photos/0.png", "-m", "run", "-o", "maps"]])


ROADS = {
    "load": "import salbox; salbox.load('gaze')",
    "network": "from salbox.runtime.network import open_network; import onnxruntime",
    "import": "import salbox.runtime.session; import onnxruntime",
    "training": "import salbox.networks.export.onnx; import onnxruntime",
}


@pytest.mark.parametrize("road", ROADS)
def test_it_is_said_before_the_first_import_by_every_road(tmp_path, road):
    if road == "training":
        pytest.importorskip("torch")
    code = (
        "import builtins, os, sys\nusual = builtins.__import__\n"
        "def noting(name, *rest, **more):\n"
        "    if name == 'onnxruntime' and name not in sys.modules:\n"
        "        assert os.environ.get('ORT_DISABLE_TELEMETRY') == '1'\n"
        "        print('imported')\n"
        "    return usual(name, *rest, **more)\n"
        f"builtins.__import__ = noting\n{ROADS[road]}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(tmp_path), capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("imported")


def test_whoever_sets_a_switch_keeps_it(monkeypatch):
    for name in OPT_OUTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    stay_offline()
    assert {name: os.environ[name] for name in OPT_OUTS} == {**OPT_OUTS, "ORT_DISABLE_TELEMETRY": "0"}
