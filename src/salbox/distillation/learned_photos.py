"""Which photos a run learns from, by what is in their files, with those that its network learned from before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from pathlib import Path

from ..imaging.inputs import ImageFile
from ..models.exported import STUDENT_FILE
from ..paths import user_path
from ..runtime.training_photos import TrainingPhotos, read_training_photos, short_digest
from ..system.contents import content_digests
from ..training.splitting import Part, photo_key
from .initial_network import InitialNetwork
from .plan import SHIPPED_TRUNK, Plan
from .training_data import TrainingData


def photo_contents(photos: Sequence[ImageFile]) -> dict[str, str]:
    """Return photo's key -> digest of its file."""
    digests = content_digests([photo.path for photo in photos])
    return {photo_key(photo): digest for photo, digest in zip(photos, digests, strict=True)}


def learned_photos(plan: Plan, initial: InitialNetwork, data: TrainingData) -> dict[str, TrainingPhotos]:
    """Return head -> the photos that it learned from, in this run and before.

    All heads that learn together count as having learned from all photos: they share the network below them. Heads
    that were there before keep their own photos.
    """
    before = _before(plan)
    learned = TrainingPhotos(_with_maps(data, "training"), _with_maps(data, "validation"))
    all_of_them = reduce(or_, before.values(), learned)
    old = initial.network.heads[: initial.first]
    return {head: before.get(head, TrainingPhotos()) if head in old else all_of_them for head in initial.network.heads}


def _before(plan: Plan) -> dict[str, TrainingPhotos]:
    """Return the same of the network that the run began with, {} where it does not say."""
    if plan.add_to is not None:
        source = None if plan.add_to == SHIPPED_TRUNK else user_path(plan.add_to) / STUDENT_FILE
    elif plan.init_run is not None:
        source = plan.init_run / STUDENT_FILE
    else:
        source = user_path(plan.init) if plan.init is not None and plan.init.endswith(".onnx") else None
    return read_training_photos(source) if source is not None and source.is_file() else {}


def _with_maps(data: TrainingData, part: Part) -> frozenset[str]:
    """Return the photos of a part that some head has a map of."""
    online = data.online and part == "training"
    found: dict[Path, None] = {
        view.photo: None
        for view in data.views[part]
        if online or any(target.reader(view) is not None for target in data.targets)
    }
    return frozenset(short_digest(digest) for digest in content_digests(list(found)) if digest)
