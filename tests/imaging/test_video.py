"""Videos as input: every frame at its time, files only, and whether the end is missing."""

from __future__ import annotations

import os
import struct

import numpy as np
import pytest
from films import PHOTO, RATE, cut_by_edit_list, film, pan, retimed, with_box

import salbox
from salbox.imaging.video import VideoReader, _in_order, frame_times
from salbox.imaging.video_writing import VIDEO_FORMATS

NO_VIDEO = "not a video, or of a kind that is not supported"


@pytest.mark.parametrize("kind", VIDEO_FORMATS)
def test_frames_come_back(kind, tmp_path):
    frames = pan(10)
    with VideoReader(film(tmp_path / f"clip.{kind}", frames)) as reader:
        assert reader.rate == pytest.approx(RATE)
        back = list(reader)
        assert reader.time == pytest.approx(9 / RATE, abs=0.002)
        assert reader.break_off() is None
    assert len(back) == 10
    for frame, original in zip(back, frames, strict=True):
        assert frame.shape == original.shape
        assert np.abs(frame.astype(int) - original).mean() < 12


def test_stride_reads_every_nth(tmp_path):
    path = film(tmp_path / "clip.avi", 10)
    with VideoReader(path) as every, VideoReader(path, stride=3) as third:
        frames = list(every)
        assert third.rate == pytest.approx(RATE / 3)
        assert third.expected == 4
        np.testing.assert_array_equal(np.stack(list(third)), np.stack(frames[::3]))
        assert third.break_off() is None
    np.testing.assert_allclose(frame_times(path, 3), np.arange(4) * 3 / RATE, atol=0.002)


def test_times_are_those_of_the_file(tmp_path):
    path = retimed(film(tmp_path / "clip.mp4", 6), [1, 1, 6, 6, 1, 1])
    times = np.array([0, 1, 2, 8, 14, 15]) / RATE
    np.testing.assert_allclose(frame_times(path), times, atol=0.002)
    with VideoReader(path) as reader:
        np.testing.assert_allclose([reader.time for _ in reader], times, atol=0.002)


def test_frames_held_back_to_the_end_follow_evenly():
    times = [0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.4]
    np.testing.assert_allclose(_in_order(np.array(times)), np.arange(7) / 10)
    np.testing.assert_allclose(_in_order(np.array([-1, 0.2, 0.1, 0.3])), [0, 0.2, 0.2, 0.3])
    for few in ([], [0.0], [0.0, 0.0]):
        np.testing.assert_allclose(_in_order(np.array(few)), few)


def test_what_an_edit_list_leaves_out_is_not_missing(tmp_path):
    path = cut_by_edit_list(film(tmp_path / "clip.mp4", 40), 20)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 20 < reader.expected
        assert reader.break_off() is None


@pytest.mark.parametrize("kind", VIDEO_FORMATS)
def test_a_file_that_is_cut_off(kind, tmp_path):
    path = film(tmp_path / f"clip.{kind}", 30)
    content = path.read_bytes()
    if kind == "mp4":  # with its head in front, as files are that players can begin before they are loaded
        head = content[content.index(b"moov") - 4 :]
        start = content.index(b"mdat") - 4
        moved = struct.pack(">II", 0, 1) + struct.pack(">I", start + len(head) + 8)
        head = with_box(head, b"stco", moved) if b"stco" in head else head
        content = content[:start] + head + content[start : -len(head)]
    path.write_bytes(content)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 30
        assert reader.break_off() is None
    kept = len(content) * 2 // 3
    path.write_bytes(content[:kept])
    with VideoReader(path) as reader:
        assert 1 <= len(list(reader)) < 30
        assert reader.break_off().startswith(f"the file is cut off after {kept} of ")


