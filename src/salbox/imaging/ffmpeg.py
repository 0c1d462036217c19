"""FFmpeg inside OpenCV: opened on files only, by names that it can take, without what it prints."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2

from ..errors import UsageError, one_line

# FFmpeg prints what it thinks of broken files; what matters is said in one line by whoever asks.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
# No addresses, no lists of other files, and of a QuickTime file no tracks that lie in another.
_FILES_ONLY = (
    "protocol_whitelist;file|"
    "format_whitelist;mov,mp4,matroska,webm,avi,asf,mpeg,mpegvideo,mpegts,ogg,flv|"
    "enable_drefs;0"
)
_SILENT = 0  # OpenCV's LOG_LEVEL_SILENT; it and its setter lie in cv2.utils.logging from 4.13 on
_lock = threading.Lock()  # the environment and the file descriptors are the process's


def open_capture(path: Path, *, options: str = "") -> cv2.VideoCapture:
    """Return OpenCV's reader of a video file; whether it could open the file is to be asked.

    Parameters
    ----------
    path : Path
        Of a regular file.
    options : str
        Further options of FFmpeg, as "name;value|name;value".

    Raises
    ------
    UsageError
        If the name is no text, and no link to it could be made either.
    """
    with utf8_name(path) as name, _lock, _quiet(), _options(options):
        return cv2.VideoCapture(name, cv2.CAP_FFMPEG)


def open_writer(path: Path, codec: str, rate: float, size: tuple[int, int]) -> cv2.VideoWriter:
    """Return OpenCV's writer of a video file; whether it could open the file is to be asked.

    Raises
    ------
    UsageError
        If the name is no text, and no link to it could be made either.
    """
    with utf8_name(path) as name, _lock, _quiet():
        return cv2.VideoWriter(name, cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), rate, size)


@contextlib.contextmanager
def utf8_name(path: Path) -> Iterator[str]:
    """Yield an absolute name of a file that libraries in C++ can take: where its own has odd bytes, that of a link.

    An absolute name is never taken for an address ("concat:a.mp4"). OpenCV ends the process at one that is no UTF-8.
    """
    absolute = os.path.abspath(path)  # noqa: PTH100 (links stay)
    if _is_utf8(absolute):
        yield absolute
        return
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="salbox-"))
            link = Path(folder, "video" + (path.suffix if _is_utf8(path.suffix) else ""))
            link.symlink_to(absolute)
        except OSError:
            link = path
        if not _is_utf8(str(link)):
            raise UsageError(f"{one_line(path)}: has a name that is no text; rename it")
        yield str(link)


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV from logging warnings meanwhile."""
    set_level = getattr(cv2.utils, "logging", cv2).setLogLevel
    level = set_level(_SILENT)
    try:
        yield
    finally:
        set_level(level)


@contextlib.contextmanager
def _options(more: str) -> Iterator[None]:
    """Set the options with which OpenCV opens a video; ours come last, so that they win over those of the user."""
    given = os.environ.get(_OPTIONS)
    os.environ[_OPTIONS] = "|".join(part for part in (given, more, _FILES_ONLY) if part)
    try:
        yield
    finally:
        if given is None:
            del os.environ[_OPTIONS]
        else:
            os.environ[_OPTIONS] = given


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV from printing while it tries to open something; whether it could is asked afterwards.

    It prints from C++, past `sys.stderr`, so the file descriptor itself is turned away for the moment.
    """
    try:
        saved = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 (a device, not a path)
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that were none stand as surrogates
        return False
    return True
