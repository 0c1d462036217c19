"""Held-out pictures that the shipped students are measured on, and their teachers' maps, kept in an ignored folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from _distilling import RUNS, osie, read_csv, read_json
from _tables import SHARED

from salbox.datasets import open_dataset
from salbox.distillation.domains import DOMAINS, TRAINING_DOMAINS
from salbox.distillation.teachers.augmentations import View, changed_view, plain_view
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.reference import at_reference_size, is_classical
from salbox.distillation.teachers.teacher import Teacher, map_folder, teach_views
from salbox.imaging.inputs import ImageFile
from salbox.imaging.scaling import density
from salbox.imaging.writing import write_picture
from salbox.metrics.fidelity import HEIGHT, WIDTH, to_common_size
from salbox.models.loading import card
from salbox.models.model import Model
from salbox.models.registry import STUDENTS as HEADS
from salbox.types import Pixels

KEPT = RUNS / "fidelity"
SLOW = ("aim", "sun", "unisal", "sam", "dgii")  # up to a second a picture
WEIGHTS = SHARED / "weights"

# Heads whose teachers are published designs that salbox trained on people, by scripts/train_people.py.
OF_PEOPLE = {head: str(RUNS / f"{head}-0") for head in ("unisal", "sam", "dgii")}
OF_TRUNK = tuple(head for head in HEADS if head not in OF_PEOPLE)  # those of scripts/distil_students.py

SEED = 1_000_003  # that changes are drawn with; see `check_seeds`
DUTS_PHOTOS = 140  # of those held out, as many as OSIE has
SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")  # scikit-image's own, which may be shown
SHOWN = ("astronaut", "coffee", "rocket")
SAMPLE_SEEDS = (1_000_003, 1_000_033)  # each sample is changed twice

# What the originals of AIM and SUN were published with.
ORIGINAL_FILTERS = {
    "aim": {"basis": WEIGHTS / "aim" / "21jade950.mat"},
    "sun": {"stats": WEIGHTS / "sun" / "stats.mat"},
}


@dataclass(frozen=True)
class HeldOut:
    """Pictures: OSIE's and DUTS-TR's held-out photos, half of the former changed, sample photos plain and changed."""

    osie: list[View]
    duts: list[View]
    changed: list[View]
    samples: list[View]
    changed_samples: list[View]
    duts_in_all: int

    def first(self) -> list[View]:
        """Return what the figures that count need, and what is quickly done."""
        return [*self.osie, *self.duts, *self.samples, *self.changed_samples]


class CommonSizeTeacher(Teacher):
    """A teacher whose maps are stored as fidelity compares them: at 320x240, whatever the picture's shape."""

    def mapper(self) -> Callable[..., npt.NDArray[np.float32]]:
        model = self.load()

        def mapped(image: Pixels, *, name: str | None = None) -> npt.NDArray[np.float32]:
            saliency = model(at_reference_size(image) if is_classical(self.model) else image)
            return to_common_size(density(saliency, model.card.output)).astype("f4")

        return mapped

    def identity(self, model: Model) -> dict[str, Any]:
        return {**super().identity(model), "map_size": f"{WIDTH}x{HEIGHT}"}


def held_out(limit: int | None = None) -> HeldOut:
    """Return the pictures; of each kind `limit` photos, to try things out."""
    test = [plain_view(ImageFile(item.image, Path("OSIE") / item.name)) for item in osie("test").items]
    threes = [view for view in test if view.key.endswith("3")]
    held = open_dataset(f"duts:{SHARED / 'data' / 'DUTS-TR'}", "held-out").items
    by_hash = sorted(held, key=lambda item: int(hashlib.sha1(item.image.name.encode()).hexdigest(), 16))
    duts = [plain_view(ImageFile(item.image, Path("DUTS-TR") / item.image.stem)) for item in by_hash[:DUTS_PHOTOS]]
    samples = [plain_view(ImageFile(sample_file(name), Path("samples") / name)) for name in SAMPLES]
    again = [
        changed_view(View(view.photo, f"samples-{turn}/{view.photo.stem}"), domain, "", seed)
        for view in samples[:limit]
        for turn, seed in enumerate(SAMPLE_SEEDS[:limit], 1)
        for domain in DOMAINS
    ]
    changed = [changed_view(view, domain, "", SEED) for view in threes[:limit] for domain in DOMAINS]
    return HeldOut(test[:limit], duts[:limit], changed, samples, again, len(held))


def sample_file(name: str) -> Path:
    """Return the file of a sample photo, written if it is not there."""
    from skimage import data

    path = KEPT / "samples" / f"{name}.png"
    if not path.is_file():
        write_picture(path, getattr(data, name)())
    return path


def teacher(head: str) -> Teacher:
    arguments = {"weights": str(WEIGHTS / "fastgaze" / "fastgaze_fp32.npz")} if head == "fastgaze" else {}
    return CommonSizeTeacher(OF_PEOPLE.get(head, head), arguments)


def original(head: str) -> Teacher:
    """Return AIM or SUN with the filters that their authors published."""
    return CommonSizeTeacher(head, {name: str(path) for name, path in ORIGINAL_FILTERS[head].items()})


def with_original_filters() -> list[str]:
    """Return the heads whose teachers were published with filters of their own."""
    return [head for head in ORIGINAL_FILTERS if head in HEADS]


def compute_maps(
    held: HeldOut, few: int | None, workers: int, heads: Sequence[str] = HEADS, *, drawn: bool = True
) -> None:
    """Compute all maps that are not there yet: the figures that count first, the slow teachers' changed photos last.

    Sample photos are not measured: `drawn` says whether pictures are made of them.
    """
    for head in heads:
        teach(teacher(head), held.first() if drawn else [*held.osie, *held.duts], KEPT / "maps", workers)
    for head in with_original_filters():
        if head in heads:
            teach(original(head), held.osie, KEPT / "original-filters", workers)
    for head in sorted(heads, key=lambda head: head in SLOW):
        teach(teacher(head), changed_for(held, head, few), KEPT / "maps", workers)


def changed_for(held: HeldOut, head: str, few: int | None) -> list[View]:
    """Return the changed OSIE photos that a teacher is shown: all, or of a slow one those of `few` photos."""
    return held.changed[: few * len(DOMAINS)] if few is not None and head in SLOW else held.changed


def maps_of(head: str, folder: str = "maps") -> TeacherMaps:
    return TeacherMaps(map_folder(KEPT / folder, card(OF_PEOPLE.get(head, head)).name))


def check_seeds(run: Path, held: HeldOut) -> int:
    """Return how many seeds the run's training could have drawn with; exit if a test picture has one of them."""
    keys = [row["name"] for row in read_csv(run / "split.csv")]
    seed = read_json(run / "run.json")["identity"]["seed"]
    used = {
        (domain, changed_view(View(run, key), domain, "", seed).seed) for key in keys for domain in TRAINING_DOMAINS
    }
    common = [view.key for view in held.changed if (view.domain, view.seed) in used]
    if common:
        raise SystemExit(f"{', '.join(common)}: drawn with a seed that training used; choose another SEED")
    return len(used)


def teach(who: Teacher, views: Sequence[View], folder: Path, workers: int) -> None:
    failures: list[str] = []
    made = 0
    for count, outcome in enumerate(teach_views(who, views, folder, workers=workers), 1):
        failures += outcome.failures
        made += bool(outcome.written)
        if made and (count % 100 == 0 or count == len(views)):
            print(f"{folder.name}/{who.model}: {count} of {len(views)}", flush=True)
    if failures:
        raise SystemExit(f"{who.model}: {len(failures)} maps cannot be made: {failures[0]}")
