"""How long a distillation will take, before it starts: nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from ..errors import UsageError
from ..system.progress import SILENT, Progress
from ..system.threads import available_threads
from ..system.workers import default_workers
from ..training.batches import Batch
from ..training.clock import duration
from ..training.compression import compress, describe
from ..training.recipe import Recipe
from ..training.splitting import PARTS, first_pixels, split
from ..types import Pixels
from .initial_network import InitialNetwork, make_initial_network
from .plan import HeadTarget, Plan
from .teacher_maps import plan_part_views
from .teachers.augmentations import FlipRule, flips_of
from .teachers.teacher import Teacher

TEACHER_PHOTOS = 3  # that a teacher's time is measured on
EXPORT = 20.0  # seconds: writing the network as ONNX and drawing the report


@dataclass(frozen=True)
class Estimate:
    """How long a distillation will take.

    Attributes
    ----------
    teachers : dict
        Head -> (maps to make, seconds).
    recipe : Recipe
        As it would be run.
    training, rest : float
        Seconds; `rest` is export and report.
    pictures_a_second : float
        That the student is trained on.
    notes : tuple of str
    """

    teachers: dict[str, tuple[int, float]]
    recipe: Recipe
    training: float
    rest: float
    pictures_a_second: float
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """Seconds."""
        return sum(seconds for _, seconds in self.teachers.values()) + self.training + self.rest

    def lines(self) -> list[str]:
        """Return the estimate in words."""
        found = [f"maps of {head}: {count} in {duration(s)}" for head, (count, s) in self.teachers.items()]
        found.append(
            f"training: {duration(self.training)} ({self.recipe.epochs} epochs of {_most(self.recipe)} pictures, "
            f"{self.pictures_a_second:.1f} a second)"
        )
        found.append(f"export and report: {duration(self.rest)}")
        return [*found, *self.notes, f"together about {duration(self.total)}"]


def estimate(plan: Plan, progress: Progress = SILENT) -> Estimate:
    """Return how long a distillation will take, from a teacher's maps of three photos and ten training steps.

    Raises
    ------
    UsageError
        If no photo can be read.
    SalboxError
        As `distill`: what does not fit is found here too.
    """
    torch.set_num_threads(available_threads())
    parts = split(plan.photos, plan.chosen)
    initial = make_initial_network(plan, parts, progress)
    photos = first_pixels(parts.training, max(plan.recipe.batch_size, TEACHER_PHOTOS))
    if not photos:
        raise UsageError("no training photo can be read")
    views = plan_part_views(plan, parts, [_most_flips(plan, target) for target in plan.targets])
    maps = sum(len(views[part]) for part in PARTS if not (plan.in_process and part == "training"))
    teachers = {
        target.head: (maps, _teacher_seconds(target.teacher, photos, maps, plan.workers))
        for target in plan.targets
        if target.teacher is not None
    }
    speed = initial.speed(plan.recipe, _batch(initial, photos, plan.recipe.batch_size), plan.device)
    pictures, validation = len(views["training"]), len(views["validation"])
    recipe, notes = plan.recipe, []
    if plan.compress:
        recipe = compress(recipe, speed, pictures, validation, float(plan.max_seconds or 0))
        notes.append(f"compressed: {describe(plan.recipe, recipe, speed)}")
    training = speed.seconds(recipe, pictures, validation)
    if plan.max_seconds is not None and training > plan.max_seconds:
        notes.append(f"the recipe in full would train for {duration(training)}: --max-time ends it before")
        training = plan.max_seconds
    rest = EXPORT + 2 * len(views["test"]) * speed.validation_image
    return Estimate(teachers, recipe, training, rest, 1 / speed.image, tuple(notes))


def _most(recipe: Recipe) -> str:
    return "all" if recipe.epoch_images == "all" else f"at most {recipe.epoch_images}"


def _most_flips(plan: Plan, target: HeadTarget) -> FlipRule:
    """Return the rule of a teacher whose stored maps may not be flipped: measuring it is left to the run."""
    if target.teacher is None or plan.in_process or not plan.recipe.flips:
        return FlipRule((), ())
    return FlipRule((), flips_of(target.teacher.model))


def _teacher_seconds(teacher: Teacher, photos: list[Pixels], maps: int, workers: int | None) -> float:
    """Return how long a teacher's maps will take, shared out to workers."""
    mapper = teacher.mapper()
    started = time.perf_counter()
    for photo in photos[:TEACHER_PHOTOS]:
        mapper(photo)
    each = (time.perf_counter() - started) / min(len(photos), TEACHER_PHOTOS)
    workers = workers or default_workers(maps, teacher.arguments.get("device"))
    # One process uses the threads that several would share: what they gain is less than their number.
    return each * maps / (1 if workers == 1 else max(1.0, 0.75 * workers))


def _batch(initial: InitialNetwork, photos: list[Pixels], size: int) -> Batch:
    """Return a batch of photos at one working size, with maps of nothing."""
    resize, outputs = initial.network.preprocessing.prepare, len(initial.output_targets)
    first = resize(photos[0])
    same = [p for p in map(resize, photos) if p.shape == first.shape]
    images = np.stack([same[i % len(same)] for i in range(size)])
    height, width = initial.network.map_size(*first.shape[:2])
    maps = np.random.default_rng(0).random((size, outputs, height, width), np.float32)
    return Batch(
        torch.from_numpy(images).permute(0, 3, 1, 2),
        torch.from_numpy(maps),
        torch.ones((size, outputs), dtype=torch.bool),
    )
