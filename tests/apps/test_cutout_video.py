"""`salbox cutout` on videos: WebM with transparency, MP4 on a background, numbered pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from films import film
from own_models import write_module
from PIL import Image
from red_objects import FRONT, LIGHT, RED, drawn, mixed, ring

from salbox.apps import cutout_video
from salbox.imaging.video import VideoReader
from salbox.writing import read_notes

MODEL = ("-m", "redmodels:redness")


@pytest.fixture
def clip(tmp_path, monkeypatch) -> Path:
    write_module(tmp_path, "redmodels", RED)
    monkeypatch.chdir(tmp_path)
    for name in LIGHT:
        monkeypatch.setattr(name, lambda: False)
    photo = mixed(drawn(60, 80, ring))
    yield film(tmp_path / "clip.mp4", [np.ascontiguousarray(np.roll(photo, 4 * k, axis=1)) for k in range(4)])
    sys.modules.pop("redmodels", None)


def test_a_webm_is_transparent(cli, clip, tmp_path):
    av = pytest.importorskip("av")
    assert cli("cutout", clip, "-o", tmp_path / "out", *MODEL)[0] == 0
    path = tmp_path / "out" / "clip.webm"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = av.CodecContext.create("libvpx-vp9", "r")  # FFmpeg's own decoder leaves the transparency out
        decoder.extradata = stream.codec_context.extradata
        frames, times = [], []
        for packet in container.demux(stream):
            if packet.size:
                for frame in decoder.decode(packet):
                    frames.append(frame.to_ndarray(format="rgba"))
                    times.append(float(packet.pts * packet.time_base))
    assert len(frames) == 4
    np.testing.assert_allclose(times, np.arange(4) / 12.5, atol=2e-3)
    for number, frame in enumerate(frames):
        assert frame.shape == (60, 80, 4)
        assert frame[30, (57 + 4 * number) % 80, 3] > 235
        assert frame[3, 3, 3] < 20
        assert np.abs(frame[30, (57 + 4 * number) % 80, :3].astype(int) - FRONT).max() < 30
    assert read_notes(path)["model"] == "redmodels:redness"
    assert "1 were there already" in cli("cutout", clip, "-o", tmp_path / "out", *MODEL)[2]


def test_on_a_background_it_is_an_mp4(cli, clip, tmp_path):
    assert cli("cutout", clip, "-o", tmp_path / "out", *MODEL, "--background", "blue")[0] == 0
    with VideoReader(tmp_path / "out" / "clip.mp4") as reader:
        frames = list(reader)
        assert reader.rate == pytest.approx(12.5)
    assert len(frames) == 4
    assert np.abs(frames[0][3, 3].astype(int) - (0, 0, 255)).max() < 30
    assert np.abs(frames[0][30, 57].astype(int) - FRONT).max() < 40


def test_numbered_pictures_go_on_where_they_ended(cli, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(cutout_video.importlib.util, "find_spec", lambda name: None)
    code, _, said = cli("cutout", clip, "-o", tmp_path / "out", *MODEL)
    assert (code, "salbox[video]" in said) == (0, True)
    folder = tmp_path / "out" / "clip"
    assert sorted(path.name for path in folder.iterdir()) == [f"{n:06}.png" for n in range(4)]
    with Image.open(folder / "000002.png") as frame:
        assert frame.mode == "RGBA"
    (folder / "000002.png").unlink()
    before = (folder / "000001.png").stat().st_mtime_ns
    assert cli("cutout", clip, "-o", tmp_path / "out", *MODEL)[0] == 0
    assert (folder / "000002.png").is_file()
    assert (folder / "000001.png").stat().st_mtime_ns == before
    code, _, said = cli("cutout", clip, "-o", tmp_path / "out", *MODEL, "--format", "webm")
    assert (code, "pip install 'salbox[video]'" in said) == (2, True)


def test_a_photo_called_as_a_frame_is_refused(cli, clip, tmp_path):
    (tmp_path / "in" / "clip").mkdir(parents=True)
    clip.rename(tmp_path / "in" / "clip.mp4")
    Image.fromarray(mixed(drawn(60, 80, ring))).save(tmp_path / "in" / "clip" / "000001.png")
    code, _, said = cli("cutout", "in", "-r", "-o", tmp_path / "out", *MODEL, "--format", "png")
    assert code == 2
    assert "000001.png and a frame of" in said
    assert not (tmp_path / "out").exists()


def test_a_video_that_is_none_costs_a_line(cli, clip, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(clip.read_bytes()[:200])
    code, _, said = cli("cutout", "broken.mp4", "-o", tmp_path / "out", *MODEL, "--format", "png")
    assert code == 1
    assert "broken.mp4" in said
    assert "1 failed" in said
