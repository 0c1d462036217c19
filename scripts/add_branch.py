"""Train a branch for the shipped network: heads whose teachers learned from people, on layers of their own.

    python scripts/add_branch.py RUN [--epochs 15]

The branch continues the trunk's features at stride 8, which stay as they are, as do all other heads, bit for bit. Its
later blocks begin with those of its first teacher, whose encoder is the same. Teachers are scripts/train_people.py's
networks; photos and maps are those of scripts/gaze_data.py. A run goes on where it was stopped. What comes out is put
into the package by scripts/ship_branch.py.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # threads that wait must not take the cores from those that work

import torch
from distil_students import Printer
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
from salbox.system.threads import available_threads
from salbox.training.cache import Pictures, Sample
from salbox.training.recipe import Recipe, read_recipe
from salbox.training.trainer import EpochReport, Job, fit
from salbox.types import DoubleMap

TEACHERS = {"unisal": "unisal-0", "sam": "sam-0", "dgii": "dgii-0"}  # head -> run
NAMES = {"unisal": "unisal.people", "sam": "sam.lite0.people", "dgii": "dgii.lite0.people"}  # of the teachers
WEIGHTS = "student.safetensors"  # in a run's folder
# As deep and wide as the time allows: a pass of the whole network is to take at most 1.27 times as long as without.
ROWS = (4, 2, 2)
WIDTH = 64


def recipe(epochs: int) -> Recipe:
    """Return how the branch is trained: as the box, its trunk's features computed once."""
    changes = (
        f"epochs={epochs}",
        "epoch_images=all",
        f"freeze_encoder_epochs={epochs}",
        "cache_features=true",
        "loss.kl=1",
        "optimizer.learning_rate=0.002",
        "optimizer.prefixes={branch.rows.: {rate: 0.4}}",
        "schedule.warm_up=0.15",
        "clip_gradient=1",
        "validate_every=3",
        "precision=bf16-mixed",
    )
    return read_recipe("box", changes)


def new_branch(source: TrainableNetwork, teacher: TrainableNetwork) -> BranchedBox:
    """Return the branch alone, on the trunk of `source`, its blocks with the teacher's weights."""
    settings = {**source.settings, "branch": list(TEACHERS), "rows": list(ROWS), "branch_width": WIDTH}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = rebuild("branched-box", list(TEACHERS), settings)
    assert isinstance(network, BranchedBox)
    assert network.branch is not None
    trunk, blocks = source.encoder.state_dict(), teacher.encoder.state_dict()
    network.encoder.load_state_dict({name: trunk[name] for name in network.encoder.state_dict()})
    for place, row in enumerate(network.branch.rows, start=FIRST_ROW):
        row.load_state_dict({name: blocks[f"blocks.{place}.{name}"] for name in row.state_dict()})
    return network.train()


def photos() -> list[ImageFile]:
    """Return the photos that are learned from or chosen by, in the order of their names."""
    labeled = [photo for name in PEOPLE for photo in people_photos(name, "train")[1]]
    return sorted([*labeled, *unlabeled()], key=lambda photo: photo.output)


def teach_all() -> None:
    """Compute the teachers' maps that are not there yet."""
    views, progress = [plain_view(photo) for photo in photos()], Printer()
    for run in TEACHERS.values():
        failures = []
        outcomes = teach_views(Teacher(str(TRAINED / run)), views, MAPS, workers=1)
        for outcome in progress.track(outcomes, len(views), f"maps of {run}"):
            failures += outcome.failures
        if failures:
            raise SystemExit(f"{run}: {len(failures)} maps cannot be made: {failures[0]}")


def samples(part: str) -> list[Sample]:
    """Return the photos of a part, "training" or "validation", with the teachers' maps of them."""
    maps = [TeacherMaps(map_folder(MAPS, run)) for run in TEACHERS.values()]
    views = [plain_view(photo) for photo in photos() if validates(photo) == (part == "validation")]
    ways = ("h",) * len(maps)  # a network's map of a mirrored photo is nearly the mirrored map
    return [Sample(v.key, v.render, tuple(partial(m.read, v.key) for m in maps), ways) for v in views]


def means() -> dict[str, DoubleMap]:
    """Return head -> the mean of its teacher's maps of the training photos, which a constant would draw."""
    keys = [photo.output.as_posix() for photo in photos() if not validates(photo)]
    maps = {head: TeacherMaps(map_folder(MAPS, run)) for head, run in TEACHERS.items()}
    return {head: mean_map(own.read(key) for key in keys) for head, own in maps.items()}


def train(network: BranchedBox, run: Path, epochs: int) -> None:
    """Train a branch, or go on with it."""
    torch.set_num_threads(available_threads())
    folder = run / "work"
    folder.mkdir(parents=True, exist_ok=True)
    fit(
        Job(
            network=network,
            recipe=recipe(epochs),
            training=_pictures("training", network, run),
            validation=_pictures("validation", network, run),
            folder=folder,
            names=tuple(TEACHERS),
        ),
        progress=Printer(),
        on_epoch=lambda report: print(_line(report), flush=True),
    )


def _pictures(part: str, network: TrainableNetwork, run: Path) -> Pictures:
    return ready(samples(part), run / "pictures" / part, network, f"{part} pictures")


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
    parser.add_argument("--epochs", type=int, default=15)
    given = parser.parse_args()
    teach_all()
    source = read_exported(Path(packaged(SHIPPED)))
    teacher = read_weights(TRAINED / next(iter(TEACHERS.values())) / WEIGHTS)
    network = new_branch(source, teacher)
    train(network, given.run, given.epochs)
    write_means(given.run, means())
    save_weights(network.eval(), given.run / WEIGHTS)


if __name__ == "__main__":
    main()
