"""What `gaze` learns from: photos with its teachers' maps, and photos that people looked at.

Its teachers are two larger networks that learned from the same people (scripts/train_people.py): `unisal` and `sam`.
A network that is to know nothing of MIT1003 has teachers that know nothing of it. Used by scripts/learn_gaze.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from distil_students import DATA, ROOT, VALIDATES, Printer, number, photos

from salbox.datasets import Dataset, fixation_density, open_dataset
from salbox.distillation.teachers.augmentations import plain_view
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import Teacher, map_folder, teach_views
from salbox.imaging.inputs import ImageFile
from salbox.networks.trainable.base import TrainableNetwork
from salbox.training.cache import Pictures, Sample, prepare
from salbox.types import DoubleMap

TRAINED = Path(os.environ.get("SALBOX_RUNS", ROOT / "runs"))  # where scripts/train_people.py leaves its runs
MAPS = TRAINED / "gaze" / "maps"
DESIGNS = ("unisal", "sam")
PEOPLE = {"OSIE": "osie", "EyeCrowd": "eyecrowd", "MIT1003": "mit1003"}  # a folder -> how it is opened
ANOTHER = "MIT1003"  # another laboratory's
UNLABELED = 1200  # photos that nobody's fixations are known of

FloatMap = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Mixture:
    """How people and teachers are mixed.

    Attributes
    ----------
    people : float
        Where people looked, their share in the density that is learned, 0 to 1; the rest is the teachers'.
    sigma : float
        Of the Gaussian that makes fixations a density, as a share of the photo's longest side.
    """

    people: float = 0.6
    sigma: float = 0.024


def people_photos(name: str, split: str) -> tuple[Dataset, list[ImageFile]]:
    """Return a data set with its photos, named as everywhere: `OSIE/1001`."""
    data = open_dataset(f"{PEOPLE[name]}:{DATA / name}", split)
    return data, [ImageFile(item.image, Path(name) / item.image.stem) for item in data.items]


def unlabeled() -> list[ImageFile]:
    """Return photos that nobody's fixations are known of, of DUTS-TR's and coco-semantic's."""
    others = [photo for photo in photos() if photo.output.parts[0] not in PEOPLE]
    return sorted(sorted(others, key=lambda photo: number(photo, "gaze"))[:UNLABELED], key=lambda p: p.output)


def validates(photo: ImageFile) -> bool:
    """Return whether a photo is kept from training, to choose by."""
    return number(photo, "part") % VALIDATES == 0


def calibrating(name: str) -> Dataset:
    """Return photos of a data set's training part that are not learned from: they tell how sure a density may be."""
    data, images = people_photos(name, "train")
    return data.subset([i for i, photo in enumerate(images) if validates(photo)], "not learned from")


def teachers(people: Sequence[str]) -> list[Path]:
    """Return the runs of the teachers that learned from the same people."""
    ending = "" if ANOTHER in people else "-without-mit1003"
    return [TRAINED / f"{design}{ending}-0" for design in DESIGNS]


def teach_all(people: Sequence[str]) -> None:
    """Compute the teachers' maps that are not there yet, of all photos that are learned from."""
    labeled = [photo for name in people for photo in people_photos(name, "train")[1]]
    views = [plain_view(photo) for photo in (*labeled, *unlabeled())]
    progress = Printer()
    for run in teachers(people):
        failures = []
        outcomes = teach_views(Teacher(str(run)), views, MAPS, workers=1)
        for outcome in progress.track(outcomes, len(views), f"maps of {run.name}"):
            failures += outcome.failures
        if failures:
            raise SystemExit(f"{run.name}: {len(failures)} maps cannot be made: {failures[0]}")


@cache
def _maps(run: Path) -> TeacherMaps:
    return TeacherMaps(map_folder(MAPS, run.name))


def teachers_density(key: str, runs: Sequence[Path]) -> FloatMap:
    """Return the mean of the teachers' densities of a photo, longest side 320, divided by its maximum."""
    found = [_maps(run).read(key) for run in runs]
    mean = np.mean([values / max(float(values.sum()), 1e-6) for values in found], axis=0)
    return np.asarray(mean / max(float(mean.max()), 1e-12), np.float32)


def people_density(data: Dataset, index: int, sigma: float) -> FloatMap:
    """Return where people looked as a density over a grid whose longest side is 320, divided by its maximum."""
    height, width = data.shape(index)
    density = fixation_density(data.fixations(index), (height, width), sigma * max(height, width))
    scale = 320 / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(density, size, interpolation=cv2.INTER_AREA)
    return (small / small.max()).astype(np.float32)


def mixed(data: Dataset, index: int, key: str, mixture: Mixture, runs: Sequence[Path]) -> FloatMap:
    """Return what is learned of a photo that people looked at, divided by its maximum.

    Kullback-Leibler divergence is linear in the density that is learned, up to a constant: a mixture of two is as
    good as the sum of two losses.
    """
    people = people_density(data, index, mixture.sigma)
    if mixture.people == 1:
        return people
    taught = cv2.resize(teachers_density(key, runs), people.shape[::-1], interpolation=cv2.INTER_LINEAR)
    both = mixture.people * people / people.sum() + (1 - mixture.people) * taught / taught.sum()
    return np.asarray(both / both.max(), np.float32)


def people_samples(name: str, mixture: Mixture, runs: Sequence[Path]) -> list[Sample]:
    """Return the photos of a data set's training part with what people and teachers make of them.

    Those of `calibrating` are left out.
    """
    data, images = people_photos(name, "train")
    samples = []
    for index, photo in enumerate(images):
        if validates(photo):
            continue
        view = plain_view(photo)
        target = _later(mixed, data, index, view.key, mixture, runs)
        samples.append(Sample(view.key, view.render, (target,), ("h",), _looked_at(data, index)))
    return samples


def teachers_samples(images: Sequence[ImageFile], runs: Sequence[Path]) -> list[Sample]:
    """Return photos with what the teachers make of them."""
    views = [plain_view(photo) for photo in images]
    return [Sample(view.key, view.render, (_later(teachers_density, view.key, runs),), ("h",)) for view in views]


def _looked_at(data: Dataset, index: int) -> Callable[[], DoubleMap]:
    """Return what gives the fixations on a photo as shares of its sides."""

    def shares() -> DoubleMap:
        height, width = data.shape(index)
        found = data.fixations(index)
        inside = (found.x >= 0) & (found.x < width) & (found.y >= 0) & (found.y < height)
        return np.stack([found.x[inside] / width, found.y[inside] / height], axis=1)

    return shares


def _later(function: Callable[..., FloatMap], *arguments: object) -> Callable[[], FloatMap]:
    return lambda: function(*arguments)


def ready(samples: Sequence[Sample], folder: Path, network: TrainableNetwork, title: str) -> Pictures:
    """Return samples at a network's working size, kept in a folder."""
    pictures = prepare(
        samples,
        folder,
        resize=network.preprocessing.prepare,
        map_size=cache(network.map_size),
        heads=len(network.heads),
        identity=repr(network.preprocessing),
        progress=Printer(),
        title=title,
    )
    if pictures.failures:
        raise SystemExit(f"{title}: {pictures.failures[0]}")
    return pictures
