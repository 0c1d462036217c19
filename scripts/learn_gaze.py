"""Train `gaze`: from three teachers on photos that nobody looked at, then from people.

    python scripts/learn_gaze.py

Each stage goes on where it was stopped: teachers' maps, a first training on the photos of DUTS-TR and coco-semantic
alone, and a second one on the photos of OSIE's and EyeCrowd's training parts, which people looked at. The first
training knows neither data set, so that it can stand under a network that is to be measured on one of them as a whole.
Ship with scripts/ship_gaze.py; measure with benchmarks/gaze.py.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # threads that wait must not take the cores from those that work

import torch
from distil_students import IMAGENET, ROOT, Printer
from gaze_data import (
    PEOPLE,
    Mixture,
    fold,
    people_samples,
    plan_pictures,
    teach_all,
    teachers_samples,
    unlabeled,
    validates,
)

from salbox.models.exported import packaged
from salbox.models.registry import SHIPPED
from salbox.networks.trainable.base import TrainableNetwork
from salbox.networks.trainable.factory import build_network, rebuild
from salbox.networks.trainable.reload import read_exported
from salbox.networks.trainable.saved import read_weights, save_weights
from salbox.system.threads import available_threads
from salbox.training.cache import Pictures, Sample, prepare
from salbox.training.recipe import Recipe, read_recipe
from salbox.training.trainer import EpochReport, Job, fit
from salbox.types import Pixels

RUNS = ROOT / "runs" / "gaze"
WEIGHTS = "student.safetensors"
FOLDS = 5  # of the photos that people looked at
FIRST, SECOND = 16, 8  # epochs of the two trainings
LEARNED_CENTER = 0.38  # the weight of the centre prior, of a head on the students


@dataclass(frozen=True)
class Setting:
    """How a network is trained.

    Attributes
    ----------
    mixture : Mixture
    people : tuple of str
        The data sets whose people are learned from; none for the teachers alone.
    teachers : bool
        Whether there is a first training, on photos that nobody looked at.
    others : bool
        Whether those stay in the second.
    held_out : int, optional
        The fold of people's photos that is left out, to choose by; None for none.
    size : (int, int)
    context : str
    epochs : int
        Of 500 pictures each.
    learning_rate : float
    cc : float
        The weight of 1 - CC beside that of the Kullback-Leibler divergence, 1.
    head_only : bool
        A head on the network of the students that ships, of which nothing else learns; it has seen both data sets'
        photos, so that it can not be measured on one as a whole.
    deepest : int
        The encoder's coarsest stride that the decoder sees.
    """

    mixture: Mixture = field(default_factory=lambda: Mixture(repeats=1))
    people: tuple[str, ...] = tuple(PEOPLE)
    teachers: bool = True
    others: bool = False
    held_out: int | None = None
    size: tuple[int, int] = (240, 320)
    context: str = "contrast"
    epochs: int = SECOND
    learning_rate: float = 0.003
    cc: float = 0.5
    head_only: bool = False
    deepest: int = 16

    @property
    def first(self) -> Setting:
        """What of it decides the first training."""
        plain = Mixture(sharpness=self.mixture.sharpness, changed=self.mixture.changed)
        same = {"size": self.size, "context": self.context, "cc": self.cc, "deepest": self.deepest}
        return Setting(plain, (), others=True, epochs=FIRST, **same)


def learn(setting: Setting) -> TrainableNetwork:
    """Return a network trained as set; what is there is not trained again, and what was stopped goes on."""
    run = place(setting)
    done = run / WEIGHTS
    if done.is_file():
        return read_weights(done).eval()
    torch.set_num_threads(available_threads())
    if setting.head_only:
        network = head_on_students()
    elif setting.people and setting.teachers:
        network = learn(setting.first).train()
    else:
        network = build_network(
            "gaze",
            ["gaze"],
            init=str(IMAGENET),
            size=setting.size,
            context=setting.context,
            deepest=setting.deepest,
            calibration=_calibration(),
        )
    sets = [_people(name, setting, number, network) for name in setting.people for number in _folds(setting)]
    training = [group for pictures in sets for group in pictures.groups] * setting.mixture.repeats
    if setting.others:
        training += _teachers(setting, "training", network).groups
    if setting.held_out is not None:
        looked_at = [_people(name, setting, setting.held_out, network) for name in setting.people]
        validation = Pictures([group for pictures in looked_at for group in pictures.groups], [])
    else:
        validation = _teachers(setting, "validation", network)
    fit(
        Job(
            network=network,
            recipe=recipe(setting),
            training=Pictures(training, []),
            validation=validation,
            folder=run / "work",
            names=("gaze",),
            trainable=[network.head_layers] if setting.head_only else None,  # type: ignore[list-item]
        ),
        on_epoch=lambda report: print(f"{run.name}: {_line(report)}", flush=True),
    )
    save_weights(network, done)
    return network.eval()


def head_on_students() -> TrainableNetwork:
    """Return a network with the encoder and the decoder of the students that ship, and a new head.

    The weight of the centre prior is the one that the second network learned: a module it is not.
    """
    box = read_exported(Path(packaged(SHIPPED)))
    settings = {key: value for key, value in box.settings.items() if key != "output"}
    network = rebuild("gaze", ["gaze"], settings | {"centre": LEARNED_CENTER})
    shared = {name: t for name, t in box.state_dict().items() if not name.startswith("head_layers.")}
    network.load_state_dict(network.state_dict() | shared)
    return network.train()


def place(setting: Setting) -> Path:
    """Return the run folder of a training: equal settings share it."""
    return RUNS / f"{'-'.join(setting.people) or 'teachers'}-{_digest(setting)}"


def recipe(setting: Setting) -> Recipe:
    """Return the recipe of the training at hand."""
    changes: dict[str, Any] = {
        "size": setting.size,
        "network": {"context": setting.context, "deepest": setting.deepest},
        "loss": {"kl": 1.0, "cc": setting.cc},
        "optimizer": {"name": "adamw", "learning_rate": setting.learning_rate, "weight_decay": 0.01},
        "precision": "bf16-mixed",
    }
    if setting.people:
        # Which epoch is best is not asked: of teachers' maps, which validate if no people are held out, the first is.
        changes["validate_every"] = setting.epochs
    return read_recipe("gaze", epochs=setting.epochs, **changes)


def _folds(setting: Setting) -> list[int]:
    return [number for number in range(FOLDS) if number != setting.held_out]


def _people(name: str, setting: Setting, number: int, network: TrainableNetwork) -> Pictures:
    samples = people_samples(name, setting.mixture, lambda photo: fold(photo, FOLDS) == number)
    return _ready(samples, f"{name}-{number}", setting, network)


def _teachers(setting: Setting, part: str, network: TrainableNetwork) -> Pictures:
    chosen = [photo for photo in unlabeled() if validates(photo) == (part == "validation")]
    views = plan_pictures(chosen, changed=setting.mixture.changed)
    return _ready(teachers_samples(views, setting.mixture), f"teachers-{part}", setting.first, network)


def _ready(samples: Sequence[Sample], name: str, setting: Setting, network: TrainableNetwork) -> Pictures:
    """Return pictures ready at working size; trainings that need the same ones share them."""
    wanted = _digest((asdict(setting.mixture) | {"repeats": 0}, setting.size, name))
    if setting.head_only:  # it draws finer maps
        wanted += "-fine"
    pictures = prepare(
        samples,
        RUNS / "pictures" / f"{name}-{wanted}",
        resize=network.preprocessing.prepare,
        map_size=_sizes(network),
        heads=1,
        identity=repr(network.preprocessing),
        progress=Printer(),
        title=f"pictures of {name}",
    )
    if pictures.failures:
        raise SystemExit(f"{name}: {pictures.failures[0]}")
    return pictures


def _sizes(network: TrainableNetwork) -> Callable[[int, int], tuple[int, int]]:
    return cache(network.map_size)


def _calibration() -> list[Pixels]:
    return [view.render() for view in plan_pictures(unlabeled()[:64], changed=False)]


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:8]


def _line(report: EpochReport) -> str:
    text = f"epoch {report.epoch}/{report.epochs}, loss {report.loss:.4f}"
    found = report.validation
    return text if found is None else f"{text}, CC {found.cc[0]:.4f}, KL {found.kl[0]:.4f}"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.parse_args()
    teach_all()
    learn(Setting())


if __name__ == "__main__":
    main()
