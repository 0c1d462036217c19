"""Videos as input: frames one by one with the times at which they are shown, with constant memory."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import ImageError, UsageError
from ..types import Pixels
from . import containers
from .ffmpeg import open_capture
from .image import MAX_PIXELS

_FALLBACK_RATE = 25.0  # frames a second, where a file does not say
_RATES = (0.001, 1000.0)  # what a file may say
_DELAYED = 16  # frames; the most that H.264 and HEVC hold back, and that the start of a cut may lack


class VideoReader:
    """A video's frames as images, every n-th of them; a context manager.

    The file is opened as what it is: a text that points to other files, a name that reads like an address and tracks
    that lie in other files are not followed.

    Parameters
    ----------
    path : Path
    stride : int
        Every how many frames one is read.
    max_pixels : int
        Larger frames are refused.

    Attributes
    ----------
    rate : float
        Frames a second of what is read: what the file says (of a variable rate a mean) over `stride`.
    expected : int or None
        How many frames are to be read by what the file says: an estimate.
    time : float
        Seconds from the start at which the frame read last is shown.

    Raises
    ------
    ImageError
        If it is not a video.
    """

    def __init__(self, path: Path, stride: int = 1, *, max_pixels: int = MAX_PIXELS) -> None:
        if stride < 1:
            raise UsageError(f"stride {stride}: expected at least 1")
        self.path, self.stride, self.time = path, stride, 0.0
        self._kind = _container(path)
        self._capture = _opened(path)
        self._max_pixels = max_pixels
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = (rate if _RATES[0] <= rate <= _RATES[1] else _FALLBACK_RATE) / stride
        frames = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._frames = int(frames) if math.isfinite(frames) and frames > 0 else 0
        self.expected = math.ceil(self._frames / stride) if self._frames else None
        self._grabbed = 0
        try:
            self._check_size(
                *(int(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
            )
        except ImageError:
            self._capture.release()
            raise

    def __iter__(self) -> Iterator[Pixels]:
        """Yield frames, (H, W, 3) uint8 RGB, until the file ends or cannot be read any further."""
        while self._capture.grab():
            self._grabbed += 1
            if (self._grabbed - 1) % self.stride:
                continue
            self.time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            ok, frame = self._capture.retrieve()
            if not ok:
                return
            self._check_size(*frame.shape[1::-1])
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)

    def break_off(self) -> str | None:
        """Return what is missing of the file, in words, once its frames are read; None if nothing is known to be.

        Only MP4 and QuickTime hold the exact number of frames; others have a duration, which is of the sound as well.
        """
        try:
            if (whole := containers.whole_size(self.path)) is not None:
                return f"the file is cut off after {self.path.stat().st_size} of {whole} bytes"
            counted = self._kind == "mov" and not containers.is_fragmented(self.path)
        except OSError as error:
            return f"the file can be read no longer ({error.strerror or error})"
        if not counted or self._frames - self._grabbed <= _DELAYED:
            return None
        # Edit lists leave frames out; a second look tells these from those that could not be decoded.
        held = _count(_opened(self.path, options="ignore_editlist;1"))
        lost = self._frames - max(held, self._grabbed)
        return f"{lost} of {self._frames} frames cannot be decoded" if lost > _DELAYED else None

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._max_pixels:
            limit = f"{self._max_pixels / 1e6:g} megapixels"
            raise ImageError(f"{self.path}: frames of {width}x{height} are more than {limit}")

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.release()


def frame_times(
    path: Path, stride: int = 1, progress: Callable[[int], None] = lambda done: None
) -> npt.NDArray[np.float64]:
    """Return the seconds from the start at which every n-th frame of a video is shown, (N,), none before the last.

    The frames have to be decoded for it: in files they lie in another order than they are shown in, and some are not.

    Parameters
    ----------
    path : Path
    stride : int
    progress : function of int, optional
        Takes now and then how many frames were looked at.

    Raises
    ------
    ImageError
        If it is not a video.
    """
    _container(path)
    capture = _opened(path)
    times: list[float] = []
    number = 0
    while capture.grab():
        if number % stride == 0:
            times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        number += 1
        if number % 100 == 0:
            progress(number)
    capture.release()
    return _in_order(np.nan_to_num(np.array(times), nan=0.0, posinf=0.0, neginf=0.0))


def _in_order(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return times of which none is before the last; frames held back to the end, without times, follow evenly."""
    times = np.maximum.accumulate(times.clip(0))
    held_back = len(times) - int(np.searchsorted(times, times[-1])) - 1 if len(times) else 0
    if 0 < held_back < min(_DELAYED, len(times) - 1):
        times[-held_back:] += np.arange(1, held_back + 1) * np.median(np.diff(times[:-held_back]))
    return times


def _container(path: Path) -> str:
    """Return which container a file is.

    Raises
    ------
    ImageError
        If it is none that holds a video, or cannot be read.
    """
    if not os.path.isfile(path):  # noqa: PTH113 (never fails, on names that are too long neither)
        raise ImageError(f"{path}: {'not a regular file' if os.path.lexists(path) else 'no such file'}")
    try:
        kind = containers.container(containers.read_head(path))
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error})") from None
    if kind is None:
        raise ImageError(f"{path}: not a video, or of a kind that is not supported")
    return kind


def _opened(path: Path, *, options: str = "") -> cv2.VideoCapture:
    capture = open_capture(path, options=options)
    if not capture.isOpened():
        raise ImageError(f"{path}: not a video, or of a kind that is not supported")
    return capture


def _count(capture: cv2.VideoCapture) -> int:
    """Return how many frames can be decoded."""
    frames = 0
    while capture.grab():
        frames += 1
    capture.release()
    return frames
