"""Videos as output: written frame by frame, at a constant rate that follows the source's times, and checked."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from .ffmpeg import open_capture, open_writer, quiet_opencv

# What OpenCV's own build can write everywhere; H.264 it cannot.
_CODECS = {"mp4": "mp4v", "webm": "VP80", "avi": "MJPG"}
VIDEO_FORMATS = tuple(_CODECS)

_COARSEST_RATE, _FINEST_RATE = 5.0, 60.0  # frames a second that a variable rate is brought to
_JITTER = 0.05  # seconds that nobody sees
_MOST_REPEATS = 60  # frames written for one of the source, on the average
_FULL = 1 << 20  # bytes; a disk with less left has no room for a video


@dataclass(frozen=True)
class Pace:
    """At which rate the frames of a video are written, and how often each, so that they run as the source does.

    Attributes
    ----------
    rate : float
        Frames a second.
    repeats : sequence of int
        How often each frame is written; once those that are not listed.
    note : str
        What a user should know, "" if nothing.
    """

    rate: float
    repeats: Sequence[int] = ()
    note: str = ""

    def repeats_of(self, number: int) -> int:
        """Return how often a frame, counted from 0, is written."""
        return self.repeats[number] if number < len(self.repeats) else 1

    @classmethod
    def following(cls, times: npt.NDArray[np.float64], rate: float) -> Pace:
        """Return the pace that follows the times at which a video's frames are shown.

        Parameters
        ----------
        times : (N,) float64
            Seconds, none before the last.
        rate : float
            Frames a second as the file says: kept if the times are even.
        """
        if len(times) < 2 or times[-1] <= times[0]:
            return cls(_writable(rate))
        steps = np.diff(times)
        end = times[-1] + steps[-1]  # the last frame stays for as long as the one before it
        mean = len(steps) / (times[-1] - times[0])
        most = _MOST_REPEATS * len(times) + 1000
        even = next((each for each in map(_writable, (rate, mean)) if _is_even(times, each)), None)
        if even is not None and times[0] * even < most:
            return cls(even, [1 + int(times[0] * even)])  # the first frame is there from the start
        finest = 1 / np.percentile(steps[steps > 0], 5)
        fine = min(max(finest, mean, _COARSEST_RATE), _FINEST_RATE, most / end)
        if fine < 1:
            return cls(
                _writable(rate), note=f"its times leap; the maps run at a rate of {rate:.4g} frames a second instead"
            )
        fine = _writable(fine)
        borders = np.rint(np.append(times, end) * fine).astype(int)
        borders[0] = 0
        borders[-1] = max(borders[-1], borders[-2] + 1)
        note = (
            f"of variable frame rate; its maps are repeated at {fine:.4g} frames a second, so that they keep its times"
        )
        return cls(fine, np.diff(borders).tolist(), note)


class VideoWriter:
    """A video that is written frame by frame; a context manager. The size is the first frame's.

    Sides are made even by repeating the last row or column, as the codecs ask for. The file's suffix chooses the codec.
    Leaving the block raises a UsageError if the file does not hold what was written: no library tells of a full disk.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self._path, self._rate = path, _writable(rate)
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._written = 0

    def write(self, frame: npt.NDArray[np.uint8], repeats: int = 1) -> None:
        """Append a frame so many times: (H, W, 3) uint8 RGB, or (H, W) uint8 grey.

        Raises
        ------
        UsageError
            If the file cannot be written, or the frame is of another size than the first.
        """
        bgr = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR if frame.ndim == 2 else cv2.COLOR_RGB2BGR)
        height, width = bgr.shape[:2]
        bgr = cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        if self._writer is None:
            self._writer, self._size = self._open(bgr.shape[1::-1]), bgr.shape[1::-1]
        if bgr.shape[1::-1] != self._size:
            raise UsageError(
                f"{self._path.suffix} videos have frames of one size, not of {self._size} and {bgr.shape[1::-1]}"
            )
        with quiet_opencv():
            for _ in range(repeats):
                self._writer.write(bgr)
        self._written += repeats

    def _open(self, size: tuple[int, int]) -> cv2.VideoWriter:
        codec = _CODECS[self._path.suffix.lstrip(".")]
        writer = open_writer(self._path, codec, self._rate, size)
        if not writer.isOpened():
            raise UsageError(
                f"{self._path.suffix} videos of {size[0]}x{size[1]} cannot be written {self._reason() or 'here'}"
            )
        return writer

    def _reason(self) -> str:
        """Return why writing failed, if the disk tells."""
        try:
            free = shutil.disk_usage(self._path.parent).free
        except OSError:
            return ""
        return f"(no space left on {self._path.parent})" if free < _FULL else ""

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        with quiet_opencv():
            self._writer.release()
        if kind is None and (held := _packets(self._path)) < self._written:
            raise UsageError(
                f"the video could not be written: {held} of {self._written} frames arrived {self._reason()}".rstrip()
            )


def _packets(path: Path) -> int:
    """Return how many frames a file holds, not decoded."""
    capture = open_capture(path)
    capture.set(cv2.CAP_PROP_FORMAT, -1)
    frames = 0
    while capture.grab():
        frames += 1
    capture.release()
    return frames


def _writable(rate: float) -> float:
    """Return the nearest rate that every container holds exactly: in MP4 a fraction of two 16-bit numbers."""
    rate = min(max(float(rate), 0.001), 1000.0)
    return round(rate, 3 if rate < 65 else 2 if rate < 650 else 1)


def _is_even(times: npt.NDArray[np.float64], rate: float) -> bool:
    """Return whether each frame is shown at its place at a constant rate, but for what clocks and rounding add."""
    return bool(np.abs(times - times[0] - np.arange(len(times)) / rate).max() < min(0.5 / rate, _JITTER))
