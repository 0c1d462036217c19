"""Videos: frames in one by one, maps out as a video, with constant memory."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import ImageError, UsageError
from ..types import Pixels
from .image import MAX_PIXELS

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv"})

# What OpenCV's own build can write everywhere; H.264 it cannot.
_CODECS = {"mp4": "mp4v", "webm": "VP80", "avi": "MJPG"}
VIDEO_FORMATS = tuple(_CODECS)

_FALLBACK_RATE = 25.0  # frames a second, where a file does not say

# FFmpeg prints what it thinks of broken files; what matters is said in one line by the errors below.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class VideoReader:
    """A video's frames as images, every n-th of them; a context manager.

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
        Frames a second of what is read: the video's over `stride`.
    expected : int or None
        How many frames the file says there are to be read, if it says so.

    Raises
    ------
    ImageError
        If it is not a video.
    """

    def __init__(self, path: Path, stride: int = 1, *, max_pixels: int = MAX_PIXELS) -> None:
        if stride < 1:
            raise UsageError(f"stride {stride}: expected at least 1")
        if not path.is_file():
            raise ImageError(f"{path}: no such file")
        with _quiet():
            self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise ImageError(f"{path}: not a video, or of a kind that is not supported")
        self.path, self.stride = path, stride
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = (rate if math.isfinite(rate) and rate > 0 else _FALLBACK_RATE) / stride
        frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.expected = math.ceil(frames / stride) if frames > 0 else None
        width, height = (int(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > max_pixels:
            self._capture.release()
            raise ImageError(f"{path}: frames of {width}x{height} are more than {max_pixels / 1e6:g} megapixels")

    def __iter__(self) -> Iterator[Pixels]:
        """Yield frames, (H, W, 3) uint8 RGB, until the file ends or cannot be read any further."""
        number = 0
        while self._capture.grab():
            if number % self.stride == 0:
                ok, frame = self._capture.retrieve()
                if not ok:
                    return
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            number += 1

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._capture.release()


class VideoWriter:
    """A video that is written frame by frame; a context manager. The size is the first frame's.

    Sides are made even by repeating the last row or column, as the codecs ask for. The file's suffix chooses the codec.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self._path, self._rate = path, rate
        self._writer: cv2.VideoWriter | None = None

    def write(self, frame: npt.NDArray[np.uint8]) -> None:
        """Append a frame: (H, W, 3) uint8 RGB, or (H, W) uint8 grey.

        Raises
        ------
        UsageError
            If the file cannot be written.
        """
        bgr = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR if frame.ndim == 2 else cv2.COLOR_RGB2BGR)
        height, width = bgr.shape[:2]
        bgr = cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        if self._writer is None:
            self._writer = self._open(bgr.shape[1::-1])
        self._writer.write(bgr)

    def _open(self, size: tuple[int, int]) -> cv2.VideoWriter:
        codec = _CODECS[self._path.suffix.lstrip(".")]
        with _quiet():
            writer = cv2.VideoWriter(str(self._path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), self._rate, size)
        if not writer.isOpened():
            raise UsageError(f"{self._path.suffix} videos of {size[0]}x{size[1]} cannot be written here")
        return writer

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.release()


def is_video(path: Path) -> bool:
    """Return whether a file's suffix is a video's."""
    return path.suffix.lower() in VIDEO_SUFFIXES


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV from printing while it tries to open something; whether it could is asked afterwards.

    It prints from C++, past `sys.stderr`, so the file descriptor itself is turned away for the moment.
    """
    saved = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 (a device, not a path)
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
