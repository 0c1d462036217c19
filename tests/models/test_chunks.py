"""A network that a package keeps as chunks: joined once, every chunk checked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from chunk_folder import ENTRY, PARTS, written

import salbox
from salbox.models import chunks as module
from salbox.models.chunks import chunk_list, join_chunks


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path) -> Path:
    return written(tmp_path / "package" / "dist")


def chunk(folder: Path, part: bytes) -> Path:
    return folder / hashlib.sha256(part).hexdigest()


def test_joined_in_the_order_of_the_list(folder, home):
    path = join_chunks(folder, ENTRY)
    assert path.read_bytes() == b"".join(PARTS)
    assert path.parent == home / "weights"
    assert path.suffix == ".onnx"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_the_list_is_found_in_what_npm_unpacks(folder, tmp_path):
    expected = folder / "resources.json"
    assert [chunk_list(place) for place in (folder, folder.parent, folder.parent.parent)] == [expected] * 3
    assert chunk_list(tmp_path / "nowhere") is None
    assert join_chunks(folder.parent, ENTRY) == join_chunks(folder, ENTRY)


def test_joined_once_and_again_only_if_the_file_is_no_longer_that(folder):
    path = join_chunks(folder, ENTRY)
    first = path.stat().st_mtime_ns
    for part in PARTS:
        chunk(folder, part).unlink()  # no longer needed
    assert join_chunks(folder, ENTRY).stat().st_mtime_ns == first
    path.write_bytes(b"x" * path.stat().st_size)
    written(folder)
    assert join_chunks(folder, ENTRY).read_bytes() == b"".join(PARTS)


def test_chunks_that_are_not_as_they_are_called(folder, home):
    target = chunk(folder, PARTS[1])
    target.write_bytes(b"Second one")
    with pytest.raises(salbox.WeightsError, match=r"its sha256 is .*, not as it is called; not used"):
        join_chunks(folder, ENTRY)
    target.write_bytes(b"second")
    with pytest.raises(salbox.WeightsError, match="has 6 bytes, not 10 as listed"):
        join_chunks(folder, ENTRY)
    target.write_bytes(b"second one, and more")
    with pytest.raises(salbox.WeightsError, match="more than such a file may have"):
        join_chunks(folder, ENTRY)
    target.unlink()
    with pytest.raises(salbox.WeightsError, match="cannot be read"):
        join_chunks(folder, ENTRY)
    assert not list((home / "weights").glob("*.onnx"))


def test_no_chunk_lies_outside_of_the_folder(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(PARTS[0])
    target = chunk(folder, PARTS[0])
    target.unlink()
    target.symlink_to(outside)
    with pytest.raises(salbox.WeightsError, match="leads out of the folder"):
        join_chunks(folder, ENTRY)
    for name in ("../outside", str(outside), "A" * 64, "ab", 7, ["a"]):
        written(folder, chunks=[{"hash": name, "offsets": [0, 5]}], size=5)
        with pytest.raises(salbox.WeightsError, match="is no sha256, as which a chunk's file is called"):
            join_chunks(folder, ENTRY)


def test_lists_that_make_no_file(folder, monkeypatch):
    one = {"hash": "0" * 64, "offsets": [0, 5]}
    gap = {"hash": "1" * 64, "offsets": [6, 9]}
    cases = [
        ({"chunks": [one, gap], "size": 9}, "do not make 9 bytes, one after the other"),
        ({"chunks": [one], "size": 6}, "do not make 6 bytes"),
        ({"chunks": [gap], "size": 9}, "do not make 9 bytes"),
        ({"chunks": [], "size": 0}, "do not make 0 bytes"),
        ({"chunks": [{"hash": "0" * 64, "offsets": [5, 5]}], "size": 5}, "is not made of chunks"),
        ({"chunks": [{"hash": "0" * 64, "offsets": [True, 5]}], "size": 5}, "is not made of chunks"),
        ({"chunks": [{"hash": "0" * 64, "offsets": [0]}], "size": 5}, "is not made of chunks"),
        ({"chunks": [{"hash": "0" * 64, "offsets": [0, 1 << 40]}], "size": 1 << 40}, "more than weights may have"),
        ({"chunks": 3}, "is not made of chunks"),
        ({"chunks": ["a"]}, "is not made of chunks"),
        ({"size": "many"}, "is not made of chunks"),
    ]
    for changes, message in cases:
        written(folder, **changes)
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            join_chunks(folder, ENTRY)
        assert "\n" not in str(caught.value)
    for text, message in (
        ("[", "not a list of chunks"),
        ("[" * 100_000, "not a list of chunks"),
        ("[1]", "lists no network '/models/medium' \\(it lists none\\)"),
        ('{"/models/small": 1}', r"it lists '/models/small'"),
        ('{"/models/medium": null}', "lists no network"),
        ('{"/models/medium": 5}', "is not made of chunks"),
    ):
        (folder / "resources.json").write_text(text, encoding="utf-8")
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            join_chunks(folder, ENTRY)
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(module, "MAX_LIST", 3)
    with pytest.raises(salbox.WeightsError, match="more than such a file may have"):
        join_chunks(folder, ENTRY)


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(salbox.WeightsError, match=r"a folder without resources\.json"):
        join_chunks(tmp_path, ENTRY)
