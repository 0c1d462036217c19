"""Where one model's maps of a video go: a video of maps and one of overlays, or numbered maps in a folder."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..imaging.inputs import ImageFile
from ..imaging.notes import DENSITY, behind_video
from ..imaging.scaling import for_picture, min_max
from ..imaging.video_writing import VIDEO_FORMATS, Pace, VideoWriter
from ..imaging.writing import atomic, suffix
from ..types import Output, Pixels, SaliencyMap
from .batch import BatchPlan, Outcome, still_missing
from .images import folder_name

Notes = Mapping[str, Any]


class ClipOutputs(Protocol):
    """What takes the maps of a video's frames, counted from 0 and in this order."""

    def wants(self, number: int) -> bool:
        """Return whether there is something of a frame to be written."""
        ...

    def open(self, stack: ExitStack, pace: Pace) -> None:
        """Begin to write; files get their names when the stack closes without an error."""
        ...

    def write(self, number: int, frame: Pixels, saliency: SaliencyMap) -> None:
        """Write what is wanted of a frame: (H, W, 3) uint8, its map (H, W) float32."""
        ...

    def end(self, frames: int | None) -> None:
        """Say what was written, after so many frames; None if the video broke off before its end."""
        ...


def clip_outputs(
    video: ImageFile, plan: BatchPlan, model: str, notes: Notes, output: Output, outcome: Outcome
) -> ClipOutputs:
    """Return what takes a model's maps of a video, as the plan's format says.

    Parameters
    ----------
    video : ImageFile
    plan : BatchPlan
    model : str
    notes : mapping
        What a map's file says of how it was made.
    output : {"score", "log_density", "probability"}
        What the numbers of its maps are, after post-processing.
    outcome : Outcome
        Learns what was written, what is there already and what is there but made otherwise.
    """
    kind = MapVideos if plan.file_format in VIDEO_FORMATS else NumberedMaps
    return kind(video, plan, model, notes, output, outcome)


class MapVideos:
    """`folder/<model>/<name>.<format>` and, with overlays, `<name>.overlay.<format>`; see `clip_outputs`.

    Maps are scaled frame by frame, a log density as the density, so that their numbers are not in the file; a
    probability is not scaled.
    """

    def __init__(
        self, video: ImageFile, plan: BatchPlan, model: str, notes: Notes, output: Output, outcome: Outcome
    ) -> None:
        self._plan, self._notes, self._output, self._outcome = plan, notes, output, outcome
        stem = f"{plan.folder / folder_name(model) / video.output}"
        self._map, self._overlay = Path(f"{stem}.{plan.file_format}"), Path(f"{stem}.overlay.{plan.file_format}")
        expected: dict[Path, Notes] = {self._map: notes}
        if plan.overlay is not None:
            expected[self._overlay] = {**notes, "overlay": plan.drawn_as}
        self._targets = still_missing(expected, outcome, overwrite=plan.overwrite)
        self._writers: dict[Path, VideoWriter] = {}
        self._pace = Pace(1.0)
        self._lowest, self._highest = np.inf, -np.inf

    def wants(self, number: int) -> bool:
        """Return whether there is something to be written."""
        return bool(self._targets)

    def open(self, stack: ExitStack, pace: Pace) -> None:
        """Open the videos."""
        self._pace = pace
        for target in self._targets:
            temporary = stack.enter_context(atomic(target, keep_suffix=True))
            stack.enter_context(self._noted(target, temporary))
            self._writers[target] = stack.enter_context(VideoWriter(temporary, pace.rate))

    def write(self, number: int, frame: Pixels, saliency: SaliencyMap) -> None:
        """Write a frame, so often that the next is shown at its time."""
        self._lowest = min(self._lowest, float(saliency.min()))
        self._highest = max(self._highest, float(saliency.max()))
        for target, writer in self._writers.items():
            if target == self._map:
                shown = min_max(saliency) if self._plan.keeps_log else for_picture(saliency, self._output)
                picture = np.rint(shown * 255).astype(np.uint8)
            else:
                picture = self._plan.draw(frame, saliency, self._output)
            writer.write(picture, self._pace.repeats_of(number))

    def end(self, frames: int | None) -> None:
        """Say what was written."""
        self._outcome.written.extend(self._targets)

    @contextlib.contextmanager
    def _noted(self, target: Path, temporary: Path) -> Iterator[None]:
        """Put notes behind the end of a video that was written without an error."""
        yield
        notes = {**self._notes, "output": self._output, "minimum": self._lowest, "maximum": self._highest}
        if target == self._overlay:
            notes["overlay"] = self._plan.drawn_as
        elif self._output == "log_density" and not self._plan.keeps_log:
            notes["shown"] = DENSITY
        with temporary.open("ab") as file:
            file.write(behind_video(notes, target.suffix))


class NumberedMaps:
    """`folder/<model>/<name>/000000.<format>` and so on, overlays beside them; see `clip_outputs`.

    A frame is what an image is to a batch: left if its map is there, told if that was made otherwise.
    """

    def __init__(
        self, video: ImageFile, plan: BatchPlan, model: str, notes: Notes, output: Output, outcome: Outcome
    ) -> None:
        self._video, self._plan, self._model = video, plan, model
        self._notes, self._output, self._outcome = notes, output, outcome
        self._folder = plan.folder / folder_name(model) / video.output
        self._frames = Outcome(video.path)
        self._missing: dict[int, list[Path]] = {}

    def wants(self, number: int) -> bool:
        """Return whether a frame's map or overlay is missing."""
        if number not in self._missing:
            image = self._image(number)
            expected = self._plan.expected(self._model, image, self._notes)
            self._missing[number] = still_missing(expected, self._frames, overwrite=self._plan.overwrite)
        return bool(self._missing[number])

    def open(self, stack: ExitStack, pace: Pace) -> None:
        """Do nothing: each map is a file by itself."""

    def write(self, number: int, frame: Pixels, saliency: SaliencyMap) -> None:
        """Write what is missing of a frame."""
        if not self.wants(number):
            return
        for target in self._missing[number]:
            if target == self._plan.target(self._model, self._image(number)):
                self._plan.write(target, saliency, self._output, self._notes)
            else:
                self._plan.write_overlay(target, frame, saliency, self._output, self._notes)
        self._frames.written.extend(self._missing[number])
        self._missing[number] = []

    def end(self, frames: int | None) -> None:
        """Say what was written: the folder; with `overwrite` what a longer run left behind the last frame goes."""
        if self._frames.written:
            self._outcome.written.append(self._folder)
        elif self._frames.skipped:
            self._outcome.skipped.append(self._folder)
        self._outcome.otherwise.update(self._frames.otherwise)
        if frames is not None and self._plan.overwrite:
            self._remove_from(frames)

    def _image(self, number: int) -> ImageFile:
        return ImageFile(self._video.path, self._video.output / f"{number:06}")

    def _remove_from(self, number: int) -> None:
        ours = re.compile(rf"(\d{{6,}})({re.escape(suffix(self._plan.file_format))}|\.overlay\.png)")
        for path in self._folder.iterdir():
            if (match := ours.fullmatch(path.name)) and int(match[1]) >= number:
                path.unlink()
