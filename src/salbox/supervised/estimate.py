"""How long a supervised training will take, before it starts: nothing is written."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..system.progress import SILENT, Progress
from ..system.threads import available_threads
from ..training.clock import duration
from ..training.compression import compress, describe
from ..training.recipe import Recipe
from .initial_network import make_initial_network
from .parts import Parts, parts_of
from .plan import Plan
from .samples import make_pictures
from .train import in_epochs, limit, speed_of

EXPORT = 20.0  # seconds: writing the network as ONNX


@dataclass(frozen=True)
class Estimate:
    """How long a training will take, in seconds; `rest` is export, figures and pictures.

    `features` are those of a frozen encoder that a recipe keeps.
    """

    recipe: Recipe
    training: float
    rest: float
    pictures_a_second: float
    notes: tuple[str, ...] = ()
    features: float = 0.0

    def lines(self) -> list[str]:
        """Return the estimate in words."""
        features = [f"features of the frozen encoder: {duration(self.features)}"] if self.features else []
        return [
            *features,
            f"training: {duration(self.training)} ({self.recipe.epochs} epochs, "
            f"{self.pictures_a_second:.2g} pictures a second)",
            f"export and figures: {duration(self.rest)}",
            *self.notes,
            f"together about {duration(self.features + self.training + self.rest)}",
        ]


def estimate(plan: Plan, progress: Progress = SILENT) -> Estimate:
    """Return how long a training will take, from ten steps on the first pictures.

    Raises
    ------
    SalboxError
        As `train`: what does not fit is found here too.
    """
    torch.set_num_threads(available_threads())
    parts = parts_of(plan)
    network = make_initial_network(plan, parts, progress)
    numbers = {kind: sum(len(data) for part in parts if (data := getattr(part, kind)) is not None) for kind in _KINDS}
    recipe, notes = in_epochs(plan.recipe, numbers["training"]), []
    with tempfile.TemporaryDirectory() as folder:
        few = _first(parts[0], recipe.batch_size)
        data = [(few, few.training)]
        pictures = make_pictures(data, network, plan.given, Path(folder), "training", SILENT, plan.preprocess)
        speed = speed_of(plan, network, recipe, pictures)
    if plan.compress:
        before = recipe
        recipe = compress(recipe, speed, numbers["training"], numbers["validation"], float(plan.max_seconds or 0))
        notes.append(f"compressed: {describe(before, recipe, speed)}")
    training = speed.seconds(recipe, numbers["training"], numbers["validation"])
    most = limit(plan)
    if most is not None and training > most:
        notes.append(f"the recipe in full would train for {duration(training)}: it ends at {duration(most)}")
        training = most
    rest = EXPORT + 4 * numbers["test"] * speed.validation_image
    kept = numbers["training"] * (2 if recipe.flips else 1) + numbers["validation"]
    return Estimate(recipe, training, rest, 1 / speed.image, tuple(notes), kept * speed.features)


_KINDS = ("training", "validation", "test")


def _first(part: Parts, count: int) -> Parts:
    """Return a data set with its first pictures alone to train on."""
    chosen = range(min(count, len(part.training)))
    return replace(part, training=part.training.subset(list(chosen), f"the first {len(chosen)}"))
