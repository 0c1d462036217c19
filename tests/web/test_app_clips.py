"""Short videos: an overlay that browsers play, and sentences for what is none."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest
from films import film

from salbox.errors import SalboxError
from salbox.imaging.video import VideoReader
from salbox.web.app import clips


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    return film(tmp_path_factory.mktemp("films") / "short.mp4", 6).read_bytes()


def test_the_overlay_has_the_frames_of_the_clip(short, tmp_path):
    shares = []
    made = clips.overlaid("holiday.mp4", short, "gbvs.student", opacity=1.0, progress=shares.append)
    path = tmp_path / "made.webm"
    path.write_bytes(made)
    assert made[:4] == b"\x1aE\xdf\xa3"  # EBML, the container of WebM
    with VideoReader(path) as reader:
        frames = list(reader)
    assert len(frames) == 6
    assert frames[0].shape == (200, 160, 3)
    assert shares[-1] == 1.0
    source = tmp_path / "source.mp4"
    source.write_bytes(short)
    plain = tmp_path / "plain.webm"
    plain.write_bytes(clips.overlaid("holiday.mp4", short, "gbvs.student", opacity=0.0))
    far, near = (_distance(each, source) for each in (path, plain))
    assert far > 3 * near


def _distance(made, source) -> float:
    """Return the mean difference of two videos' first frames."""
    first = []
    for path in (made, source):
        with VideoReader(path) as reader:
            first.append(next(iter(reader)).astype(float))
    return float(np.abs(first[0] - first[1]).mean())


def test_what_is_no_video_is_called_by_its_name(short):
    for content in (b"no video at all", short[: len(short) // 3]):
        with pytest.raises(SalboxError, match=r"holiday\.mp4") as raised:
            clips.overlaid("holiday.mp4", content, "gaussian")
        assert "/tmp" not in str(raised.value)


def test_what_is_too_long_is_refused_before_a_map_is_made(short, monkeypatch):
    monkeypatch.setattr(clips, "MAX_SECONDS", 0.3)
    monkeypatch.setattr(clips, "run_clip", lambda *_: pytest.fail("was computed"))
    with pytest.raises(SalboxError, match=r"holiday\.mp4: 0 s, but at most 0 s are taken"):
        clips.overlaid("holiday.mp4", short, "gaussian")


def test_nothing_is_left_behind(short, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    clips.overlaid("holiday.mp4", short, "gaussian")
    assert not list(tmp_path.iterdir())
