"""Train `gaze` and `gaze.large`: first from two larger networks, then from people.

    python scripts/learn_gaze.py small|large [--without-mit1003]

Each stage goes on where it was stopped: teachers' maps; a first training on photos of DUTS-TR and coco-semantic that
nobody's fixations are known of; a second one on the training photos of OSIE, EyeCrowd and MIT1003, which people looked
at. Without MIT1003 neither the network nor its teachers know anything of that laboratory, so that all its photos can
be measured on. The teachers are scripts/train_people.py's. Runs lie in SALBOX_RUNS, by default runs/. Ship with
scripts/ship_gaze.py; measure with benchmarks/gaze.py.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # threads that wait must not take the cores from those that work

import torch
from distil_students import IMAGENET
from gaze_data import (
    ANOTHER,
    PEOPLE,
    TRAINED,
    Mixture,
    people_samples,
    ready,
    teach_all,
    teachers,
    teachers_samples,
    unlabeled,
    validates,
)

from salbox.networks.trainable.base import TrainableNetwork
from salbox.networks.trainable.factory import build_network
from salbox.networks.trainable.saved import read_weights, save_weights
from salbox.system.threads import available_threads
from salbox.training.cache import Pictures, Sample
from salbox.training.recipe import Recipe, read_recipe
from salbox.training.trainer import EpochReport, Job, fit

RUNS = TRAINED / "gaze"
WEIGHTS = "student.safetensors"
EPOCH = 400  # pictures


@dataclass(frozen=True)
class Setting:
    """How a network is trained.

    Attributes
    ----------
    encoder : str
    init : str
        The encoder's first weights.
    size : (int, int)
    width : int
        Channels of the decoder.
    deepest : int
        The encoder's coarsest stride that the decoder sees.
    people : tuple of str
        The data sets whose people are learned from; none in the first training.
    mixture : Mixture
    pictures : (int, int)
        How many are seen in the first and in the second training.
    learning_rates : (float, float)
    loss : weights of the losses of the second training; the first has no fixations
    """

    encoder: str = "mobilenetv2"
    init: str = str(IMAGENET)
    size: tuple[int, int] = (240, 320)
    width: int = 48
    deepest: int = 16
    people: tuple[str, ...] = tuple(PEOPLE)
    mixture: Mixture = field(default_factory=Mixture)
    pictures: tuple[int, int] = (4800, 6400)
    learning_rates: tuple[float, float] = (0.003, 0.0015)
    loss: tuple[tuple[str, float], ...] = (("kl", 1.0), ("cc", 0.2), ("nss", 0.05))

    @property
    def key(self) -> str:
        """What tells a training from others."""
        return hashlib.sha256(repr(asdict(self) | {"init": Path(self.init).name}).encode()).hexdigest()[:8]


SIZES = {
    "small": Setting(),
    "large": Setting(
        "tf_efficientnet_lite2",
        "imagenet",
        size=(288, 384),
        width=64,
        deepest=32,
        pictures=(1600, 3200),
        learning_rates=(0.002, 0.001),
    ),
}


def learn(setting: Setting) -> TrainableNetwork:
    """Return a network trained as set; what is there is not trained again, and what was stopped goes on."""
    run = place(setting)
    done = run / WEIGHTS
    if done.is_file():
        return read_weights(done).eval()
    torch.set_num_threads(available_threads())
    first = run / "first" / WEIGHTS
    if not first.is_file():
        network = build_network(
            "gaze",
            ["gaze"],
            encoder=setting.encoder,
            init=setting.init,
            size=setting.size,
            width=setting.width,
            context="contrast",
            deepest=setting.deepest,
        )
        _train(network, setting, run / "first", labeled=False)
        save_weights(network, first)
    network = read_weights(first).train()
    _train(network, setting, run, labeled=True)
    save_weights(network, done)
    return network.eval()


def place(setting: Setting) -> Path:
    """Return the run folder of a training."""
    return RUNS / f"{setting.encoder}-{'-'.join(setting.people)}-{setting.key}"


def recipe(setting: Setting, *, labeled: bool) -> Recipe:
    """Return the recipe of one of the two trainings."""
    epochs = setting.pictures[int(labeled)] // EPOCH
    changes: dict[str, Any] = {
        "size": setting.size,
        "network": {"context": "contrast", "deepest": setting.deepest, "width": setting.width},
        "loss": dict(setting.loss) if labeled else {"kl": 1.0, "cc": 0.2},
        "optimizer": {
            "name": "adamw",
            "learning_rate": setting.learning_rates[int(labeled)],
            "weight_decay": 0.01,
            "encoder_factor": 0.3,
        },
        "clip_gradient": 1.0,
        "epoch_images": EPOCH,
        # Which epoch is best is not asked: the last one is, where the learning rate has come to its end.
        "validate_every": epochs,
        "precision": "bf16-mixed",
    }
    return read_recipe("gaze", epochs=epochs, encoder=setting.encoder, **changes)


def _train(network: TrainableNetwork, setting: Setting, run: Path, *, labeled: bool) -> None:
    fit(
        Job(
            network=network,
            recipe=recipe(setting, labeled=labeled),
            training=_people(setting, network) if labeled else _photos(setting, "training", network),
            validation=_photos(setting, "validation", network),
            folder=run / "work",
            names=("gaze",),
            given=("density", "fixations") if labeled else ("teacher",),
        ),
        on_epoch=lambda report: print(f"{run.parent.name}/{run.name}: {_line(report)}", flush=True),
    )


def _people(setting: Setting, network: TrainableNetwork) -> Pictures:
    """Return people's photos; each data set is drawn as often as it has photos."""
    runs = teachers(setting.people)
    groups = []
    for name in setting.people:
        made = _ready(people_samples(name, setting.mixture, runs), f"{name}-{setting.mixture}", setting, network)
        groups += made.groups
    return Pictures(groups, [])


def _photos(setting: Setting, part: str, network: TrainableNetwork) -> Pictures:
    chosen = [photo for photo in unlabeled() if validates(photo) == (part == "validation")]
    return _ready(teachers_samples(chosen, teachers(setting.people)), part, setting, network)


def _ready(samples: Sequence[Sample], name: str, setting: Setting, network: TrainableNetwork) -> Pictures:
    """Return pictures ready at working size; trainings that need the same ones share them."""
    wanted = hashlib.sha256(repr((name, setting.size, ANOTHER in setting.people)).encode()).hexdigest()[:8]
    folder = RUNS / "pictures" / f"{name.partition('-')[0]}-{wanted}"
    return ready(samples, folder, network, f"pictures of {name}")


def _line(report: EpochReport) -> str:
    text = f"epoch {report.epoch}/{report.epochs}, loss {report.loss:.4f}, {report.seconds:.0f} s"
    found = report.validation
    return text if found is None else f"{text}, CC {found.cc[0]:.4f}, KL {found.kl[0]:.4f}"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--without-mit1003", action="store_true")
    given = parser.parse_args()
    setting = SIZES[given.size]
    if given.without_mit1003:
        setting = replace(setting, people=tuple(name for name in PEOPLE if name != ANOTHER))
    teach_all(setting.people)
    learn(setting)


if __name__ == "__main__":
    main()
