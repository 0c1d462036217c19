"""A supervised training from data sets to a network: `salbox train`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ..networks.trainable.base import TrainableNetwork
from ..system.contents import content_digests
from ..system.progress import SILENT, Progress
from ..system.threads import available_threads
from ..training.batches import typical_batch
from ..training.cache import Pictures
from ..training.compression import recipe_as_run
from ..training.job import Job, TrainingResult
from ..training.logs import epoch_line
from ..training.nodes import ELSEWHERE, node_folder, node_rank
from ..training.recipe import Recipe
from ..training.run_folder import RunFolder
from ..training.speed import Speed, measure
from ..training.splitting import Part, write_split
from ..training.trainer import fit
from ..training.validation import CRITERIA
from .initial_network import make_initial_network
from .package import Measured, package
from .parts import Parts, parts_of
from .plan import Plan
from .samples import make_pictures


@dataclass(frozen=True)
class TrainResult:
    """What a training came to; `training` is None, and `measured` empty, where the run was finished before.

    `elsewhere` says that this machine only helped: the first of several has the network.
    """

    run: Path
    training: TrainingResult | None = None
    measured: tuple[Measured, ...] = ()
    elsewhere: bool = False

    @property
    def command(self) -> str:
        """The command that uses the network, or where it is."""
        return ELSEWHERE if self.elsewhere else RunFolder(self.run).command


def train(plan: Plan, progress: Progress = SILENT) -> TrainResult:
    """Train a network as planned, measure it and write it into the run folder; a run that was stopped goes on.

    Raises
    ------
    KeyboardInterrupt
        After a checkpoint, if the run is interrupted.
    SalboxError
        If something is missing or does not fit; in one line.
    """
    parts = parts_of(plan)
    folder = RunFolder(node_folder(plan.run, plan.nodes))
    torch.set_num_threads(available_threads())
    network = None
    if not folder.finished:  # what does not fit is found before the folder is this run's
        for part in parts:
            for line in part.lines():
                progress.say(line)
        network = make_initial_network(plan, parts, progress)
    changed = folder.claim(plan.identity(), plan.contents())
    if changed:
        progress.say(f"{', '.join(changed)}: not what they were when this run began; its training begins anew")
    if network is None:
        progress.say(f"{folder.path} is finished already")
        return TrainResult(plan.run, elsewhere=node_rank(plan.nodes) > 0)
    folder.note(heads=network.heads)
    write_split(folder.split, *_part_of(parts))
    training, validation = _pictures(plan, network, parts, folder, progress)
    whole = in_epochs(plan.recipe, len(training))
    recipe = recipe_as_run(
        folder,
        whole,
        lambda: speed_of(plan, network, whole, training),
        len(training),
        len(validation),
        plan.max_seconds if plan.compress else None,
        progress,
        note=f"The fixation maps were processed first: {plan.processed}" if plan.processed else "",
    )
    job = Job(
        network=network,
        recipe=recipe,
        training=training,
        validation=validation,
        folder=folder.work,
        names=network.heads,
        seed=plan.seed,
        device=plan.device,
        devices=plan.devices,
        nodes=plan.nodes,
        max_seconds=limit(plan),
        clock=plan.clock,
        given=plan.given,
    )
    result = fit(job, progress, on_epoch=lambda report: progress.say(epoch_line(report)))
    if node_rank(plan.nodes):
        folder.finish()
        return TrainResult(plan.run, elsewhere=True)
    network.to("cpu")
    network.choose_domain(_domain(parts))
    ended = ", ended early" if result.stopped else ""
    kept = f"{CRITERIA[recipe.select].title} {result.score:.3f}"
    progress.say(f"trained {result.seconds:.0f} s{ended}; kept epoch {result.best_epoch}, {kept}")
    folder.keep_logs()
    measured = package(plan, network, parts, folder, progress)
    folder.finish()
    return TrainResult(plan.run, result, tuple(measured))


def speed_of(plan: Plan, network: TrainableNetwork, recipe: Recipe, training: Pictures) -> Speed:
    """Return the measured speed of a training on these pictures."""
    batch = typical_batch(training, batch_size=recipe.batch_size, seed=plan.seed, augmentation=recipe.augmentation)
    return measure(network, recipe, batch, plan.device, clock=plan.clock, given=plan.given)


def _pictures(
    plan: Plan, network: TrainableNetwork, parts: Sequence[Parts], folder: RunFolder, progress: Progress
) -> tuple[Pictures, Pictures]:
    """Return the pictures that train and those that validate, ready at working size."""
    training = [(part, part.training) for part in parts]
    validation = [(part, part.validation) for part in parts if part.validation is not None]
    made = make_pictures(training, network, plan.given, folder.work, "training", progress, plan.preprocess)
    if not validation:
        progress.say("note: no picture to validate on: the training pictures choose the checkpoint")
        return made, made
    held = make_pictures(validation, network, plan.given, folder.work, "validation", progress, plan.preprocess)
    return made, held


def in_epochs(recipe: Recipe, pictures: int) -> Recipe:
    """Return a recipe of which nothing is counted in steps, for so many pictures to train on."""
    steps = math.ceil(recipe.images(pictures) / (recipe.batch_size * recipe.accumulate))
    return recipe.model_copy(update={"schedule": recipe.schedule.in_epochs(steps)})


def limit(plan: Plan) -> float | None:
    """Return the seconds that the training may take: the plan's, else the recipe's, else any."""
    if plan.max_seconds is not None:
        return plan.max_seconds
    return None if plan.recipe.max_minutes is None else 60 * plan.recipe.max_minutes


def _domain(parts: Sequence[Parts]) -> str:
    """Return as whose a picture of no data set is to be seen: that with the most pictures."""
    return max(parts, key=lambda part: len(part.training)).source.domain


def _part_of(parts: Sequence[Parts]) -> tuple[dict[str, Part], dict[str, str]]:
    """Return name -> part of every picture, and name -> digest of its file; several data sets give names in front."""
    found: dict[str, Part] = {}
    files: dict[str, Path] = {}
    for each in parts:
        front = f"{each.source.name}/" if len(parts) > 1 else ""
        for part, data in each.datasets.items():
            found |= {f"{front}{item.name}": part for item in data.items}
            files |= {f"{front}{item.name}": item.image for item in data.items}
    return found, dict(zip(files, content_digests(list(files.values())), strict=True))
