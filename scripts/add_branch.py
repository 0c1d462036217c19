"""Train a branch for the shipped network: heads whose teachers learned from people, on layers of their own.

    python scripts/add_branch.py RUN [--epochs 3] [--minutes M]

The branch leaves the trunk at the photo itself: it begins as its first teacher, decoder included, looking at fewer
pixels than that. Its layers up to stride 8 stay so. All other heads stay as they are, bit for bit. Teachers are
scripts/train_people.py's networks; photos are those of scripts/distil_students.py and MIT1003's. Of all there are the
first teacher's maps, the others' of those that scripts/gaze_data.py takes. A run goes on where it was stopped. What
comes out is put into the package by scripts/ship_branch.py.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Iterable
from functools import cache, partial
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # threads that wait must not take the cores from those that work

import torch
from distil_students import Printer
from distil_students import photos as all_photos
from gaze_data import MAPS, PEOPLE, TRAINED, people_photos, ready, unlabeled, validates

from salbox.distillation.fidelity.mean_map import write_means
from salbox.distillation.fidelity.measure import mean_map
from salbox.distillation.teachers.augmentations import plain_view
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import Teacher, map_folder, teach_views
from salbox.imaging.inputs import ImageFile
from salbox.models.exported import packaged
from salbox.models.registry import SHIPPED
from salbox.networks.trainable.base import TrainableNetwork
from salbox.networks.trainable.branch import FIRST_ROW
from salbox.networks.trainable.branched_box import BranchedBox
from salbox.networks.trainable.factory import rebuild
from salbox.networks.trainable.reload import read_exported
from salbox.networks.trainable.saved import read_weights, save_weights
from salbox.networks.unisal.design import UniSalDesign
from salbox.system.threads import available_threads
from salbox.training.cache import Sample, joined
from salbox.training.recipe import Recipe, read_recipe
from salbox.training.trainer import EpochReport, Job, fit
from salbox.types import DoubleMap

TEACHERS = {"unisal": "unisal-0", "sam": "sam-0", "dgii": "dgii-0"}  # head -> run
NAMES = {"unisal": "unisal.people", "sam": "sam.lite0.people", "dgii": "dgii.lite0.people"}  # of the teachers
WEIGHTS = "student.safetensors"  # in a run's folder
FIRST = next(iter(TEACHERS))  # whose teacher's weights the branch begins with
ROWS = (4, 3, 2, 1)  # a block less than it has: untrained, that costs .002 of CC


def recipe(epochs: int) -> Recipe:
    """Return how the branch is trained: as the box, what is at stride 8 computed once."""
    changes = (
        f"epochs={epochs}",
        "epoch_images=all",
        f"freeze_encoder_epochs={epochs}",
        "cache_features=true",
        "loss.kl=1",
        "optimizer.learning_rate=0.004",
        "optimizer.prefixes={branch.rows.: {rate: 0.1}, branch.readout.: {rate: 0.2}}",
        "flips=false",
        "schedule.warm_up=0.15",
        "clip_gradient=1",
        "precision=bf16-mixed",
    )
    return read_recipe("box", changes)


def new_branch(source: TrainableNetwork, teacher: UniSalDesign) -> BranchedBox:
    """Return the branch alone, beside the trunk of `source`, its encoder and its decoder with the teacher's weights."""
    own = {"branch": list(TEACHERS), "rows": list(ROWS), "leaves": 1, "branch_decoder": "unisal"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = rebuild("branched-box", list(TEACHERS), {**source.settings, **own})
    assert isinstance(network, BranchedBox)
    assert network.branch is not None
    assert network.branch.readout is not None
    blocks = teacher.encoder.state_dict()
    network.branch.stem.load_state_dict({name: blocks[name] for name in network.branch.stem.state_dict()})
    for place, row in (*network.branch.early.items(), *enumerate(network.branch.rows, start=FIRST_ROW)):
        row.load_state_dict({name: blocks[f"blocks.{place}.{name}"] for name in row.state_dict()})
    network.branch.readout.begin_as(teacher.decoder, teacher.domain)
    return network.train()


@cache
def photos() -> tuple[ImageFile, ...]:
    """Return the photos that are learned from or chosen by, in the order of their names."""
    labeled = [photo for name in PEOPLE for photo in people_photos(name, "train")[1]]
    others = [photo for photo in all_photos() if photo.output.parts[0] not in PEOPLE]
    return tuple(sorted([*labeled, *others], key=lambda photo: photo.output))


def taught(head: str) -> list[ImageFile]:
    """Return those of them that a head's teacher has maps of: the first one's of all, the others' of half of them."""
    if head == FIRST:
        return list(photos())
    named = {photo.output for photo in unlabeled()}
    return [photo for photo in photos() if photo.output.parts[0] in PEOPLE or photo.output in named]


def learned(head: str) -> list[ImageFile]:
    """Return those of them that a head learns from."""
    return [photo for photo in taught(head) if not validates(photo)]


def teach_all() -> None:
    """Compute the teachers' maps that are not there yet."""
    progress = Printer()
    for head, run in TEACHERS.items():
        views = [plain_view(photo) for photo in taught(head)]
        failures = []
        outcomes = teach_views(Teacher(str(TRAINED / run)), views, MAPS, workers=1)
        for outcome in progress.track(outcomes, len(views), f"maps of {run}"):
            failures += outcome.failures
        if failures:
            raise SystemExit(f"{run}: {len(failures)} maps cannot be made: {failures[0]}")


def samples(images: Iterable[ImageFile], heads: Collection[str]) -> list[Sample]:
    """Return photos with the maps of the teachers of some heads."""
    maps = {head: TeacherMaps(map_folder(MAPS, TEACHERS[head])) for head in heads}
    found = []
    for view in map(plain_view, images):
        own = tuple(partial(maps[head].read, view.key) if head in maps else None for head in TEACHERS)
        found.append(Sample(view.key, view.render, own))
    return found


def means() -> dict[str, DoubleMap]:
    """Return head -> the mean of its teacher's maps of the training photos, which a constant would draw."""
    found = {}
    for head, run in TEACHERS.items():
        maps = TeacherMaps(map_folder(MAPS, run))
        found[head] = mean_map(maps.read(photo.output.as_posix()) for photo in learned(head))
    return found


def train(network: BranchedBox, run: Path, epochs: int, minutes: float | None = None) -> None:
    """Train a branch, or go on with it, until the last epoch or for so many minutes."""
    torch.set_num_threads(available_threads())
    folder = run / "work"
    folder.mkdir(parents=True, exist_ok=True)
    by_all = set.intersection(*({photo.output for photo in taught(head)} for head in TEACHERS))
    shared = [photo for photo in photos() if photo.output in by_all]
    parts: dict[str, tuple[list[ImageFile], Collection[str]]] = {
        "training": ([photo for photo in shared if not validates(photo)], TEACHERS),
        "more": ([photo for photo in learned(FIRST) if photo.output not in by_all], (FIRST,)),
        "validation": ([photo for photo in shared if validates(photo)], TEACHERS),
    }
    pictures = {
        part: ready(samples(images, heads), run / "pictures" / part, network, f"{part} pictures")
        for part, (images, heads) in parts.items()
    }
    fit(
        Job(
            network=network,
            recipe=recipe(epochs),
            training=joined([(pictures["training"], "", 1.0), (pictures["more"], "", 1.0)]),
            validation=pictures["validation"],
            folder=folder,
            names=tuple(TEACHERS),
            max_seconds=None if minutes is None else 60 * minutes,
        ),
        progress=Printer(),
        on_epoch=lambda report: print(_line(report), flush=True),
    )


def _line(report: EpochReport) -> str:
    text = f"epoch {report.epoch}/{report.epochs}, loss {report.loss:.4f}, {report.seconds:.0f} s"
    found = report.validation
    if found is None:
        return text
    named = zip(TEACHERS, found.cc, found.kl, strict=True)
    return f"{text}; " + ", ".join(f"{head} CC {cc:.4f} KL {kl:.4f}" for head, cc, kl in named)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--minutes", type=float, help="by the clock, if the epochs are not over before")
    given = parser.parse_args()
    teach_all()
    source = read_exported(Path(packaged(SHIPPED)))
    teacher = read_weights(TRAINED / TEACHERS[FIRST] / WEIGHTS)
    assert isinstance(teacher, UniSalDesign)
    network = new_branch(source, teacher)
    train(network, given.run, given.epochs, given.minutes)
    write_means(given.run, means())
    save_weights(network.eval(), given.run / WEIGHTS)


if __name__ == "__main__":
    main()
