"""Crops of videos: a window of one size that follows what is looked at, smoothly."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import SalboxError, UsageError
from ..imaging.inputs import ImageFile
from ..imaging.scaling import smaller_copy
from ..imaging.video import VideoReader, frame_times
from ..imaging.video_writing import Pace, VideoWriter
from ..imaging.writing import atomic
from ..models.loading import load
from ..models.model import Model
from ..prediction.images import memory_errors_named
from ..system.progress import SILENT, Progress
from ..types import Pixels, Shape
from ._files import MORE_MEMORY
from ._path import CUT, best_way, shots, small, smoothed
from ._windows import Field, largest_holding, spans
from .attention import LOOKED_AT, seen_by
from .box import hull
from .crop_files import CropOutcome, CropPlan, brought_to
from .crops import CropOptions
from .sizes import Size

LOOKS_A_SECOND = 5.0
_PLACES = 65  # along the way of a window
_SUFFIX = ".mp4"


@dataclass(frozen=True, eq=False)
class Way:
    """A window's way through a video: its size, its top left corner in each frame, (N, 2), and what it keeps."""

    width: int
    height: int
    corners: npt.NDArray[np.int64]
    kept: float


class _Follower:
    """What windows of one size keep along the way on which they can move, time after time."""

    def __init__(self, shape: Shape, size: Size, options: CropOptions) -> None:
        self.size, self.shape = size, shape
        keep = hull(options.keep)
        self.width, self.height = largest_holding(keep, shape, size)
        free = spans(shape, self.width, self.height, keep)
        self.axis = 0 if free[0][1] > free[0][0] else 1
        self.places = np.unique(np.linspace(*free[self.axis], _PLACES).astype(np.int64))
        self.fixed = np.array([free[1 - self.axis][0]])
        self.cut_weight = options.cut_weight
        self.scores: list[npt.NDArray[np.float64]] = []
        self.kept: list[npt.NDArray[np.float64]] = []

    def look(self, field: Field) -> None:
        xs, ys = (self.places, self.fixed) if self.axis == 0 else (self.fixed, self.places)
        found = field.scores(self.width, self.height, xs, ys)
        self.kept.append(found.kept.ravel())
        self.scores.append((found.kept - self.cut_weight * found.cut).ravel())

    def way(self, looked: npt.NDArray[np.int64], shot: npt.NDArray[np.int64], times: npt.NDArray[np.float64]) -> Way:
        """Return the way, given which frames were looked at, the shot of each frame, and when each is shown."""
        side = self.shape[1 - self.axis]
        scores, kept = np.array(self.scores), np.array(self.kept)
        rate = (len(times) - 1) / max(times[-1] - times[0], 1e-3) if len(times) > 1 else 1.0
        along = np.empty(len(times))
        for number in range(shot[-1] + 1):
            frames = np.flatnonzero(shot == number)
            looks = np.flatnonzero(shot[looked] == number)
            chosen = best_way(scores[looks], self.places / side, times[looked[looks]])
            known = self.places[chosen].astype(np.float64)
            along[frames] = smoothed(known, times[looked[looks]], times[frames], rate)
        along = np.rint(along).clip(self.places[0], self.places[-1])
        corners = np.empty((len(times), 2), np.int64)
        corners[:, self.axis], corners[:, 1 - self.axis] = along, self.fixed[0]
        at_looks = [float(np.interp(along[frame], self.places, each)) for frame, each in zip(looked, kept, strict=True)]
        return Way(self.width, self.height, corners, float(np.mean(at_looks)))


def crop_clip(video: ImageFile, plan: CropPlan, progress: Progress = SILENT) -> CropOutcome:
    """Return what came of a video: windows that follow what is looked at, written as .mp4 if there is a folder.

    The video is read twice: the model looks at about five frames a second and at the first of each shot, then the
    frames are cut. A window is the largest of its aspect; it moves along one side, without haste, and leaps
    where a shot ends.
    """
    outcome = CropOutcome(video.path)
    try:
        with memory_errors_named(video.path, MORE_MEMORY):
            if plan.options.zoom > 1 or plan.options.rule_of_thirds:
                raise UsageError(f"{video.path}: zoom and the rule of thirds are for images, not for videos")
            model = load(plan.model, **plan.arguments).follow()
            shape, ways, times = _ways(video, plan, model, progress)
            outcome = CropOutcome(video.path, shape)
            _write(video, plan, ways, times, outcome, progress)
    except SalboxError as error:
        outcome.failures.append(str(error))
    for line in (*outcome.notes, *(f"failed: {each}" for each in outcome.failures)):
        progress.say(line)
    return outcome


