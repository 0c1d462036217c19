"""Videos: what is written plays back frame by frame, and what breaks off is kept as far as it could be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import data

import salbox
import salbox.imaging.writing
from salbox.cli.main import run
from salbox.imaging.postprocess import PostProcess
from salbox.imaging.video import VIDEO_FORMATS, VideoReader, VideoWriter
from salbox.prediction.batch import BatchPlan
from salbox.prediction.videos import ClipPlan, run_clip, split_videos

PHOTO = np.ascontiguousarray(data.astronaut()[:200, :240])
RATE = 12.5


def pan(count: int) -> list[np.ndarray]:
    return [np.ascontiguousarray(np.roll(PHOTO, 6 * i, axis=1)[:, :160]) for i in range(count)]


def write(path: Path, frames: list[np.ndarray]) -> Path:
    with VideoWriter(path, RATE) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def plan(folder: Path, file_format: str = "mp4", **options) -> BatchPlan:
    return BatchPlan(models={"bms": {}}, folder=folder, file_format=file_format, **options)


@pytest.mark.parametrize("kind", VIDEO_FORMATS)
def test_frames_come_back(kind, tmp_path):
    frames = pan(10)
    with VideoReader(write(tmp_path / f"clip.{kind}", frames)) as reader:
        assert reader.rate == pytest.approx(RATE)
        back = list(reader)
    assert len(back) == 10
    for frame, original in zip(back, frames, strict=True):
        assert frame.shape == original.shape
        assert np.abs(frame.astype(int) - original).mean() < 12


def test_odd_sides_become_even_and_grey_becomes_rgb(tmp_path):
    write(tmp_path / "odd.mp4", [PHOTO[:101, :99, 0]] * 3)
    with VideoReader(tmp_path / "odd.mp4") as reader:
        assert next(iter(reader)).shape == (102, 100, 3)


def test_stride_reads_every_nth(tmp_path):
    path = write(tmp_path / "clip.avi", pan(10))
    with VideoReader(path) as every, VideoReader(path, stride=3) as third:
        frames = list(every)
        assert third.rate == pytest.approx(RATE / 3)
        assert third.expected == 4
        np.testing.assert_array_equal(np.stack(list(third)), np.stack(frames[::3]))


def test_a_clip_becomes_a_clip_of_maps_and_an_overlay(tmp_path):
    path = write(tmp_path / "clip.avi", pan(6))
    outcome = run_clip(path, plan(tmp_path / "out", "avi", overlay=0.5), ClipPlan())
    assert not outcome.failures
    assert outcome.written == [tmp_path / "out" / "bms" / "clip.avi", tmp_path / "out" / "bms" / "clip.overlay.avi"]
    with VideoReader(path) as source, VideoReader(outcome.written[0]) as maps:
        for frame, picture in zip(source, maps, strict=True):
            expected = salbox.PostProcess(scale_output="min-max", scale_max=255)(salbox.load("bms")(frame))
            assert np.abs(picture[:, :, 0] - expected).mean() < 4
    assert run_clip(path, plan(tmp_path / "out", "avi", overlay=0.5), ClipPlan()).skipped == outcome.written


def test_a_clip_becomes_numbered_maps(tmp_path):
    path = write(tmp_path / "clip.avi", pan(4))
    run_clip(path, plan(tmp_path / "out", "npy"), ClipPlan(stride=2))
    files = sorted((tmp_path / "out" / "bms" / "clip").iterdir())
    assert [f.name for f in files] == ["000000.npy", "000001.npy"]
    with VideoReader(path, stride=2) as reader:
        for file, frame in zip(files, reader, strict=True):
            np.testing.assert_array_equal(np.load(file), salbox.load("bms")(frame))


def test_smoothing_is_an_exponential_mean(tmp_path):
    path = write(tmp_path / "clip.avi", pan(3))
    run_clip(path, plan(tmp_path / "out", "npy"), ClipPlan(smooth_seconds=0.2))
    keep = np.exp(-1 / (0.2 * RATE))
    with VideoReader(path) as reader:
        maps = [salbox.load("bms")(frame) for frame in reader]
    expected = keep * (keep * maps[0] + (1 - keep) * maps[1]) + (1 - keep) * maps[2]
    np.testing.assert_allclose(np.load(tmp_path / "out" / "bms" / "clip" / "000002.npy"), expected, rtol=1e-4)


def test_postprocessing_applies_to_frames(tmp_path):
    path = write(tmp_path / "clip.avi", pan(1))
    run_clip(path, plan(tmp_path, "npy", postprocess=PostProcess(scale_output="min-max")), ClipPlan())
    saliency = np.load(tmp_path / "bms" / "clip" / "000000.npy")
    assert (saliency.min(), saliency.max()) == (0, 1)


def test_a_truncated_video_is_kept_as_far_as_it_goes(tmp_path):
    path = write(tmp_path / "clip.avi", pan(30))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    outcome = run_clip(path, plan(tmp_path / "out", "avi"), ClipPlan(stride=5))
    assert len(outcome.written) == 1
    with VideoReader(outcome.written[0]) as reader:
        assert 1 <= len(list(reader)) < 6
    assert "of 6 frames, broken or truncated" in outcome.failures[0]


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_what_is_no_video_is_one_line_and_nothing_else(content, tmp_path, capfd):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    outcome = run_clip(path, plan(tmp_path / "out"), ClipPlan())
    assert outcome.failures == [f"{path}: not a video, or of a kind that is not supported"]
    assert not list(tmp_path.rglob("*.part*"))
    assert capfd.readouterr() == ("", "")


def test_refuses_what_does_not_fit(tmp_path):
    path = write(tmp_path / "clip.avi", pan(1))
    with pytest.raises(salbox.ImageError, match="megapixels"):
        VideoReader(path, max_pixels=100)
    with pytest.raises(salbox.ImageError, match="no such file"):
        VideoReader(tmp_path / "none.mp4")
    with pytest.raises(salbox.UsageError, match="at least 1"):
        VideoReader(path, stride=0)
    with pytest.raises(salbox.UsageError, match="0 or more"):
        ClipPlan(smooth_seconds=float("nan"))


def test_command_line_takes_videos_and_images_together(tmp_path, capsys):
    clip = write(tmp_path / "clip.avi", pan(2))
    salbox.imaging.writing.write_picture(tmp_path / "photo.png", PHOTO)
    assert split_videos([str(clip), "a.jpg"]) == ([clip], ["a.jpg"])
    arguments = ["predict", str(clip), str(tmp_path / "photo.png"), "-m", "bms", "-o", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as left:
        run(arguments)
    assert left.value.code == 0
    assert sorted(p.name for p in (tmp_path / "out" / "bms").iterdir()) == ["clip.mp4", "photo.png"]
    assert "no sound" in capsys.readouterr().err
