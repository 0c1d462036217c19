"""What the loss that a student was trained by is on photos that it has not seen."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch

from ..distillation.teachers.maps_folder import TeacherMaps
from ..imaging.image import read_image
from ..imaging.inputs import ImageFile
from ..imaging.writing import atomic
from ..networks.trainable.saved import read_weights
from ..system.contents import joint_digest
from ..system.progress import Progress
from ..training.batches import in_order
from ..training.cache import Sample, prepare
from ..training.module import NetworkTraining
from ..training.recipe import Recipe
from ..training.run_folder import RunFolder
from ..training.splitting import photo_key


def kept_loss(path: Path, run: RunFolder, photos: Sequence[ImageFile], maps: TeacherMaps, progress: Progress) -> float:
    """Return the mean loss of a finished run's student on photos, computed once: it is kept in a file.

    Raises
    ------
    SalboxError
        If no photo has a map.
    """
    files = [(photo_key(photo), photo.path) for photo in photos]
    named = [(photo_key(photo), found) for photo in photos if (found := maps.path(photo_key(photo))) is not None]
    made_of = joint_digest([("student", run.weights), *files, *named])
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["made_of"] == made_of:
            return float(known["loss"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):  # not there yet, or not what is written here
        pass
    loss = mean_loss(run, photos, maps, progress)
    with atomic(path) as temporary:
        temporary.write_text(json.dumps({"made_of": made_of, "loss": loss}) + "\n", encoding="utf-8")
    return loss


@torch.no_grad()
def mean_loss(run: RunFolder, photos: Sequence[ImageFile], maps: TeacherMaps, progress: Progress) -> float:
    """Return the mean of the recipe's loss over photos, of the network's own output at its working size.

    Raises
    ------
    SalboxError
        If no photo has a map, or there is no network.
    """
    network = read_weights(run.weights)
    recipe = run.recipe or Recipe()
    outputs = len(network.output_targets(1))
    samples = [_sample(photo, maps, outputs) for photo in photos if maps.path(photo_key(photo)) is not None]
    training = NetworkTraining(network, recipe).eval()
    total, number = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        pictures = prepare(
            samples,
            Path(folder) / "pictures",
            resize=network.preprocessing.prepare,
            map_size=cache(network.map_size),
            heads=outputs,
            progress=progress,
            title="test pictures",
        )
        for batch in in_order(pictures, recipe.batch_size):
            total += len(batch) * float(training(batch))
            number += len(batch)
    return total / number


def _sample(photo: ImageFile, maps: TeacherMaps, outputs: int) -> Sample:
    key = photo_key(photo)
    return Sample(key, lambda: read_image(photo.path), (lambda: maps.read(key),) * outputs)
