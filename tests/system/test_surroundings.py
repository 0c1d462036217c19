"""Where salbox runs: full disks, odd names, many files, an environment with nothing in it, closed streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from own_models import write_module
from PIL import Image
from red_objects import RED
from trees import random_osie

HELPER = Path(__file__).resolve().parents[1] / "helpers" / "small_disk.py"
SALBOX = [sys.executable, "-c", "from salbox.cli.main import run; run()"]
VERBS = ("predict", "teach", "evaluate", "cutout", "crop", "compare")
ODD = (
    "a\nb.png",
    "-rf.png",
    "--.png",
    "$(id).png",
    "a;b&c.png",
    "*.png",
    "[1].png",
    " .png",
    "'\".png",
    "\x1b[31m.png",
)


def photo(path: Path, side: int = 40) -> Path:
    pixels = np.full((side, side, 3), 90, np.uint8)
    pixels[8:20, 8:20] = (220, 30, 30)
    Image.fromarray(pixels).save(path, "PNG")
    return path


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """How each verb ended on each disk: {(verb, disk): what `small_disk` says}."""
    folder = tmp_path_factory.mktemp("disks")
    (folder / "photos").mkdir()
    for number in range(3):
        photo(folder / "photos" / f"{number}.png", 160)
    random_osie(folder / "OSIE", images=3)
    write_module(folder, "redmodels", RED)
    environment = {**os.environ, "SALBOX_HOME": str(folder / "home"), "PYTHONPATH": str(HELPER.parent)}
    command = ["unshare", "--map-root-user", "--mount", sys.executable, str(HELPER), str(folder), *VERBS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if "unshare" in done.stderr or "CalledProcessError" in done.stderr:
        pytest.skip(f"nothing may be mounted here ({done.stderr.strip().splitlines()[-1]})")
    assert done.returncode == 0, done.stderr
    return {(line["verb"], line["disk"]): line for line in map(json.loads, done.stdout.splitlines())}


def assert_told(found, reason):
    assert found["code"] in (1, 2)
    assert any(reason in line for line in found["said"])
    assert not any("Traceback" in line or "internal error" in line for line in found["said"])


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_a_full_disk_is_told_and_leaves_nothing_half_written(ended, verb):
    found = ended[verb, "full"]
    assert_told(found, "No space left")
    # Results of an evaluation are kept line by line: a line that is not whole is computed again.
    assert [name for name in found["files"] if not name.endswith(".jsonl")] == []


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_a_disk_that_may_not_be_written_to_is_told(ended, verb):
    assert_told(ended[verb, "read-only"], "Read-only")


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_with_room_again_all_is_made(ended, verb):
    found = ended[verb, "empty"]
    assert found["code"] == 0, found["said"]
    assert found["files"]
    assert not [name for name in found["files"] if ".part" in name]


@pytest.mark.parametrize("verb", ["predict", "cutout", "teach"])
def test_names_are_names_whatever_is_in_them(cli, tmp_path, monkeypatch, verb):
    folder = tmp_path / "photos"
    folder.mkdir()
    names = [*ODD, os.fsdecode(b"caf\xe9.png")]
    for name in names:
        photo(folder / name)
    write_module(tmp_path, "redmodels", RED)
    monkeypatch.chdir(tmp_path)
    where = {"predict": [folder], "cutout": [folder], "teach": ["--images", folder]}[verb]
    model = "redmodels:redness" if verb == "cutout" else "gaussian"
    code, _, said = cli(verb, *where, "-m", model, "-o", tmp_path / "out", "--workers", 1)
    assert code == 0, said
    found = {path.stem for path in (tmp_path / "out").rglob("*.png")}
    assert found == {Path(name).stem for name in names}
    (folder / ODD[0]).write_bytes(b"no picture")
    (folder / ODD[-1]).write_bytes(b"no picture")
    code, _, said = cli(verb, *where, "-m", model, "-o", tmp_path / "more", "--workers", 1)
    assert code == 1
    assert "\x1b" not in said
    assert len([line for line in said.splitlines() if "not an image" in line]) == 2


def test_a_file_whose_name_begins_as_an_option(cli, tmp_path, monkeypatch):
    photo(tmp_path / "-rf.png")
    monkeypatch.chdir(tmp_path)
    code, _, said = cli("predict", "-m", "gaussian", "-o", "out", "--", "-rf.png")
    assert code == 0, said
    assert (tmp_path / "out" / "gaussian" / "-rf.png").is_file()


@pytest.mark.slow
def test_five_thousand_files(cli, tmp_path):
    first = photo(tmp_path / "first.png", 8)
    (tmp_path / "photos").mkdir()
    for number in range(5000):
        os.link(first, tmp_path / "photos" / f"{number:04}.png")
    command = ("predict", tmp_path / "photos", "-m", "gaussian", "-o", tmp_path / "out", "--format", "npy")
    code, _, said = cli(*command, "--workers", 1)
    assert code == 0
    assert "5000 outputs of 5000 inputs" in said
    assert len(list((tmp_path / "out" / "gaussian").iterdir())) == 5000


def bare(folder: Path, *arguments: str, **options) -> subprocess.CompletedProcess[bytes]:
    """Run salbox in an environment that says nothing but how texts are written: as plain ASCII."""
    return subprocess.run(
        [*SALBOX, *arguments], env={"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        cwd=folder, capture_output=True, timeout=200, check=False, **options,
    )  # fmt: skip


def closed_input() -> None:
    os.close(0)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="environments differ")
def test_without_home_a_place_for_temporary_files_a_language_and_standard_input(tmp_path):
    photo(tmp_path / "é.png")
    photo(tmp_path / os.fsdecode(b"caf\xe9.png"))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    done = bare(tmp_path, "predict", ".", "-m", "gaussian,gbvs.student", "-o", "out", preexec_fn=closed_input)
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"bad.png" in done.stderr
    assert b"Traceback" not in done.stderr
    assert {path.stem for path in (tmp_path / "out" / "gbvs.student").iterdir()} == {"é", os.fsdecode(b"caf\xe9")}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="users differ")
def test_as_somebody_whom_the_system_does_not_know(tmp_path):
    """As in a container: no entry in the list of users, and so no home at all."""
    photo(tmp_path / "a.png")
    tree = random_osie(tmp_path / "OSIE", images=3)
    runs = (
        ("predict", "a.png", "-m", "gaussian,gaze", "-o", "out"),
        ("evaluate", "-m", "gaussian", "--dataset", f"osie:{tree}", "--metrics", "nss", "--csv"),
        ("evaluate", "-m", "gaussian", "--dataset", f"osie:{tree}", "--metrics", "nss", "--csv", "-o", "kept"),
    )
    found = [nobody(tmp_path, *arguments) for arguments in runs]
    assert [code for code, _ in found] == [0, 2, 0], found
    assert "SALBOX_HOME" in found[1][1]
    assert (tmp_path / "out" / "gaze" / "a.png").is_file()


def nobody(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run salbox as a user without a name and a home; return the exit code and the last line that it says."""
    code = "import pwd\ndef nobody(_): raise KeyError\npwd.getpwuid = nobody\n" + SALBOX[2]
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env={}, cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, "".join(done.stderr.splitlines()[-1:])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="streams differ")
def test_with_every_stream_closed(tmp_path):
    photo(tmp_path / "a.png")
    code = "import os, sys; [os.close(k) for k in (0, 1, 2)]; os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", code, *SALBOX, "predict", "a.png", "-m", "gaussian", "-o", "out"]
    assert subprocess.run(command, cwd=tmp_path, timeout=200, check=False).returncode == 0
    assert (tmp_path / "out" / "gaussian" / "a.png").is_file()
