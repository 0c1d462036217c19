"""The script that reads damaged files finds deaths, hangs, memory, exceptions, code that ran, and wrong data."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from fuzzed_checksums import Checked
from fuzzed_more import CANARY
from fuzzed_readers import Fuzzed

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz_readers.py"


@pytest.fixture
def script(monkeypatch):
    if sys.platform != "linux":
        pytest.skip("children are forked, and their memory read from /proc")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "SALBOX_THREADS", "MPLBACKEND"):
        monkeypatch.setenv(name, os.environ.get(name, "1" if name != "MPLBACKEND" else "agg"))
    spec = importlib.util.spec_from_file_location("fuzz_readers", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SECONDS", 0)  # 1 s of the processor in all
    monkeypatch.setattr(module, "MEMORY", 300 << 20)
    return module


def written(path: Path) -> None:
    path.write_bytes(b"sound" * 20)


def hanging(_path: Path) -> None:
    while True:
        pass


def dying(_path: Path) -> None:
    os.abort()


def filling(_path: Path) -> None:
    bytes(1 << 30)


def failing(_path: Path) -> None:
    raise KeyError("x")


def running(_path: Path) -> None:
    os.system(f"touch {CANARY}")


def starting(_path: Path) -> None:
    subprocess.run(["true"], check=False)


def writing(path: Path) -> None:
    (path.parents[2] / "elsewhere").write_text("")


def refusing(_path: Path) -> None:
    from salbox.errors import UsageError

    raise UsageError("no such file")


def talking(_path: Path) -> None:
    from salbox.errors import UsageError

    raise UsageError("two\nlines")


@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (hanging, "took more than"),
        (dying, "ended the process with -6"),
        (filling, "MemoryError"),
        (failing, "KeyError"),
        (running, "ran code"),
        (starting, "did what no file may bring about"),
        (writing, "did what no file may bring about"),
        (talking, "said more than one line"),
        (refusing, ""),
    ],
)
def test_what_is_found(script, tmp_path, monkeypatch, read, fault):
    folder = tmp_path / "files"
    place = folder / "reader"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    written(place / "seed.bin")
    sound = script.Sound(Fuzzed("reader", ".bin", written, read), place / "seed.bin", place / "seed.bin", b"sound" * 20)
    state = {"seed": 0, "done": {}, "faults": {}, "slowest": {}, "mebibytes": 0}
    script._block(sound, 0, 2, state)
    assert state["done"] == {"reader": 2}
    assert [(f["fault"][: len(fault)], f["count"]) for f in state["faults"].values()] == ([(fault, 2)] if fault else [])


def test_wrong_data_is_found_where_there_is_a_checksum(script, tmp_path, monkeypatch):
    place = tmp_path / "files" / "reader"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    path = place / "seed.bin"
    path.write_bytes(b"data" + zlib.crc32(b"data").to_bytes(4, "big"))

    def careless(path: Path) -> bytes:
        return path.read_bytes()[:4]

    reader = Checked("reader", ".bin", written, careless, lambda path: [(0, 4)])
    sound = script.Sound(reader, path, path, path.read_bytes(), b"data", [(0, 4)])
    state = {"seed": 0, "done": {}, "faults": {}, "slowest": {}, "mebibytes": 0}
    script._block(sound, 0, 3, state)
    (found,) = state["faults"].values()
    assert (found["fault"], found["count"]) == ("reads as something else, without an error", 3)


def test_it_goes_on_where_it_was(tmp_path):
    pytest.importorskip("PIL")
    command = [sys.executable, str(SCRIPT), "--folder", str(tmp_path / "files"), "--report", str(tmp_path / "r.json")]
    for count in (2, 5):
        done = subprocess.run([*command, "--count", str(count), "profile"], capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr + done.stdout
        assert json.loads((tmp_path / "r.json").read_text())["readers"] == {"profile": count}
