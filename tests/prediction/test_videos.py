"""Maps of videos: at the source's times, never two under one name, and on a second run what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from films import PHOTO, RATE, film, retimed

import salbox
from salbox.cli.main import run
from salbox.imaging import video_writing
from salbox.imaging.inputs import ImageFile
from salbox.imaging.postprocess import PostProcess
from salbox.imaging.video import VideoReader, frame_times
from salbox.imaging.writing import write_picture
from salbox.prediction.batch import BatchPlan
from salbox.prediction.videos import ClipPlan, _between, refuse_shared_names, run_clip
from salbox.writing import read_notes

FIRST, SECOND = np.random.default_rng(0).random((2, 6, 8), np.float32) + 0.1


def plan(folder: Path, file_format: str = "mp4", model: str = "bms", **options) -> BatchPlan:
    parameters = options.pop("parameters", {})
    return BatchPlan(models={model: parameters}, folder=folder, file_format=file_format, **options)


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        run(["predict", *map(str, arguments)])
    return left.value.code or 0


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_running_mean_of_scores():
    np.testing.assert_allclose(_between(FIRST, SECOND, 0.7, "score"), 0.7 * FIRST + 0.3 * SECOND, rtol=1e-6)


def test_running_mean_of_log_densities():
    a, b = FIRST / FIRST.sum(), SECOND / SECOND.sum()
    found = _between(np.log(a), np.log(b), 0.7, "log_density")
    np.testing.assert_allclose(np.exp(found), 0.7 * a + 0.3 * b, rtol=1e-5)
    assert np.exp(found.astype(float)).sum() == pytest.approx(1, abs=1e-6)


def test_a_clip_becomes_a_clip_of_maps_and_an_overlay(tmp_path):
    path = film(tmp_path / "clip.avi", 6)
    outcome = run_clip(path, plan(tmp_path / "out", "avi", overlay=0.5), ClipPlan())
    assert not outcome.failures
    assert outcome.written == [tmp_path / "out" / "bms" / "clip.avi", tmp_path / "out" / "bms" / "clip.overlay.avi"]
    with VideoReader(path) as source, VideoReader(outcome.written[0]) as maps:
        for frame, picture in zip(source, maps, strict=True):
            expected = salbox.PostProcess(scale_output="min-max", scale_max=255)(salbox.load("bms")(frame))
            assert np.abs(picture[:, :, 0] - expected).mean() < 4
    assert run_clip(path, plan(tmp_path / "out", "avi", overlay=0.5), ClipPlan()).skipped == outcome.written


def test_a_clip_becomes_numbered_maps(tmp_path):
    path = film(tmp_path / "clip.avi", 4)
    run_clip(path, plan(tmp_path / "out", "npy"), ClipPlan(stride=2))
    files = sorted((tmp_path / "out" / "bms" / "clip").iterdir())
    assert [f.name for f in files] == ["000000.npy", "000001.npy"]
    with VideoReader(path, stride=2) as reader:
        for file, frame in zip(files, reader, strict=True):
            np.testing.assert_array_equal(np.load(file), salbox.load("bms")(frame))


def test_smoothing_is_an_exponential_mean_over_the_source_s_times(tmp_path):
    steps = [1, 1, 5, 1]
    path = retimed(film(tmp_path / "clip.mp4", 4), steps)
    run_clip(path, plan(tmp_path / "out", "npy"), ClipPlan(smooth_seconds=0.2))
    with VideoReader(path) as reader:
        mean, *others = [salbox.load("bms")(frame) for frame in reader]
    for saliency, step in zip(others, steps, strict=False):
        keep = np.exp(-step / RATE / 0.2)
        mean = keep * mean + (1 - keep) * saliency
    np.testing.assert_allclose(np.load(tmp_path / "out" / "bms" / "clip" / "000003.npy"), mean, rtol=1e-4)


def test_postprocessing_applies_to_frames(tmp_path):
    path = film(tmp_path / "clip.avi", 1)
    run_clip(path, plan(tmp_path, "npy", postprocess=PostProcess(scale_output="min-max")), ClipPlan())
    saliency = np.load(tmp_path / "bms" / "clip" / "000000.npy")
    assert (saliency.min(), saliency.max()) == (0, 1)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_variable_rate_is_followed(stride, tmp_path):
    path = retimed(film(tmp_path / "clip.mp4", 12), [1] * 6 + [8] * 6)
    outcome = run_clip(path, plan(tmp_path / "out", "mp4", "gaussian", overlay=0.5), ClipPlan(stride=stride))
    assert "variable frame rate" in outcome.notes[0]
    times = frame_times(path, stride)
    with VideoReader(path, stride) as reader:
        frames = list(reader)
    with VideoReader(outcome.written[1]) as reader:
        shown = [(reader.time, picture) for picture in reader]
    overlays = [salbox_overlay(frame) for frame in frames]
    for time, picture in shown:
        nearest = int(np.argmin([np.abs(picture.astype(int) - each).mean() for each in overlays]))
        assert times[nearest] <= time + 1 / reader.rate
        assert nearest + 1 == len(times) or time <= times[nearest + 1] + 1 / reader.rate
    assert len(shown) / reader.rate == pytest.approx(times[-1] + 8 / RATE * stride, abs=1 / reader.rate)


def salbox_overlay(frame: np.ndarray) -> np.ndarray:
    from salbox.imaging.overlays import overlay

    return overlay(frame, salbox.load("gaussian")(frame), alpha=0.5)


def test_a_truncated_video_is_kept_as_far_as_it_goes(tmp_path):
    path = film(tmp_path / "clip.avi", 30)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: size // 2])
    outcome = run_clip(path, plan(tmp_path / "out", "avi"), ClipPlan(stride=5))
    assert len(outcome.written) == 1
    with VideoReader(outcome.written[0]) as reader:
        frames = len(list(reader))
    assert 1 <= frames < 6
    end = f"the file is cut off after {size // 2} of {size} bytes; the maps of the {frames} frames before are written"
    assert outcome.failures == [f"{path}: {end}"]


def test_what_is_no_video_is_one_line_and_nothing_else(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no video at all")
    outcome = run_clip(path, plan(tmp_path / "out"), ClipPlan())
    assert outcome.failures == [f"{path}: not a video, or of a kind that is not supported"]
    assert not list(tmp_path.rglob("*.part*"))


def test_a_video_that_could_not_be_written_is_not_there(tmp_path, monkeypatch):
    path = film(tmp_path / "clip.avi", 3)
    monkeypatch.setattr(video_writing, "_packets", lambda path: 2)
    outcome = run_clip(path, plan(tmp_path / "out", overlay=0.5), ClipPlan())
    assert "2 of 3 frames arrived" in outcome.failures[0]
    assert not outcome.written
    assert names(tmp_path / "out" / "bms") == []


def test_smoothing_has_to_be_a_time():
    with pytest.raises(salbox.UsageError, match="0 or more"):
        ClipPlan(smooth_seconds=float("nan"))


def test_a_second_run_makes_what_is_missing(tmp_path):
    path = film(tmp_path / "clip.avi", 4)
    folder = tmp_path / "out" / "bms" / "clip"
    assert run_clip(path, plan(tmp_path / "out", "png"), ClipPlan()).written == [folder]
    (folder / "000002.png").unlink()
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert run_clip(path, plan(tmp_path / "out", "png"), ClipPlan()).written == [folder]
    after = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert sorted(after) == [f"{k:06}.png" for k in range(4)]
    assert all(after[name] == time for name, time in before.items())
    assert run_clip(path, plan(tmp_path / "out", "png"), ClipPlan()).skipped == [folder]
    outcome = run_clip(path, plan(tmp_path / "out", "png", overlay=0.5), ClipPlan())
    assert outcome.written == [folder]
    assert len(names(folder)) == 8


def test_a_second_run_goes_on_with_the_mean_over_time(tmp_path, monkeypatch):
    path = film(tmp_path / "clip.avi", 4)
    smooth = ClipPlan(smooth_seconds=0.2)
    run_clip(path, plan(tmp_path / "out", "npy"), smooth)
    last = tmp_path / "out" / "bms" / "clip" / "000003.npy"
    expected = np.load(last)
    last.unlink()
    run_clip(path, plan(tmp_path / "out", "npy"), smooth)
    np.testing.assert_array_equal(np.load(last), expected)
    monkeypatch.setattr("salbox.prediction.videos._Stream.add", None)  # nothing is computed
    assert run_clip(path, plan(tmp_path / "out", "npy"), smooth).skipped == [last.parent]


@pytest.mark.parametrize("file_format", ["png", "npy", "mp4", "webm", "avi"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"parameters": {"sigma": 0.05}}, "sigma"),
        ({"postprocess": PostProcess(scale_output="min-max")}, "scale_output"),
        ({"size": 100}, "size"),
        ({"clip": ClipPlan(stride=3)}, "stride: 1 there, 3 now"),
        ({"clip": ClipPlan(smooth_seconds=1)}, "smooth_seconds"),
        ({"frames": 3}, "of another content of the source"),
    ],
)
def test_what_was_made_otherwise_is_told(file_format, change, told, tmp_path):
    change = dict(change)
    path = film(tmp_path / "clip.avi", 2)
    run_clip(path, plan(tmp_path / "out", file_format, "gaussian"), ClipPlan())
    before = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*.*")}
    clip = change.pop("clip", ClipPlan())
    if "frames" in change:
        film(path, change.pop("frames"))
    outcome = run_clip(path, plan(tmp_path / "out", file_format, "gaussian", **change), clip)
    assert told in next(iter(outcome.otherwise.values()))
    assert all(file.read_bytes() == content for file, content in before.items())


def test_overwriting_leaves_nothing_of_a_longer_run(tmp_path):
    path = film(tmp_path / "clip.avi", 4)
    folder = tmp_path / "out" / "bms" / "clip"
    run_clip(path, plan(tmp_path / "out", "png", overlay=0.5), ClipPlan())
    for name in ("notes.txt", "000009.npy"):
        (folder / name).write_bytes(b"")
    run_clip(path, plan(tmp_path / "out", "png", overwrite=True), ClipPlan(stride=2))
    assert names(folder) == [
        "000000.overlay.png",
        "000000.png",
        "000001.overlay.png",
        "000001.png",
        "000009.npy",
        "notes.txt",
    ]


@pytest.mark.parametrize("kind", ["mp4", "webm", "avi"])
def test_a_video_of_maps_says_how_it_was_made(kind, tmp_path):
    path = film(tmp_path / "clip.avi", 2)
    outcome = run_clip(path, plan(tmp_path, kind, "gaze", overlay=0.5), ClipPlan(stride=2))
    notes, beside = map(read_notes, outcome.written)
    assert (notes["model"], notes["output"], notes["shown"], notes["stride"]) == ("gaze", "log_density", "density", 2)
    assert notes["minimum"] < notes["maximum"] < 0
    assert beside["overlay"] == {"alpha": 0.5, "contours": []}


def test_an_overlay_as_input_is_a_video_as_any_other(tmp_path):
    path = film(tmp_path / "clip.overlay.mp4", 2)
    outcome = run_clip(path, plan(tmp_path / "out", model="gaussian"), ClipPlan())
    with VideoReader(outcome.written[0]) as reader:
        picture = next(iter(reader)).astype(int)
    assert np.ptp(picture, axis=2).max() < 12  # grey, which an overlay is not


def test_an_overlay_is_never_written_over_another_s_map(tmp_path):
    (tmp_path / "other").mkdir()
    clips = [film(tmp_path / name, 2) for name in ("clip.mp4", "other/clip.overlay.mp4")]
    out = tmp_path / "out"
    assert command(*clips, "-m", "gaussian", "-o", out, "--overlay") == 2
    assert not out.exists()
    assert command(*clips, "-m", "gaussian", "-o", out) == 0
    assert names(out / "gaussian") == ["clip.mp4", "clip.overlay.mp4"]
    film(tmp_path / "clip.overlay.mp4", 2)
    assert command(tmp_path, "-m", "gaussian", "-o", tmp_path / "beside", "--overlay") == 0
    assert len(names(tmp_path / "beside" / "gaussian")) == 4


def test_videos_of_one_name_are_told_apart(tmp_path, capsys):
    for name in ("a/clip.mp4", "b/clip.mp4", "a/clip.mkv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        film(tmp_path / "film.mp4", 2).rename(tmp_path / name)
    out = tmp_path / "out"
    (tmp_path / "a" / "clip.mkv").rename(tmp_path / "clip.mkv")
    assert command(tmp_path / "a" / "clip.mp4", tmp_path / "b" / "clip.mp4", "-m", "gaussian", "-o", out) == 2
    assert "both be written as 'clip'" in capsys.readouterr().err
    (tmp_path / "clip.mkv").rename(tmp_path / "a" / "clip.mkv")
    assert command(tmp_path / "a", "-m", "gaussian", "-o", out) == 0
    assert names(out / "gaussian") == ["clip.mkv.mp4", "clip.mp4.mp4"]
    assert command(tmp_path / "a" / "*.mp4", "-m", "gaussian", "-o", out, "--format", "png") == 0
    assert names(out / "gaussian" / "clip.mp4") == ["000000.png", "000001.png"]


def test_command_line_takes_videos_and_images_together(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    film(tmp_path / "in" / "clip.avi", 2)
    write_picture(tmp_path / "in" / "clip.png", PHOTO)
    assert command(tmp_path / "in", "-m", "ensemble:bms+gaussian", "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["ensemble-bms+gaussian"]
    assert names(tmp_path / "out" / "ensemble-bms+gaussian") == ["clip.mp4", "clip.png"]
    assert "no sound" in capsys.readouterr().err


def test_frames_kept_beside_their_video_are_no_maps_of_it():
    video = ImageFile(Path("clip.mp4"), Path("clip"))
    refuse_shared_names([ImageFile(Path("clip/01.png"), Path("clip/01"))], [video])
    refuse_shared_names([ImageFile(Path("other/000001.png"), Path("other/000001"))], [video])
    with pytest.raises(salbox.UsageError, match=r"a frame of clip\.mp4 would both be written as 'clip/000001'"):
        refuse_shared_names([ImageFile(Path("clip/000001.png"), Path("clip/000001"))], [video])
