"""Digests of what files hold: they follow every change, whatever names, sizes and times say."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from salbox.system import contents
from salbox.system.contents import content_digest, content_digests, joint_digest, path_digest


def test_a_digest_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc" * 1_000_000)
    assert content_digest(path) == hashlib.blake2b(b"abc" * 1_000_000, digest_size=16).hexdigest()


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"before")
    os.utime(path, (1, 1))
    first = content_digest(path)
    path.write_bytes(b"after!")
    os.utime(path, (1, 1))
    assert content_digest(path) != first


@pytest.fixture
def settled(monkeypatch):
    """Let files count as old as soon as they are written."""
    monkeypatch.setattr(contents, "_SETTLED", -(10**18))


def test_what_was_not_written_to_is_not_read_again(tmp_path, monkeypatch, settled):
    path = tmp_path / "a"
    path.write_bytes(b"before")
    first = content_digest(path)
    monkeypatch.setattr(contents, "_hashed", lambda _: pytest.fail("read again"))
    assert content_digest(path) == first


def test_what_is_as_new_as_the_clock_can_tell_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"before")
    now = time.time_ns()
    monkeypatch.setattr(contents.time, "time_ns", lambda: now)
    first = content_digest(path)
    read = []
    monkeypatch.setattr(contents, "_hashed", lambda path: read.append(path) or first)
    content_digest(path)
    assert read == [path]


def test_a_file_in_another_ones_place_is_read(tmp_path, settled):
    path, other = tmp_path / "a", tmp_path / "b"
    for file, text in ((path, b"before"), (other, b"after!")):
        file.write_bytes(text)
        os.utime(file, (1, 1))
    first = content_digest(path)
    other.replace(path)
    assert content_digest(path) != first


def test_what_is_no_file_has_none_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert [content_digest(tmp_path / name) for name in ("pipe", "", "gone", "a\0b")] == [""] * 4


def test_many_at_once_come_in_order(tmp_path):
    paths = [tmp_path / str(k) for k in range(20)]
    for k, path in enumerate(paths):
        path.write_bytes(bytes([k]))
    assert content_digests(paths) == [content_digest(path) for path in paths]


def test_names_and_order_and_bytes_count_together(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"1")
    b.write_bytes(b"2")
    kinds = [[("a", a), ("b", b)], [("b", b), ("a", a)], [("a", b), ("b", a)], [("a", a)], [("a\udcff", a)]]
    assert len({joint_digest(kind) for kind in kinds}) == len(kinds)


def test_a_folder_counts_with_what_is_in_it(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    first = path_digest(tmp_path)
    (tmp_path / "a").write_bytes(b"2")
    assert path_digest(tmp_path) != first
    assert path_digest(tmp_path / "a") == content_digest(tmp_path / "a")
