"""A student measured on photos that it has not seen: NSS, CC, SIM and KL with its teacher, and its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..datasets import ALL, Dataset
from ..datasets.dataset import Item
from ..datasets.folder import IMAGES_ONLY
from ..distillation.fidelity.mean_map import FILE, ConstantSource, read_means
from ..distillation.teachers.maps_folder import TeacherMaps
from ..errors import UsageError
from ..evaluation import MapSource, ModelSource, evaluate
from ..evaluation.maps import MapFolder
from ..imaging.inputs import ImageFile
from ..system.progress import Progress
from ..training.run_folder import RunFolder
from ..training.splitting import photo_key, read_split
from .loss import kept_loss
from .plan import Experiment, Taught

if TYPE_CHECKING:
    import pandas as pd

LOSS = "LOSS"
# KDSalBox's tables have the first three, in this order, behind LOSS; its NSS is that of the teacher's values above .5.
METRICS: Mapping[str, str] = MappingProxyType(
    {"NSS": "fidelity_nss", "CC": "fidelity_cc", "SIM": "fidelity_sim", "KL": "fidelity_kl"}
)


@dataclass(frozen=True)
class Tested:
    """The figures of a student.

    Attributes
    ----------
    means : mapping
        Column -> mean over photos.
    constant : mapping
        The same, but for the loss, of the mean teacher map of the training photos; {} if that is not there.
    images : mapping
        Photo -> column -> figure, but for the loss.
    """

    means: Mapping[str, float]
    constant: Mapping[str, float]
    images: Mapping[str, Mapping[str, float]]


def photos_to_test(experiment: Experiment, run: RunFolder) -> tuple[ImageFile, ...]:
    """Return the photos that a student is tested on: those of the experiment, else what its run held out.

    Raises
    ------
    UsageError
        If there are none.
    """
    if experiment.test is not None:
        return experiment.test
    parts = read_split(run.split)
    held_out = tuple(photo for photo in experiment.photos if parts.get(photo_key(photo)) == "test")
    if not held_out:
        raise UsageError("no photo is left to test on; name a folder of others (test.images)")
    return held_out


def test_student(
    experiment: Experiment, model: Taught, photos: Sequence[ImageFile], maps: TeacherMaps, progress: Progress
) -> Tested:
    """Return the figures of a model's student on photos; what was measured before is not measured again.

    Raises
    ------
    SalboxError
        If nothing could be measured.
    """
    run = experiment.student(model)
    kept = experiment.folder / "results"
    arguments = {} if experiment.device == "cpu" else {"device": experiment.device}
    row = ModelSource(str(run.path), arguments, experiment.post)
    data = dataset_of(photos)
    mean = read_means(run.path).get(model.name)
    constants = [] if mean is None else [ConstantSource(mean, str(run.path / FILE))]
    table = evaluate(
        data,
        [row, *constants],
        tuple(METRICS.values()),
        teacher=MapSource(_matched(maps, photos)),
        folder=kept,
        workers=experiment.workers,
        progress=progress,
    )
    lines = table.to_pandas(per_image=True).set_index("image")
    students = lines[lines["model"] == row.name]
    loss = kept_loss(kept / f"{model.name}.loss.json", run, photos, maps, progress)
    return Tested(
        means={LOSS: loss, **_means(students)},
        constant=_means(lines[lines["model"] != row.name]) if constants else {},
        images={str(name): _figures(line) for name, line in students.iterrows()},
    )


def _matched(maps: TeacherMaps, photos: Sequence[ImageFile]) -> MapFolder:
    """Return the maps of photos, matched as those that are learned from; raises UsageError if there is none."""
    found = {i: path for i, photo in enumerate(photos) if (path := maps.path(photo_key(photo))) is not None}
    if not found:
        raise UsageError(f"{maps.folder}: no map of the photos to test on")
    missing = tuple(photo_key(photo) for i, photo in enumerate(photos) if i not in found)
    return MapFolder(maps.folder.name, maps.folder, found, missing, ())


def _means(lines: pd.DataFrame) -> dict[str, float]:
    return {column: float(lines[metric].mean()) for column, metric in METRICS.items()}


def _figures(line: pd.Series) -> dict[str, float]:
    return {column: float(line[metric]) for column, metric in METRICS.items()}


def dataset_of(photos: Sequence[ImageFile]) -> Dataset:
    """Return photos as a data set of which nothing is known."""
    items = [Item(photo_key(photo), photo.path) for photo in photos]
    return Dataset(IMAGES_ONLY, Path(photos[0].path.parent), ALL, items)
