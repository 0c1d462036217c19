"""The teachers' maps of an experiment: computed, or read, and processed as its `pre` says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..distillation.plan import HeadTarget
from ..distillation.teachers.augmentations import plain_view
from ..distillation.teachers.maps_folder import TeacherMaps
from ..distillation.teachers.teacher import Teacher, map_folder, teach_views
from ..errors import SalboxError
from ..evaluation.code import changed
from ..imaging.inputs import ImageFile
from ..imaging.postprocess import NOTHING, PostProcess
from ..imaging.writing import write_map
from ..models.loading import card
from ..system.contents import content_digest
from ..system.progress import Progress
from ..training.splitting import photo_key
from ..version import __version__
from ..writing import read_notes
from .plan import Experiment, Taught

_MADE_OF = "made_of"  # in a processed map: a digest of the map that it was made of, and of what was done


def target_of(experiment: Experiment, model: Taught, progress: Progress) -> HeadTarget:
    """Return what a model's student learns from; maps that are on disk are processed first.

    Raises
    ------
    SalboxError
        If there are no maps.
    """
    if model.maps is None:
        return HeadTarget(model.name, _teacher(experiment, model))
    folder = experiment.teacher_maps("training") / model.name
    return HeadTarget(model.name, maps=process_maps(model.maps, experiment.photos, experiment.pre, folder, progress))


def maps_of(
    experiment: Experiment, model: Taught, photos: Sequence[ImageFile], kind: str, progress: Progress
) -> TeacherMaps:
    """Return a model's maps of some photos; those that are not there yet are made, or processed.

    Parameters
    ----------
    experiment : Experiment
    model : Taught
    photos : sequence of ImageFile
    kind : str
        What the photos are for; their maps have a folder for each.
    progress : Progress

    Raises
    ------
    SalboxError
        If there are no maps.
    """
    folder = experiment.teacher_maps(kind)
    if model.test_maps is not None:
        return TeacherMaps(process_maps(model.test_maps, photos, experiment.pre, folder / model.name, progress))
    teacher = _teacher(experiment, model)
    views = [plain_view(photo) for photo in photos]
    outcomes = teach_views(teacher, views, folder, workers=experiment.workers)
    for _ in progress.track(outcomes, len(views), f"maps of {model.name}"):
        pass
    return TeacherMaps(map_folder(folder, card(teacher.model).name))


def process_maps(
    source: Path, photos: Sequence[ImageFile], process: PostProcess, folder: Path, progress: Progress
) -> Path:
    """Return the folder of maps that were processed: `folder`, or `source` itself if nothing is done to them.

    Each map is read as a teacher's, in 0..1, and written as a 16-bit picture under its photo's name; one that is there,
    of the same map, is left. What cannot be read is said, and has no map.

    Raises
    ------
    UsageError
        If there is no map in the folder.
    """
    if process == NOTHING:
        return source
    maps = TeacherMaps(source)
    settings = json.dumps([__version__, changed(process), maps.unscaled], sort_keys=True)
    for done, photo in enumerate(photos, start=1):
        progress.update("maps processed", done, len(photos))
        key = photo_key(photo)
        path, target = maps.path(key), folder / f"{photo_key(photo)}.png"
        if path is None:
            target.unlink(missing_ok=True)
            continue
        made_of = hashlib.sha256(f"{content_digest(path)} {settings}".encode()).hexdigest()[:16]
        if _is_made_of(target, made_of):
            continue
        try:
            saliency = process(maps.read(key), name=photo.path.name)
        except SalboxError as error:
            target.unlink(missing_ok=True)
            progress.say(f"failed: {error}")
            continue
        write_map(target, saliency, "png16", {_MADE_OF: made_of}, output="score")
    return folder


def _teacher(experiment: Experiment, model: Taught) -> Teacher:
    return Teacher(str(model.model), dict(model.arguments or {}), experiment.pre)


def _is_made_of(path: Path, made_of: str) -> bool:
    with suppress(SalboxError, OSError):
        return path.is_file() and read_notes(path).get(_MADE_OF) == made_of
    return False
