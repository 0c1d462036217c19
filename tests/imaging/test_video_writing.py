"""Videos as output: at the source's times, and never believed to be whole without a look."""

from __future__ import annotations

import numpy as np
import pytest
from films import PHOTO, film, pan

import salbox
from salbox.imaging import video_writing
from salbox.imaging.video import VideoReader
from salbox.imaging.video_writing import VIDEO_FORMATS, Pace


def shown(pace: Pace, frames: int) -> np.ndarray:
    """Return when each frame is shown first."""
    repeats = [pace.repeats_of(k) for k in range(frames)]
    return np.cumsum([0, *repeats])[:-1] / pace.rate


def test_odd_sides_become_even_and_grey_becomes_rgb(tmp_path):
    film(tmp_path / "odd.mp4", [PHOTO[:101, :99, 0]] * 3)
    with VideoReader(tmp_path / "odd.mp4") as reader:
        assert next(iter(reader)).shape == (102, 100, 3)


@pytest.mark.parametrize("rate", [24000 / 1001, 25, 59.94, 120.123, 7 / 3])
def test_even_times_keep_the_rate_of_the_file(rate):
    times = np.round(np.arange(500) / rate, 3)  # as Matroska has them
    pace = Pace.following(times, rate)
    assert pace.rate == pytest.approx(rate, rel=1e-3)
    assert not pace.note
    np.testing.assert_allclose(shown(pace, 500), times, atol=0.5 / rate)
    assert Pace.following(times, 1000).rate == pytest.approx(rate, rel=1e-3)  # a rate that is not the frames'


@pytest.mark.parametrize(
    "steps",
    [
        [1 / 30] * 30 + [0.2] * 20,
        [0.2] * 20 + [1 / 30] * 30,
        [0.04] * 50 + [3.0] + [0.04] * 50,
        [20.0, 35.0, 31.0, 60.0],
        list(np.random.default_rng(0).uniform(0.01, 0.1, 200)),
    ],
)
def test_uneven_times_are_followed(steps):
    times = np.cumsum([0, *steps[:-1]])
    pace = Pace.following(times, len(times) / sum(steps))
    assert "variable frame rate" in pace.note
    assert pace.rate <= 60
    step = 1 / pace.rate
    np.testing.assert_allclose(shown(pace, len(times)), times, atol=0.51 * step)
    end = sum(pace.repeats_of(k) for k in range(len(times))) * step
    assert end == pytest.approx(times[-1] + steps[-2], abs=step)


def test_what_begins_late_begins_late():
    pace = Pace.following(2 + np.arange(10) / 10, 10)
    assert pace.rate == 10
    np.testing.assert_allclose(shown(pace, 10), [0, *(2 + np.arange(1, 10) / 10)])


@pytest.mark.parametrize("times", [[], [0.0], [0.0, 0.0], [0.0, 1e9], [0.0, 0.04, 1e8, 1e8 + 0.04], [1e9, 1e9 + 0.1]])
def test_times_that_cannot_be_true_are_not_followed(times):
    pace = Pace.following(np.array(times), 25)
    assert sum(pace.repeats_of(k) for k in range(len(times))) < 2000
    assert 0.1 <= pace.rate <= 60


@pytest.mark.parametrize("kind", VIDEO_FORMATS)
def test_a_writer_that_loses_frames_is_found_out(kind, tmp_path, monkeypatch):
    class Losing:
        def __init__(self, path, codec, rate, size):
            self.writer, self.written = opened(path, codec, rate, size), 0

        def write(self, frame):
            self.written += 1
            if self.written < 4:
                self.writer.write(frame)

        def isOpened(self):
            return True

        def release(self):
            self.writer.release()

    opened = video_writing.open_writer
    monkeypatch.setattr(video_writing, "open_writer", Losing)
    with pytest.raises(salbox.UsageError, match="3 of 6 frames arrived"):
        film(tmp_path / f"clip.{kind}", 6)


def test_nothing_is_checked_on_the_way_out_of_an_error(tmp_path):
    def broken_off():
        yield pan(1)[0]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        film(tmp_path / "clip.mp4", broken_off())


def test_frames_of_another_size_are_refused(tmp_path):
    with pytest.raises(salbox.UsageError, match="one size"):
        film(tmp_path / "clip.avi", [PHOTO, PHOTO[:100]])
