"""What `gaze` learns from: photos with three teachers' maps, and photos that people looked at.

Used by scripts/learn_gaze.py and benchmarks/gaze.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from distil_students import DATA, ROOT, VALIDATES, WEIGHTS, Printer, number, photos

from salbox.datasets import Dataset, fixation_density, open_dataset
from salbox.distillation.teachers.augmentations import View, plain_view, plan_views
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import Teacher, map_folder, teach_views
from salbox.imaging.inputs import ImageFile
from salbox.training.cache import Sample

MAPS = ROOT / "runs" / "gaze" / "maps"
TEACHERS = {
    "fastgaze": WEIGHTS / "fastgaze" / "fastgaze_fp32.npz",
    "attention-center": WEIGHTS / "attention-center" / "center_fp32.npz",
    "glimpse": WEIGHTS / "glimpse" / "saliency.onnx",
}
PEOPLE = {"OSIE": "osie", "EyeCrowd": "eyecrowd"}  # as photos are named -> as the data set is opened
SHARE, SEED = 0.5, 0  # of the photos that nobody looked at, how many stand in a changed form too

FloatMap = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Mixture:
    """How people and teachers are mixed.

    Attributes
    ----------
    people : float
        Where people looked, their share in the density that is learned, 0 to 1; the rest is the teachers'.
    sigma : float
        Of the Gaussian that makes fixations a density, as a share of the photo's width.
    sharpness : float
        The teachers' density is proportional to exp(sharpness z), z the mean of their z-scored maps.
    repeats : int
        How often a photo that people looked at is drawn for one that they did not.
    changed : bool
        Whether photos that nobody looked at stand in a changed form too.
    """

    people: float = 0.8
    sigma: float = 0.02
    sharpness: float = 1.0
    repeats: int = 3
    changed: bool = True


def people_photos(name: str, split: str) -> tuple[Dataset, list[ImageFile]]:
    """Return a data set with its photos, named as everywhere: `OSIE/1001`."""
    data = open_dataset(f"{PEOPLE[name]}:{DATA / name}", split)
    return data, [ImageFile(item.image, Path(name) / item.image.stem) for item in data.items]


def unlabeled() -> list[ImageFile]:
    """Return the photos that nobody's fixations are known of."""
    return [photo for photo in sorted(photos(), key=lambda p: p.output) if photo.output.parts[0] not in PEOPLE]


def validates(photo: ImageFile) -> bool:
    """Return whether a photo is kept from training, to choose by."""
    return number(photo, "part") % VALIDATES == 0


def fold(photo: ImageFile, folds: int) -> int:
    """Return which fold of a cross-validation a photo is in."""
    return number(photo, "fold") % folds


def plan_pictures(images: Sequence[ImageFile], *, changed: bool) -> list[View]:
    """Return photos as they are, half of them in a changed form too if asked."""
    return plan_views(images, share=SHARE, seed=SEED) if changed else [plain_view(photo) for photo in images]


def teach_all() -> None:
    """Compute the teachers' maps that are not there yet, of all photos that are trained or measured on."""
    measured = [photo for name in PEOPLE for photo in people_photos(name, "all")[1]]
    views = [*plan_pictures(unlabeled(), changed=True), *map(plain_view, measured)]
    progress = Printer()
    for name, weights in TEACHERS.items():
        failures = []
        outcomes = teach_views(Teacher(name, {"weights": str(weights)}), views, MAPS)
        for outcome in progress.track(outcomes, len(views), f"maps of {name}"):
            failures += outcome.failures
        if failures:
            raise SystemExit(f"{name}: {len(failures)} maps cannot be made: {failures[0]}")


@cache
def teacher_maps() -> tuple[TeacherMaps, ...]:
    """Return the maps of the three teachers."""
    return tuple(TeacherMaps(map_folder(MAPS, name)) for name in TEACHERS)


def ensemble(key: str) -> FloatMap:
    """Return the mean of the teachers' z-scored maps of a picture: (h, w) float32, longest side 320."""
    scored = []
    for maps in teacher_maps():
        values = maps.read(key)
        scored.append((values - values.mean()) / max(float(values.std()), 1e-6))
    return np.mean(scored, axis=0, dtype=np.float32)


def teachers_density(key: str, sharpness: float) -> FloatMap:
    """Return the teachers' density, divided by its maximum."""
    mean = ensemble(key)
    return np.exp(sharpness * (mean - mean.max()))


def people_density(data: Dataset, index: int, sigma: float) -> FloatMap:
    """Return where people looked as a density over a grid whose longest side is 320, divided by its maximum."""
    height, width = data.shape(index)
    density = fixation_density(data.fixations(index), (height, width), sigma * width)
    scale = 320 / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(density, size, interpolation=cv2.INTER_AREA)
    return (small / small.max()).astype(np.float32)


def mixed(data: Dataset, index: int, key: str, mixture: Mixture) -> FloatMap:
    """Return what is learned of a photo that people looked at, divided by its maximum.

    Kullback-Leibler divergence is linear in the density that is learned, up to a constant: a mixture of two is as
    good as the sum of two losses.
    """
    people = people_density(data, index, mixture.sigma)
    if mixture.people == 1:
        return people
    teachers = teachers_density(key, mixture.sharpness)
    teachers = cv2.resize(teachers, people.shape[::-1], interpolation=cv2.INTER_LINEAR)
    both = mixture.people * people / people.sum() + (1 - mixture.people) * teachers / teachers.sum()
    return np.asarray(both / both.max(), np.float32)


def people_samples(name: str, mixture: Mixture, chosen: Callable[[ImageFile], bool]) -> list[Sample]:
    """Return the chosen photos of a data set's training part with what people and teachers make of them."""
    data, images = people_photos(name, "train")
    samples = []
    for index, photo in enumerate(images):
        if chosen(photo):
            view = plain_view(photo)
            target = _later(mixed, data, index, view.key, mixture)
            samples.append(Sample(view.key, view.render, (target,), ("h",)))
    return samples


def teachers_samples(views: Sequence[View], mixture: Mixture) -> list[Sample]:
    """Return pictures with what the teachers make of them."""
    return [
        Sample(view.key, view.render, (_later(teachers_density, view.key, mixture.sharpness),), ("h",))
        for view in views
    ]


def _later(function: Callable[..., FloatMap], *arguments: object) -> Callable[[], FloatMap]:
    return lambda: function(*arguments)
