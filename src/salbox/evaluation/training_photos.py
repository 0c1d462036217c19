"""Whether models are measured on photos that they learned from: a line for each model that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..datasets import Dataset
from ..errors import SalboxError
from ..models.blends import is_blend
from ..models.entries import Packaged, PackagedCheckpoint
from ..models.exported import card_beside, is_path, model_file, packaged
from ..models.import_paths import resolve
from ..models.loading import card, parts
from ..models.registry import MODELS
from ..runtime.training_photos import TrainingPhotos, read_training_photos, short_digest
from ..system.contents import content_digests
from .sources import ModelSource, Source

# Data set -> what cards call it, and the function that says whether an image, by its name, is of its test split. Of
# these sets what ships learned from nothing but the rest. Not imported: figures on one data set do not depend on
# another's reader.
_SPLITS = {
    "osie": ("OSIE", "salbox.datasets.osie:is_test"),
    "eyecrowd": ("EyeCrowd", "salbox.datasets.eyecrowd:is_test"),
    "mit1003": ("MIT1003", "salbox.datasets.mit1003:is_test"),
}


def training_notes(data: Dataset, images: Iterable[str], rows: Sequence[Source]) -> list[str]:
    """Return a line for each model that some of the images taught, and how many.

    A network that salbox trained knows its photos by what is in their files. Of what ships and does not find them
    in a list the training splits are known by name.

    Parameters
    ----------
    data : Dataset
    images : names
        Of the images that are measured on.
    rows : sources
    """
    measured = set(images)
    files = {item.name: item.image for item in data.items if item.name in measured}
    notes: list[str] = []
    for row in rows:
        source = getattr(row, "source", row)  # of a row that is scored in a way of its own
        if isinstance(source, ModelSource):
            for name in _parts(source.known_name):
                path = _exported(name, _weights_of(source, name))
                notes += list(_in_lists(name, path, files)) or _by_split(name, data.card.name, files)
    return list(dict.fromkeys(notes))


def _parts(name: str) -> Sequence[str]:
    return [part for part in parts(name) if not is_blend(part)] if name else ()


def _weights_of(source: ModelSource, name: str) -> Any:
    """Return the weights that are given for a model of a row; None if none are."""
    given = source.parameters.get("weights")
    return given.get(name) if isinstance(given, Mapping) else given


def _exported(name: str, weights: Any) -> str:
    """Return the path of a network that salbox wrote, also of one that ships; "" of any other model.

    With weights that are given a design that ships is its authors' network.
    """
    if name in MODELS:
        entry = MODELS[name]
        if isinstance(entry, (Packaged, PackagedCheckpoint)) and weights is None:
            return packaged(f"{entry.file}#{entry.head}")
        return ""
    return name if is_path(name) and card_beside(name) is None else ""


def _in_lists(name: str, path: str, files: dict[str, Path]) -> Iterator[str]:
    """Yield how many of the files the list of training photos in a network's own file holds; nothing without one."""
    if not path:
        return
    try:
        known = _of_head(read_training_photos(model_file(path)), path.partition("#")[2])
    except SalboxError as error:
        yield f"{name}: whether it was trained on these images is not known ({error})"
        return
    if not known.training | known.validation:
        return
    found = [short_digest(digest) for digest in content_digests(list(files.values()))]
    training = sum(digest in known.training for digest in found)
    validation = sum(digest in known.validation - known.training for digest in found)
    if training:
        yield f"{training} of {len(found)} images were among the photos that {name} was trained on"
    if validation:
        yield f"{validation} of {len(found)} images were among the photos that chose the checkpoint of {name}"


def _of_head(heads: dict[str, TrainingPhotos], head: str) -> TrainingPhotos:
    if head:
        return heads.get(head, TrainingPhotos())
    return next(iter(heads.values()), TrainingPhotos()) if len(heads) == 1 else TrainingPhotos()


def _by_split(name: str, dataset: str, files: dict[str, Path]) -> Iterator[str]:
    """Yield how many of the images are of a training split that a model's card says it learned from."""
    if dataset not in _SPLITS or name not in MODELS:
        return
    title, path = _SPLITS[dataset]
    is_test: Callable[[str], bool] = resolve(path)
    learned = re.search(rf"(\d+) of {title} \(", card(name).license.training_data)
    training = sum(not is_test(image) for image in files)
    if learned and training:
        yield (
            f"{training} of {len(files)} images are of {title}'s training split, {learned[1]} photos of which {name} "
            "learned from"
        )
