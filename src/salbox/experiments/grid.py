"""A picture of an experiment: photos with the teachers' maps, and below them the students'."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ImageError, SalboxError, one_line
from ..imaging.image import read_image
from ..imaging.inputs import ImageFile
from ..imaging.plots import Panel
from ..imaging.rows import PanelRow, save_rows
from ..imaging.scaling import smaller_copy, visible
from ..models.loading import load_for
from ..prediction.images import Pipeline
from ..system.progress import Progress
from ..training.splitting import photo_key
from ..types import Pixels
from .plan import Experiment, Taught
from .teacher_maps import maps_of

PHOTOS = 4
_SIDE = 320  # pixels: the longest side of what is drawn
_EMPTY = np.full((1, 1, 3), 255, np.uint8)


def draw_grid(
    experiment: Experiment, models: Sequence[Taught], photos: Sequence[ImageFile], path: Path, progress: Progress
) -> bool:
    """Write a PNG with some photos, and return whether there was any to draw.

    Parameters
    ----------
    experiment : Experiment
    models : sequence of Taught
        Those whose students are trained.
    photos : sequence of ImageFile
        A few, evenly spread over them, are drawn.
    path : Path
    progress : Progress
    """
    chosen = _some(photos)
    pictures = [(photo, pixels) for photo in chosen if (pixels := _read(photo, progress)) is not None]
    if not pictures or not models:
        return False
    teachers = [_teacher_panels(experiment, model, [photo for photo, _ in pictures], progress) for model in models]
    students = [_student_panels(experiment, model, [pixels for _, pixels in pictures]) for model in models]
    rows = []
    for i, (photo, pixels) in enumerate(pictures):
        name, shown = one_line(photo_key(photo), 60), Panel("picture", smaller_copy(pixels, _SIDE), "photo")
        rows.append(PanelRow(f"{name}: teachers", (shown, *(panels[i] for panels in teachers))))
        rows.append(PanelRow(f"{name}: students", (shown, *(panels[i] for panels in students))))
    save_rows(rows, ("picture", *(model.name for model in models)), path)
    return True


def _some(photos: Sequence[ImageFile]) -> list[ImageFile]:
    places = np.linspace(0, len(photos) - 1, min(PHOTOS, len(photos))).round().astype(int)
    return [photos[place] for place in places]


def _read(photo: ImageFile, progress: Progress) -> Pixels | None:
    try:
        return read_image(photo.path)
    except ImageError as error:
        progress.say(f"failed: {error}")
        return None


def _teacher_panels(
    experiment: Experiment, model: Taught, photos: Sequence[ImageFile], progress: Progress
) -> list[Panel]:
    """Return a teacher's map of each photo, an empty place where it has none."""
    try:
        maps = maps_of(experiment, model, photos, "pictures", progress)
    except SalboxError:  # a folder that has no map of these photos
        return [_panel(None)] * len(photos)
    found: list[Panel] = []
    for photo in photos:
        try:
            found.append(_panel(maps.read(photo_key(photo))))
        except ImageError:
            found.append(_panel(None))
    return found


def _student_panels(experiment: Experiment, model: Taught, pictures: Sequence[Pixels]) -> list[Panel]:
    arguments = {} if experiment.device == "cpu" else {"device": experiment.device}
    loaded = load_for(str(experiment.student(model).path), arguments, experiment.post)
    pipeline = Pipeline(loaded, experiment.post)
    return [_panel(visible(pipeline(pixels), pipeline.output)) for pixels in pictures]


def _panel(saliency: npt.NDArray[Any] | None) -> Panel:
    return Panel("map", _EMPTY, "photo") if saliency is None else Panel("map", saliency)
