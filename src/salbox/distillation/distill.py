"""A distillation from photos to a student: `salbox distill`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

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
from ..training.speed import Speed
from ..training.splitting import split, write_split
from ..training.trainer import fit
from ..training.validation import CRITERIA
from .fidelity.measure import Fidelity
from .initial_network import InitialNetwork, make_initial_network
from .learned_photos import learned_photos, photo_contents
from .package import package
from .plan import Plan
from .training_data import prepare_pictures, prepare_training_data


@dataclass(frozen=True)
class DistillationResult:
    """What a distillation came to; `training` and `fidelity` are None where the run was finished before.

    `elsewhere` says that this machine only helped: the first of several has the student.
    """

    run: Path
    heads: tuple[str, ...]
    training: TrainingResult | None = None
    fidelity: Fidelity | None = None
    elsewhere: bool = False

    @property
    def command(self) -> str:
        """The command that uses the student, or where it is."""
        return ELSEWHERE if self.elsewhere else RunFolder(self.run).command


def distill(plan: Plan, progress: Progress = SILENT) -> DistillationResult:
    """Train a student as planned, measure it and write it into the run folder; a run that was stopped goes on.

    Raises
    ------
    KeyboardInterrupt
        After a checkpoint, if the run is interrupted.
    SalboxError
        If something is missing or does not fit; in one line.
    """
    folder = RunFolder(node_folder(plan.run, plan.nodes))
    changed = folder.claim(plan.identity(), plan.contents())
    if changed:
        progress.say(f"{', '.join(changed)}: not what they were when this run began; its training begins anew")
    if folder.finished:
        progress.say(f"{folder.path} is finished already")
        return DistillationResult(plan.run, folder.heads, elsewhere=node_rank(plan.nodes) > 0)
    torch.set_num_threads(available_threads())
    parts = split(plan.photos, plan.chosen)
    initial = make_initial_network(plan, parts, progress)
    folder.note(heads=initial.network.heads)
    for line in parts.lines():
        progress.say(line)
    write_split(folder.split, parts.part_of(), photo_contents(plan.photos))
    data = prepare_training_data(plan, parts, folder, progress)
    training, validation = prepare_pictures(data, initial, folder, progress)
    recipe = recipe_as_run(
        folder,
        plan.recipe,
        lambda: _speed(plan, initial, training),
        len(training),
        len(validation),
        plan.max_seconds if plan.compress else None,
        progress,
    )
    result = _train(plan, initial, recipe, training, validation, folder, progress)
    if node_rank(plan.nodes):
        folder.finish()
        return DistillationResult(plan.run, folder.heads, elsewhere=True)
    fidelity = package(initial, data, folder, progress, learned_photos(plan, initial, data))
    folder.finish()
    return DistillationResult(plan.run, folder.heads, result, fidelity)


def _speed(plan: Plan, initial: InitialNetwork, training: Pictures) -> Speed:
    recipe = plan.recipe
    batch = typical_batch(training, batch_size=recipe.batch_size, seed=plan.seed, augmentation=recipe.augmentation)
    return initial.speed(recipe, batch, plan.device, plan.clock)


def _train(
    plan: Plan,
    initial: InitialNetwork,
    recipe: Recipe,
    training: Pictures,
    validation: Pictures,
    folder: RunFolder,
    progress: Progress,
) -> TrainingResult:
    """Train the network, which has the best weights afterwards, and return what the training came to."""
    job = Job(
        network=initial.network,
        recipe=recipe,
        training=training,
        validation=validation,
        folder=folder.work,
        names=initial.map_names(plan.heads),
        seed=plan.seed,
        device=plan.device,
        devices=plan.devices,
        nodes=plan.nodes,
        max_seconds=plan.max_seconds,
        clock=plan.clock,
        online_teacher=initial.online_teacher,
        trainable=initial.trainable,
        first=initial.first,
    )
    result = fit(job, progress, on_epoch=lambda report: progress.say(epoch_line(report)))
    if node_rank(plan.nodes):
        return result
    initial.network.to("cpu")
    over = ", ended early" if result.stopped else ""
    kept = f"{CRITERIA[recipe.select].title} {result.score:.3f}"
    progress.say(f"trained {result.seconds:.0f} s{over}; kept epoch {result.best_epoch}, {kept}")
    folder.keep_logs()
    return result