def _ways(
    video: ImageFile, plan: CropPlan, model: Model, progress: Progress
) -> tuple[Shape, list[tuple[Size, Way]], npt.NDArray[np.float64]]:
    """Return the shape of the frames, the way of each size's window, and when each frame is shown."""
    times = frame_times(video.path)
    followers: list[_Follower] = []
    change, looked, before, shape = [0.0], [], None, (0, 0)
    with VideoReader(video.path, max_pixels=plan.max_pixels) as reader:
        step = max(1, round(reader.rate / LOOKS_A_SECOND))
        for number, frame in enumerate(reader):
            thumbnail = small(frame)
            if before is None:
                shape = frame.shape[:2]
                followers = [_Follower(shape, size, plan.options) for size in plan.sizes]
            else:
                change.append(float(np.abs(thumbnail - before).mean()))
            before = thumbnail
            # A cut is known for certain only at the end: each frame that may begin a shot is looked at.
            if number % step == 0 or change[-1] > CUT:
                _look(frame, shape, model, followers)
                looked.append(number)
            progress.update(f"{video.path.name}: looking", number + 1, max(len(times), number + 1))
        if (reason := reader.break_off()) is not None:
            raise SalboxError(f"{video.path}: {reason}")
    if not looked:
        raise SalboxError(f"{video.path}: no frame could be read")
    times = times[: len(change)] if len(times) >= len(change) else np.arange(len(change)) / reader.rate
    numbers, shot = np.array(looked), shots(np.array(change))
    return shape, [(each.size, each.way(numbers, shot, times)) for each in followers], times


def _look(frame: Pixels, shape: Shape, model: Model, followers: list[_Follower]) -> None:
    field = Field(seen_by(model, smaller_copy(frame, LOOKED_AT), shape))
    for each in followers:
        each.look(field)


def _write(
    video: ImageFile,
    plan: CropPlan,
    ways: list[tuple[Size, Way]],
    times: npt.NDArray[np.float64],
    outcome: CropOutcome,
    progress: Progress,
) -> None:
    good = [(size, way) for size, way in ways if way.kept >= plan.min_kept]
    paths = {size.text: plan.target(video, size, _SUFFIX) for size, _ in good} if plan.folder is not None else {}
    if paths:
        _cut(video, plan, good, paths, times, outcome, progress)
    every = max(1, round(len(times) / max(times[-1], 1e-3) / LOOKS_A_SECOND)) if len(times) > 1 else 1
    for size, way in ways:
        written = {"written": str(paths[size.text]) if size.text in paths else None} if plan.folder is not None else {}
        path = [
            [round(float(t), 3), int(x), int(y)] for t, (x, y) in zip(times[::every], way.corners[::every], strict=True)
        ]
        found: dict[str, Any] = {"size": size.text, "width": way.width, "height": way.height}
        outcome.crops.append({**found, "kept": round(way.kept, 4), "path": path, **written})
        if way.kept < plan.min_kept:
            outcome.too_little.append(f"{video.path} at {size.text} keeps {way.kept:.2f}")
    outcome.written.extend(paths.values())


def _cut(
    video: ImageFile,
    plan: CropPlan,
    ways: list[tuple[Size, Way]],
    paths: dict[str, Path],
    times: npt.NDArray[np.float64],
    outcome: CropOutcome,
    progress: Progress,
) -> None:
    """Write the windows of all frames, each size to a video of its own."""
    with VideoReader(video.path, max_pixels=plan.max_pixels) as reader, ExitStack() as stack:
        pace = Pace.following(times, reader.rate)
        outcome.notes.extend([f"{video.path}: {pace.note}"] if pace.note else [])
        outcome.notes.append(f"{video.path}: the crops carry no sound")
        writers = []
        for size, way in ways:
            temporary = stack.enter_context(atomic(paths[size.text], keep_suffix=True))
            writers.append((size, way, stack.enter_context(VideoWriter(temporary, pace.rate))))
        for number, frame in enumerate(reader):
            for size, way, writer in writers:
                x, y = way.corners[min(number, len(way.corners) - 1)]
                window = np.ascontiguousarray(frame[y : y + way.height, x : x + way.width])
                if size.pixels is not None:
                    window = np.asarray(brought_to(Image.fromarray(window), size.pixels))
                writer.write(window, pace.repeats_of(number))
            progress.update(f"{video.path.name}: cutting", number + 1, len(times))