def test_frames_that_cannot_be_decoded(tmp_path):
    path = film(tmp_path / "clip.mp4", 60)
    content = bytearray(path.read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[(start + end) // 3 : end] = bytes(end - (start + end) // 3)
    path.write_bytes(content)
    with VideoReader(path) as reader:
        frames = len(list(reader))
        assert 1 <= frames < 40
        assert reader.break_off() == f"{60 - frames} of 60 frames cannot be decoded"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no video at all",
        b"ffconcat version 1.0\nfile other.mp4\n",
        b"#EXTM3U\n#EXT-X-ENDLIST\nother.mp4\n",
        b"G" * 1000,
        b"\x00\x00\x00\x08ftyp" + bytes(50),
        b"\x1aE\xdf\xa3" + bytes(50),
        b"RIFF@\x00\x00\x00AVI " + bytes(60),
    ],
)
def test_what_is_no_video_is_one_line(content, tmp_path, capfd):
    film(tmp_path / "other.mp4", 2)
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    for read in (VideoReader, frame_times):
        with pytest.raises(salbox.ImageError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: {NO_VIDEO}"
    assert capfd.readouterr() == ("", "")


def test_a_name_is_never_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "other.mp4", 2)
    for name in (
        "concat:other.mp4",
        "http:127.0.0.1:9.mp4",
        "file:other.mp4",
        "subfile,,start,0,end,0,,:other.mp4",
        "%03d.mp4",
    ):
        film(tmp_path / "clip.mp4", 5).rename(name)
        with VideoReader(type(tmp_path)(name)) as reader:
            assert len(list(reader)) == 5


@pytest.mark.skipif(os.name == "nt", reason="names are texts there")
def test_a_name_that_is_no_text(tmp_path):
    path = type(tmp_path)(os.fsdecode(os.fsencode(tmp_path) + b"/n\xff\xfe.mp4"))
    film(path, 5)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    with VideoReader(path) as reader:
        assert len(list(reader)) == 5


def test_tracks_in_other_files_are_not_followed(tmp_path):
    """An alias record, as QuickTime writes it, of a file that is there."""
    other = film(tmp_path / "other.mp4", 5)
    record = bytearray(150)
    record[:10] = struct.pack(">4sHHh", b"\0\0\0\0", 150, 2, 0)
    place, name = str(other.parent).encode(), other.name.encode()
    record[50:51] = bytes([len(name)])
    record[51 : 51 + len(name)] = name
    record[130:134] = struct.pack(">HH", 1, 1)  # levels from one to the other
    paths = [(2, place + b"/" + name), (18, str(other).encode())]
    tail = b"".join(struct.pack(">HH", kind, len(text)) + text + b"\0" * (len(text) % 2) for kind, text in paths)
    alias = bytes(record) + tail + struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    path = tmp_path / "clip.mp4"
    path.write_bytes(with_box(other.read_bytes(), b"dref", struct.pack(">II", 0, 1) + entry))
    with VideoReader(path) as reader:
        assert list(reader) == []


def test_options_of_the_user_stay(tmp_path, monkeypatch):
    path = film(tmp_path / "clip.avi", 2)
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "protocol_whitelist;http")
    with VideoReader(path) as reader:
        assert len(list(reader)) == 2
    assert os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] == "protocol_whitelist;http"


def test_refuses_what_does_not_fit(tmp_path):
    path = film(tmp_path / "clip.avi", [PHOTO])
    with pytest.raises(salbox.ImageError, match="megapixels"):
        VideoReader(path, max_pixels=100)
    with pytest.raises(salbox.ImageError, match="no such file"):
        VideoReader(tmp_path / "none.mp4")
    with pytest.raises(salbox.ImageError, match="no such file"):
        VideoReader(tmp_path / ("x" * 300 + ".mp4"))
    with pytest.raises(salbox.UsageError, match="at least 1"):
        VideoReader(path, stride=0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "clip.mp4")
    for path in (tmp_path / "clip.mp4", tmp_path):
        with pytest.raises(salbox.ImageError, match="not a regular file"):
            VideoReader(path)
