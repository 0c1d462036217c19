"""Files that are being written: nobody takes them away, and what killed runs left is removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import salbox
from salbox.imaging import partial_files
from salbox.imaging.writing import atomic

needs_locks = pytest.mark.skipif(partial_files.fcntl is None, reason="no locks here")

WRITING = """
import sys, time
from pathlib import Path
from salbox.imaging.writing import atomic
with atomic(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*.part*"))


@pytest.fixture
def writer(tmp_path):
    """Another process that is writing tmp_path/a.png."""
    process = subprocess.Popen([sys.executable, "-c", WRITING, str(tmp_path / "a.png")], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"writing\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@needs_locks
def test_what_a_killed_run_left_is_removed_and_what_another_writes_is_not(writer, tmp_path):
    (left,) = parts(tmp_path)
    partial_files.clear(tmp_path)
    assert parts(tmp_path) == [left]
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    partial_files.clear(tmp_path)  # a folder is looked at once
    assert parts(tmp_path) == [left]
    partial_files._cleared.clear()
    with atomic(tmp_path / "b.png") as temporary:
        assert parts(tmp_path) == [temporary]
    assert [path.name for path in tmp_path.iterdir()] == ["b.png"]


@needs_locks
def test_nothing_else_is_removed(tmp_path):
    kept = [".a.png.0123abcd.part", ".hidden", "a.png.0123abcd.salbox.part", ".a.png.0123.salbox.part", "z.part"]
    for name in kept:
        (tmp_path / name).write_text("mine")
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / ".link.0123abcd.salbox.part").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ".folder.0123abcd.salbox.part").mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    partial_files.clear(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == before
    (tmp_path / ".a.png.0123abcd.salbox.part").write_text("ours, and nobody writes it")
    (tmp_path / ".a.0123abcd.salbox.part.mp4").write_text("ours, and nobody writes it")
    partial_files._cleared.clear()
    partial_files.clear(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_without_locks_a_file_that_was_just_closed_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(partial_files, "fcntl", None)
    old, new = tmp_path / ".a.0123abcd.salbox.part", tmp_path / ".b.0123abcd.salbox.part"
    for path in (old, new):
        path.write_text("ours")
    os.utime(old, (1, 1))
    with atomic(tmp_path / "c") as temporary:
        assert parts(tmp_path) == [new, temporary]
        temporary.write_text("done")
    assert (tmp_path / "c").read_text() == "done"


def test_a_folder_that_is_not_there_has_nothing_to_clear(tmp_path):
    partial_files.clear(tmp_path / "no such folder")


@pytest.mark.parametrize("name", ["\U0001f600" * 62, "é" * 120 + "x", "a" * 255])
def test_a_name_of_as_many_bytes_as_there_may_be(name, tmp_path):
    """The temporary name is cut to bytes, between characters."""
    with atomic(tmp_path / name) as temporary:
        assert len(os.fsencode(temporary.name)) < 150
        temporary.write_text("done")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(sys.platform != "linux", reason="names are texts here")
def test_a_name_that_is_no_utf8(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff\xfe name.png")
    with atomic(path) as temporary:
        temporary.write_text("done")
    assert path.read_text() == "done"


def test_a_name_that_is_too_long_is_one_line(tmp_path):
    with (
        pytest.raises(salbox.UsageError, match=r"cannot be written \(File name too long\)"),
        atomic(tmp_path / ("a" * 256)) as temporary,
    ):
        temporary.write_text("done")
    assert not list(tmp_path.iterdir())
