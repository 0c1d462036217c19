"""Maps for the frames of a video: what `salbox predict clip.mp4` does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import SalboxError, UsageError
from ..imaging.plots import overlay, visible
from ..imaging.scaling import min_max
from ..imaging.video import VIDEO_FORMATS, VideoReader, VideoWriter, is_video
from ..imaging.writing import atomic, suffix, write_map, write_picture
from ..system.progress import SILENT, Progress
from ..types import Output, SaliencyMap
from .batch import BatchPlan, Outcome
from .images import SMALLER_COPY, ImageMaps, Pipeline, folder_name, memory_errors_named


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


def run_clip(path: Path, plan: BatchPlan, clip: ClipPlan, progress: Progress = SILENT) -> Outcome:
    """Write the maps of a video's frames and return what was written.

    If the plan's format is a video's, `folder/<model>/<stem>.<format>` and, with overlays, `<stem>.overlay.<format>`;
    else numbered maps `folder/<model>/<stem>/000000.<format>`. Maps in a video are min-max scaled frame by frame. A
    model made for videos carries what it remembers from each frame read to the next. A video that breaks off is written
    as far as it could be read, and the outcome says so.

    Parameters
    ----------
    path : Path
    plan : BatchPlan
    clip : ClipPlan
    progress : Progress, optional
        Takes after each frame how many are done and how many the file says there are; and what failed.
    """
    outcome = Outcome(path)
    try:
        with memory_errors_named(path, SMALLER_COPY):
            _write_clip(path, plan, clip, progress, outcome)
    except SalboxError as error:
        outcome.failures.append(str(error))
    for failure in outcome.failures:
        progress.say(f"failed: {failure}")
    if outcome.written:
        progress.say(f"{path}: the maps carry no sound")
    return outcome


def split_videos(inputs: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return which inputs are videos, by their suffix, and the others."""
    videos = [Path(text).expanduser() for text in inputs if is_video(Path(text))]
    return videos, [text for text in inputs if not is_video(Path(text))]


def _write_clip(path: Path, plan: BatchPlan, clip: ClipPlan, progress: Progress, outcome: Outcome) -> None:
    # What is done to a map comes after the mean over time.
    pipelines = [Pipeline(model.follow(), size=plan.size) for model in plan.load()]
    sinks = [_Sink.of(pipeline, path, plan, outcome) for pipeline in pipelines]
    sinks = [sink for sink in sinks if sink.targets]
    if not sinks:
        return
    with VideoReader(path, clip.stride, max_pixels=plan.max_pixels) as reader, ExitStack() as stack:
        for sink in sinks:
            sink.open(stack, reader.rate)
        frames = _run(reader, sinks, plan, clip, progress)
        if frames == 0:
            raise SalboxError(f"{path}: no frame could be read")
    outcome.written.extend(target for sink in sinks for target in sink.targets)
    if reader.expected is not None and frames < reader.expected:
        outcome.failures.append(
            f"{path}: ends after {frames} of {reader.expected} frames, broken or truncated; those are written"
        )


def _run(reader: VideoReader, sinks: list[_Sink], plan: BatchPlan, clip: ClipPlan, progress: Progress) -> int:
    """Compute and write frame after frame; return how many there were."""
    keep = math.exp(-1 / (clip.smooth_seconds * reader.rate)) if clip.smooth_seconds > 0 else 0.0
    done = 0
    for frame in reader:
        maps = ImageMaps([frame], [sink.pipeline for sink in sinks])
        for sink in sinks:
            (saliency,) = maps.of(sink.pipeline)
            output = sink.pipeline.output
            if keep and sink.mean is not None:
                saliency = _between(sink.mean, saliency, keep, output)
            sink.mean = saliency
            sink.write(done, frame, plan.postprocess(saliency, name=f"{done:06}", output=output))
        done += 1
        progress.update(reader.path.name, done, reader.expected)
    return done


def _between(mean: SaliencyMap, new: SaliencyMap, keep: float, output: Output) -> SaliencyMap:
    """Return the running mean with a new map in it; of log densities the log of the densities' mean."""
    if output == "log_density":
        return np.logaddexp(mean + math.log(keep), new + math.log1p(-keep)).astype(np.float32)
    return (keep * mean + (1 - keep) * new).astype(np.float32)


class _Sink:
    """Where one model's maps of a video go."""

    def __init__(self, pipeline: Pipeline, plan: BatchPlan, targets: list[Path]) -> None:
        self.pipeline = pipeline
        self.targets = targets
        self.mean: SaliencyMap | None = None
        self._plan = plan
        self._writers: dict[Path, VideoWriter] = {}

    @classmethod
    def of(cls, pipeline: Pipeline, path: Path, plan: BatchPlan, outcome: Outcome) -> _Sink:
        """Return a model's sink with the targets that are not there yet; the others go to the outcome."""
        folder = plan.folder / folder_name(pipeline.model.name)
        if plan.file_format not in VIDEO_FORMATS:
            return cls(pipeline, plan, [folder / path.stem])
        targets = [folder / f"{path.stem}.{plan.file_format}"]
        if plan.overlay is not None:
            targets.append(folder / f"{path.stem}.overlay.{plan.file_format}")
        there = [] if plan.overwrite else [target for target in targets if target.exists()]
        outcome.skipped.extend(there)
        return cls(pipeline, plan, [target for target in targets if target not in there])

    def open(self, stack: ExitStack, rate: float) -> None:
        """Open the videos, which get their names when the stack closes without an error."""
        if self._plan.file_format in VIDEO_FORMATS:
            for target in self.targets:
                temporary = stack.enter_context(atomic(target, keep_suffix=True))
                self._writers[target] = stack.enter_context(VideoWriter(temporary, rate))

    def write(self, number: int, frame: npt.NDArray[np.uint8], saliency: SaliencyMap) -> None:
        """Write the map of one frame."""
        for target in self.targets:
            if target in self._writers:
                picture = self._picture(frame, saliency, is_overlay=".overlay" in target.suffixes)
                self._writers[target].write(picture)
            else:
                self._write_numbered(target / f"{number:06}", frame, saliency)

    def _picture(
        self, frame: npt.NDArray[np.uint8], saliency: SaliencyMap, *, is_overlay: bool
    ) -> npt.NDArray[np.uint8]:
        if is_overlay:
            return self._overlay(frame, saliency)
        return np.rint(min_max(saliency) * 255).astype(np.uint8)

    def _write_numbered(self, stem: Path, frame: npt.NDArray[np.uint8], saliency: SaliencyMap) -> None:
        path = stem.with_name(stem.name + suffix(self._plan.file_format))
        write_map(path, saliency, self._plan.file_format, self._plan.notes(self.pipeline.model))
        if self._plan.overlay is not None:
            write_picture(stem.with_name(stem.name + ".overlay.png"), self._overlay(frame, saliency))

    def _overlay(self, frame: npt.NDArray[np.uint8], saliency: SaliencyMap) -> npt.NDArray[np.uint8]:
        linear = visible(saliency, self._plan.postprocess.output_of(self.pipeline.output))
        return overlay(frame, linear, alpha=self._plan.overlay or 0, contours=self._plan.contours)
