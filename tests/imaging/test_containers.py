"""Containers of videos: told by their first bytes, and whole or not by what they say of their own length."""

from __future__ import annotations

import struct

import pytest
from films import film

from salbox.imaging.containers import container, is_fragmented, read_head, whole_size

ENDS = {"mp4": "mov", "webm": "matroska", "avi": "avi"}


@pytest.mark.parametrize("suffix", ENDS)
def test_kinds_and_ends(suffix, tmp_path):
    path = film(tmp_path / f"clip.{suffix}", 5)
    assert container(read_head(path)) == ENDS[suffix]
    assert whole_size(path) is None
    content = path.read_bytes()
    for kept in (len(content) - 1, len(content) // 2):
        path.write_bytes(content[:kept])
        said = whole_size(path)
        assert said is not None
        assert kept < said <= len(content)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"G",
        b"ffconcat version 1.0\nfile a.mp4\n",
        b"#EXTM3U\na.ts\n",
        b"<?xml version='1.0'?><MPD/>",
        b"v=0\r\no=- 0",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"GIF89a" + bytes(1000),
        b"G" + b"x" * 187 + b"G" + b"y" * 900,
    ],
)
def test_what_is_no_video(text):
    assert container(text) is None


def test_other_kinds():
    packet = b"G" + bytes(187)
    assert container(packet * 5) == "mpegts"
    assert container((bytes(4) + packet) * 5) == "mpegts"
    assert container(b"\0\0\1\xba" + bytes(20)) == "mpeg"
    assert container(b"OggS" + bytes(20)) == "ogg"
    assert container(b"FLV\1" + bytes(20)) == "flv"


def test_segments_without_a_length_end_with_their_parts(tmp_path):
    path = tmp_path / "live.mkv"
    head = b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01" + b"\xff" * 7  # a segment of unknown length
    cluster = b"\x1f\x43\xb6\x75" + b"\x84" + bytes(4)
    path.write_bytes(head + 2 * cluster)
    assert whole_size(path) is None
    path.write_bytes((head + 2 * cluster)[:-1])
    assert whole_size(path) == len(head + 2 * cluster)


def test_asf_says_its_size(tmp_path):
    path = tmp_path / "clip.wmv"
    properties = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365") + bytes(24) + struct.pack("<Q", 500) + bytes(40)
    head = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(14) + properties
    for flags, said in ((0, 500), (1, None)):
        path.write_bytes((head + struct.pack("<I", flags)).ljust(400, b"\0"))
        assert whole_size(path) == said


def test_fragments_and_junk_behind_the_end(tmp_path):
    path = tmp_path / "clip.mp4"
    box = struct.pack(">I4s", 8, b"ftyp")
    path.write_bytes(box + struct.pack(">I4s", 8, b"moof") + struct.pack(">I4s", 90_000, b"junk"))
    assert is_fragmented(path)
    assert whole_size(path) is None
    path.write_bytes(box + struct.pack(">I4sQ", 1, b"mdat", 1 << 62))
    assert not is_fragmented(path)
    assert whole_size(path) == 8 + (1 << 62)
    path.write_bytes(box + struct.pack(">I4s", 0, b"mdat"))  # to the end, whatever that is
    assert whole_size(path) is None


@pytest.mark.parametrize("head", [b"\x1a\x45\xdf\xa3", b"RIFF\0\0\0\0AVI ", b"\0\0\0\1ftyp", b"OggS"])
def test_short_files_do_not_say(head, tmp_path):
    (tmp_path / "clip").write_bytes(head)
    assert whole_size(tmp_path / "clip") is None
