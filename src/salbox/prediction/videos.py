"""Maps for the frames of a video: what `salbox predict clip.mp4` does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import SalboxError, UsageError
from ..imaging.inputs import ImageFile, output_name
from ..imaging.video import VideoReader, frame_times
from ..imaging.video_writing import VIDEO_FORMATS, Pace
from ..models.ensembles import Ensemble
from ..models.model import CanFollow, Model
from ..system.contents import content_digest
from ..system.progress import SILENT, Progress
from ..types import Output, Pixels, SaliencyMap
from .batch import BatchPlan, Outcome
from .clip_outputs import ClipOutputs, clip_outputs
from .images import SMALLER_COPY, ImageMaps, Pipeline, memory_errors_named


@dataclass(frozen=True)
class ClipPlan:
    """What is done to a video beside what a `BatchPlan` says.

    Attributes
    ----------
    stride : int
        Every how many frames a map is computed.
    smooth_seconds : float
        Time constant of an exponential mean over the maps; 0 leaves each frame's map as it is.
    """

    stride: int = 1
    smooth_seconds: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.smooth_seconds) and self.smooth_seconds >= 0):
            raise UsageError(f"smoothing over {self.smooth_seconds} seconds: expected 0 or more")


def run_clip(video: ImageFile | Path, plan: BatchPlan, clip: ClipPlan, progress: Progress = SILENT) -> Outcome:
    """Write the maps of a video's frames and return what was written.

    If the plan's format is a video's, `folder/<model>/<name>.<format>` and, with overlays, `<name>.overlay.<format>`;
    else numbered maps `folder/<model>/<name>/000000.<format>`. What is there already is left, as images' maps are, and
    numbered maps go on at the first that is missing. Maps in a video are min-max scaled frame by frame, and shown at
    the times of the source's frames. A model made for videos carries what it remembers from each frame read to the
    next. A video that breaks off is written as far as it could be read, and the outcome says so.

    Parameters
    ----------
    video : ImageFile or Path
        A path's maps are called as it is, without its suffix.
    plan : BatchPlan
    clip : ClipPlan
    progress : Progress, optional
        Takes after each frame how many are done and how many there are by what is known; and what failed.
    """
    if isinstance(video, Path):
        video = ImageFile(video, Path(output_name(video)))
    outcome = Outcome(video.path)
    try:
        with memory_errors_named(video.path, SMALLER_COPY):
            _write_clip(video, plan, clip, progress, outcome)
    except SalboxError as error:
        outcome.failures.append(str(error))
    for note in outcome.notes:
        progress.say(note)
    for failure in outcome.failures:
        progress.say(f"failed: {failure}")
    if outcome.written:
        progress.say(f"{video.path}: the maps carry no sound")
    return outcome


def refuse_shared_names(images: Iterable[ImageFile], videos: Sequence[ImageFile], *, overlays: bool = False) -> None:
    """Raise a UsageError if two inputs would be given one output.

    An image may be called as one of the numbered maps of a video: frames are often kept in a folder beside it. With
    `overlays` a video may be called as another's overlay.
    """
    clips = {video.output: video.path for video in videos}
    for image in images:
        name, _, rest = image.output.name.partition(".")
        if len(name) >= 6 and name.isdecimal() and rest in ("", "overlay") and image.output.parent in clips:
            raise _shared(image, f"a frame of {clips[image.output.parent]}")
    for video in videos:
        if overlays and video.output.suffix == ".overlay" and (other := video.output.with_suffix("")) in clips:
            raise _shared(video, f"the overlay of {clips[other]}")


def _shared(one: ImageFile, other: str) -> UsageError:
    return UsageError(f"{one.path} and {other} would both be written as '{one.output}'; run them apart")


def _write_clip(video: ImageFile, plan: BatchPlan, clip: ClipPlan, progress: Progress, outcome: Outcome) -> None:
    streams = [_Stream(model, video, plan, clip, outcome) for model in plan.load()]
    makes_videos = plan.file_format in VIDEO_FORMATS
    if makes_videos and not any(stream.outputs.wants(0) for stream in streams) and content_digest(video.path):
        return  # of one that can be read no longer maps are not said to be there
    with VideoReader(video.path, clip.stride, max_pixels=plan.max_pixels) as reader, ExitStack() as stack:
        active, times = streams, None
        # Where a model remembers, all frames are computed if one is missing.
        if makes_videos or any(stream.remembers and not stream.outputs.wants(0) for stream in streams):
            title = f"{video.path.name}: times of the frames"
            times = frame_times(video.path, clip.stride, lambda done: progress.update(title, done, None))
            active = [stream for stream in streams if any(map(stream.outputs.wants, range(len(times))))]
        if makes_videos and times is not None:
            pace = Pace.following(times, reader.rate)
            if pace.note:
                outcome.notes.append(f"{video.path}: {pace.note}")
            for stream in active:
                stream.outputs.open(stack, pace)
        frames = _run(reader, active, clip, None if times is None else len(times), progress)
        reason = reader.break_off()
        if frames == 0:
            raise SalboxError(f"{video.path}: no frame could be read" + (f"; {reason}" if reason else ""))
    for stream in streams:
        stream.outputs.end(None if reason else frames)
    if reason:
        outcome.failures.append(f"{video.path}: {reason}; the maps of the {frames} frames before are written")


def _run(reader: VideoReader, streams: list[_Stream], clip: ClipPlan, expected: int | None, progress: Progress) -> int:
    """Compute and write frame after frame; return how many there were."""
    done, time = 0, 0.0
    for frame in reader:
        step = reader.time - time if reader.time > time else 1 / reader.rate
        keep = math.exp(-step / clip.smooth_seconds) if clip.smooth_seconds > 0 else 0.0
        active = [stream for stream in streams if stream.remembers or stream.outputs.wants(done)]
        maps = ImageMaps([frame], [stream.pipeline for stream in active])
        for stream in active:
            (saliency,) = maps.of(stream.pipeline)
            stream.add(done, frame, saliency, keep)
        done, time = done + 1, reader.time
        progress.update(reader.path.name, done, max(done, expected or reader.expected or 0))
    return done


class _Stream:
    """The maps of one model, frame after frame."""

    def __init__(self, model: Model, video: ImageFile, plan: BatchPlan, clip: ClipPlan, outcome: Outcome) -> None:
        # What is done to a map comes after the mean over time.
        self.pipeline = Pipeline(model.follow(), size=plan.size)
        self.remembers = clip.smooth_seconds > 0 or _remembers(model)
        self._postprocess = plan.postprocess
        self._mean: SaliencyMap | None = None
        notes = plan.notes(model, video.path) | {"stride": clip.stride, "smooth_seconds": clip.smooth_seconds}
        output = plan.postprocess.output_of(self.pipeline.output)
        self.outputs: ClipOutputs = clip_outputs(video, plan, model.name, notes, output, outcome)

    def add(self, number: int, frame: Pixels, saliency: SaliencyMap, keep: float) -> None:
        """Write the map of a frame, what is kept of those before mixed in."""
        output = self.pipeline.output
        if keep and self._mean is not None:
            saliency = _between(self._mean, saliency, keep, output)
        self._mean = saliency
        if self.outputs.wants(number):
            self.outputs.write(number, frame, self._postprocess(saliency, name=f"{number:06}", output=output))


def _remembers(model: Model) -> bool:
    """Return whether a frame's map depends on the frames before."""
    if isinstance(model.function, Ensemble):
        return any(map(_remembers, model.function.models.values()))
    function: object = model.function
    return isinstance(function, CanFollow)


def _between(mean: SaliencyMap, new: SaliencyMap, keep: float, output: Output) -> SaliencyMap:
    """Return the running mean with a new map in it; of log densities the log of the densities' mean."""
    if output == "log_density":
        return np.logaddexp(mean + math.log(keep), new + math.log1p(-keep)).astype(np.float32)
    return (keep * mean + (1 - keep) * new).astype(np.float32)
