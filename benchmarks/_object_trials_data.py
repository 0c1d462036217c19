"""What the trials with objects learn from: photos with masks or a teacher's maps, squeezed to a square, on disk."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from _distilling import RUNS, Printer
from _tables import ROOT, SHARED

sys.path.insert(0, str(ROOT / "scripts"))

import train_objects

from salbox.datasets import open_dataset
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.imaging.image import read_image
from salbox.runtime.preprocessing import Preprocessing
from salbox.supervised.samples import samples
from salbox.training.cache import Pictures, Sample, prepare
from salbox.training.splitting import TEST_EVERY, VALIDATION_EVERY, name_number

TRIALS = RUNS / "trials"
PHOTOS = RUNS / "object-photos"  # links to all photos at hand
WITH_MASKS = train_objects.MARKED

Source = Literal["masks", "maps of the same photos", "maps of all photos", "maps of the other photos"]


def squeezed(size: int) -> Preprocessing:
    """Return how photos are brought to a square, whatever their shape, as in the paper: batches are of one size."""
    return Preprocessing("fixed", size, size)


def validates(file_name: str) -> bool:
    """Return whether a photo with a mask is kept for validation: those that `salbox train` keeps, its teacher too."""
    return name_number(file_name) // TEST_EVERY % VALIDATION_EVERY == 0


def link_photos() -> list[Path]:
    """Return all photos at hand, links in one folder."""
    train_objects.link_photos(SHARED, PHOTOS)
    return sorted(PHOTOS.iterdir())


def with_masks(part: Literal["training", "validation"]) -> list[Sample]:
    """Return the photos of DUTS-TR, of a part, with their masks."""
    data = open_dataset(f"duts:{SHARED / 'data' / 'DUTS-TR'}", "train")

    chosen = [i for i, item in enumerate(data.items) if validates(item.image.name) == (part == "validation")]
    return samples(data.subset(chosen, part), ("mask",))


def with_maps(photos: Sequence[Path], folder: Path) -> list[Sample]:
    """Return the photos that a teacher's maps are there of; none that validates."""
    maps = TeacherMaps(folder, "probability")
    kept = (p for p in photos if not (p.name.startswith(WITH_MASKS) and validates(p.name.removeprefix(WITH_MASKS))))
    chosen = [p for p in kept if (folder / f"{p.stem}.png").is_file()]
    return [Sample(p.stem, partial(read_image, p), (partial(maps.read, p.stem),), ("h",)) for p in chosen]


def pictures(source: Source | Literal["validation"], size: int, teacher: Path) -> Pictures:
    """Return what a trial learns from, or all are validated on, made at a size or found there.

    Parameters
    ----------
    source : what is learned
    size : int
        Pixels: a side of the square.
    teacher : Path
        The folder of the teacher's maps.
    """
    if source in ("masks", "validation"):
        found = with_masks("training" if source == "masks" else "validation")
    else:
        photos = link_photos()
        if source == "maps of the same photos":
            photos = [photo for photo in photos if photo.name.startswith(WITH_MASKS)]
        if source == "maps of the other photos":
            photos = [photo for photo in photos if not photo.name.startswith(WITH_MASKS)]
        found = with_maps(photos, teacher)
    by = "" if source in ("masks", "validation") else f" {teacher.name}"
    return prepare(
        found,
        TRIALS / "pictures" / f"{source}{by} {size}".replace(" ", "-"),
        resize=squeezed(size).prepare,
        map_size=lambda height, width: (height, width),
        heads=1,
        identity=str(size),
        progress=Printer(),
        title=source,
    )
