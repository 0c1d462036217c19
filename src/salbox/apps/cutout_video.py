"""Cutouts of videos: a WebM with transparency, an MP4 on a background, or numbered pictures."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import ImageWarning, MissingExtraError, SalboxError, UsageError, nearest
from ..imaging.inputs import ImageFile
from ..imaging.notes import behind_video
from ..imaging.video import VideoReader, frame_times
from ..imaging.video_writing import Pace, VideoWriter
from ..imaging.writing import atomic
from ..prediction.batch import Outcome, still_missing
from ..prediction.images import Pipeline, memory_errors_named
from ..system.progress import SILENT, Progress
from ..types import Pixels
from .cutout_files import CutoutPlan
from .cutout_photo import Photo
from .cutout_writing import SUFFIXES, write_cutout
from .cutouts import cut_out

VIDEOS = ("webm", "mp4")
CLIP_FORMATS = (*VIDEOS, *SUFFIXES)
# VP9 as libvpx has it: a constant quality; frames that are never shown do not go with transparency.
_VP9 = {"crf": "20", "b": "0", "auto-alt-ref": "0", "cpu-used": "4", "row-mt": "1"}
_TICK = Fraction(1, 1000)  # second, as WebM counts

Write = Callable[[npt.NDArray[np.uint8], float, int], None]
"""Takes a frame, the second at which it is shown and its number."""


def clip_format(asked: str | None, *, is_opaque: bool) -> str:
    """Return the format of a video's cutouts.

    Parameters
    ----------
    asked : str, optional
        One of `CLIP_FORMATS`: a picture's means numbered ones. By default mp4 where nothing is transparent, else webm,
        or png where the extra `video` is not installed.
    is_opaque : bool

    Raises
    ------
    UsageError
        If there is no such format, or it has no transparency.
    MissingExtraError
        If a WebM is asked for and PyAV is not installed.
    """
    has_av = importlib.util.find_spec("av") is not None
    if asked is None:
        return "mp4" if is_opaque else "webm" if has_av else "png"
    if asked not in CLIP_FORMATS:
        raise UsageError(f"no format '{asked}'{nearest(asked, CLIP_FORMATS)} (of videos: {', '.join(CLIP_FORMATS)})")
    if asked in ("mp4", "jpg") and not is_opaque:
        raise UsageError(f"{asked} is not transparent: give webm or png, or a background")
    if asked == "webm" and not has_av:
        raise MissingExtraError("WebM with transparency", "video")
    return asked


def cut_out_clip(video: ImageFile, plan: CutoutPlan, file_format: str, progress: Progress = SILENT) -> Outcome:
    """Return what was written of a video.

    `folder/<name>.webm` or `.mp4`, without sound; or `folder/<name>/000000.png` and so on, of which those that are
    there are left. A video that breaks off is written as far as it can be read, and the outcome says so.

    Parameters
    ----------
    video : ImageFile
    plan : CutoutPlan
    file_format : str
        What `clip_format` returned.
    progress : Progress, optional
    """
    outcome = Outcome(video.path)
    try:
        with memory_errors_named(video.path, "a smaller video needs less"):
            _write_clip(video, plan, file_format, progress, outcome)
    except SalboxError as error:
        outcome.failures.append(str(error))
    for note in outcome.notes:
        progress.say(f"note: {note}")
    for failure in outcome.failures:
        progress.say(f"failed: {failure}")
    return outcome


def _write_clip(video: ImageFile, plan: CutoutPlan, file_format: str, progress: Progress, outcome: Outcome) -> None:
    model = plan.load()
    pipeline, notes = Pipeline(model.follow()), plan.notes(model, video.path)
    path = plan.batch.folder / f"{video.output}.{file_format}"
    if file_format in VIDEOS and not still_missing({path: notes}, outcome, overwrite=plan.batch.overwrite):
        return
    with VideoReader(video.path, max_pixels=plan.batch.max_pixels) as reader, ExitStack() as stack:
        numbered = _Numbered(video, replace(plan, file_format=file_format), notes) if file_format in SUFFIXES else None
        if numbered is not None:
            write: Write = numbered.write
        elif file_format == "mp4":
            write = stack.enter_context(_mp4(path, video.path, reader.rate, notes))
        else:
            write = stack.enter_context(_webm(path, notes))
        frames = empty = 0
        for frame in reader:
            if numbered is None or numbered.wants(frames):
                pixels, has_object = _frame(frame, pipeline, plan)
                write(pixels, reader.time, frames)
                empty += not has_object
            frames += 1
            progress.update(video.path.name, frames, max(frames, reader.expected or 0))
        reason = reader.break_off()
        if frames == 0:
            raise SalboxError(f"{video.path}: no frame could be read" + (f"; {reason}" if reason else ""))
    if numbered is None:
        outcome.written.append(path)
    else:
        numbered.end(outcome)
    if empty:
        outcome.notes.append(f"{video.path}: the model finds no object in {empty} of {frames} frames")
    if reason:
        outcome.failures.append(f"{video.path}: {reason}; the {frames} frames before are written")


def _frame(frame: Pixels, pipeline: Pipeline, plan: CutoutPlan) -> tuple[npt.NDArray[np.uint8], bool]:
    """Return the cutout of a frame, and whether there is an object in it."""
    photo = Photo(cv2.cvtColor(frame, cv2.COLOR_RGB2RGBA))
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", ImageWarning)
        return cut_out(photo, pipeline, plan.options, plan.background, is_frame=True), not raised


class _Numbered:
    """Frames as pictures in a folder, `000000.png` and so on; those that are there are left."""

    def __init__(self, video: ImageFile, plan: CutoutPlan, notes: dict[str, Any]) -> None:
        self._video, self._plan, self._notes = video, replace(plan, file=None), notes
        self._frames = Outcome(video.path)

    def wants(self, number: int) -> bool:
        """Return whether a frame is still to be written."""
        expected = {self._target(number): self._notes}
        return bool(still_missing(expected, self._frames, overwrite=self._plan.batch.overwrite))

    def write(self, pixels: npt.NDArray[np.uint8], time: float, number: int) -> None:
        """Write a frame."""
        write_cutout(self._target(number), pixels, self._plan.file_format, self._notes, {})
        self._frames.written.append(self._target(number))

    def end(self, outcome: Outcome) -> None:
        """Say what was written: the folder."""
        folder = self._plan.batch.folder / self._video.output
        if self._frames.written:
            outcome.written.append(folder)
        elif self._frames.skipped:
            outcome.skipped.append(folder)
        outcome.otherwise.update(self._frames.otherwise)

    def _target(self, number: int) -> Path:
        return self._plan.target(ImageFile(self._video.path, self._video.output / f"{number:06}"))


@contextmanager
def _mp4(path: Path, video: Path, rate: float, notes: dict[str, Any]) -> Iterator[Write]:
    """Yield what appends a frame to an MP4 that runs as the video does."""
    pace = Pace.following(frame_times(video), rate)
    with atomic(path, keep_suffix=True) as temporary:
        with VideoWriter(temporary, pace.rate) as writer:
            yield lambda pixels, time, number: writer.write(pixels, pace.repeats_of(number))
        _note(temporary, path, notes)


@contextmanager
def _webm(path: Path, notes: dict[str, Any]) -> Iterator[Write]:
    """Yield what appends a frame to a WebM: VP9, transparent where it is."""
    import av

    with atomic(path, keep_suffix=True) as temporary:
        try:
            with av.open(str(temporary), "w", format="webm") as container:
                stream: Any = container.add_stream("libvpx-vp9", rate=1000, options=_VP9)
                stream.pix_fmt, stream.time_base = "yuva420p", _TICK
                last = -1

                def write(pixels: npt.NDArray[np.uint8], time: float, number: int) -> None:
                    nonlocal last
                    if number == 0:
                        stream.height, stream.width = pixels.shape[:2]
                    elif (stream.height, stream.width) != pixels.shape[:2]:
                        raise UsageError(f"{path}: the frames of a WebM have one size")
                    frame = av.VideoFrame.from_ndarray(_as_rgba(pixels), format="rgba").reformat(format="yuva420p")
                    last = max(last + 1, round(time * 1000))
                    frame.pts, frame.time_base = last, _TICK
                    container.mux(stream.encode(frame))

                yield write
                container.mux(stream.encode(None))
        except av.FFmpegError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from None
        _note(temporary, path, notes)


def _note(temporary: Path, path: Path, notes: dict[str, Any]) -> None:
    """Put notes behind the end of a video."""
    with temporary.open("ab") as file:
        file.write(behind_video(notes | {"output": "probability", "minimum": 0.0, "maximum": 1.0}, path.suffix))


def _as_rgba(pixels: npt.NDArray[np.uint8]) -> Pixels:
    if pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGBA)
    return pixels if pixels.shape[2] == 4 else cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
