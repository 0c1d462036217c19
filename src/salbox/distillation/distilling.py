"""A distillation from photos to a student: `salbox distill`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from ..threads import available_threads
from ..training.batches import draw_epoch, load
from ..training.fitting import EpochReport, Fitted, Job, Watch, fit
from ..training.pictures import Pictures, prepare
from ..training.recipe import Recipe, check_recipe
from ..training.speed import Speed
from ..writing import atomic
from .beginning import Beginning, begin, map_size, speed_of
from .fidelity import Fidelity
from .lessons import Prepared, prepare_lessons
from .packaging import package
from .plan import Plan
from .run_folder import RunFolder
from .splitting import Part
from .telling import Teller


@dataclass(frozen=True)
class Distilled:
    """What a distillation came to; `fidelity` is None where the run was finished before."""

    run: Path
    heads: tuple[str, ...]
    fitted: Fitted | None
    fidelity: Fidelity | None

    @property
    def command(self) -> str:
        """The command that uses the student."""
        name = f"'{self.run}'" if " " in str(self.run) else str(self.run)
        return f"salbox predict photo.jpg -m {name} -o maps"


def distill(plan: Plan, teller: Teller | None = None) -> Distilled:
    """Train a student as planned, measure it and write it into the run folder; a run that was stopped goes on.

    Raises
    ------
    KeyboardInterrupt
        After a checkpoint, if the run is interrupted.
    SalboxError
        If something is missing or does not fit; in one line.
    """
    teller = teller or Teller()
    folder = RunFolder(plan.run)
    record = folder.claim(plan.identity())
    heads = tuple(record.get("heads", ()))
    if record.get("finished"):
        teller.say(f"{plan.run} is finished already")
        return Distilled(plan.run, heads, None, None)
    torch.set_num_threads(available_threads())
    begun = begin(plan, teller)
    heads = begun.network.heads
    record = folder.note(record, heads=heads)
    prepared = prepare_lessons(plan, folder, record, teller)
    record = folder.read() or record
    training, validation = _pictures(plan, prepared, begun, folder, teller)
    recipe = _recipe_as_run(plan, begun, training, validation, folder, record, teller)
    fitted = fit(
        Job(
            network=begun.network,
            recipe=recipe,
            training=training,
            validation=validation,
            folder=folder.work,
            names=_target_names(plan, begun),
            seed=plan.seed,
            device=plan.device,
            max_seconds=plan.max_seconds,
            clock=plan.clock,
            live=begun.live,
            trainable=begun.trainable,
            first=begun.first,
        ),
        Watch(
            step=lambda done, total, epoch: teller.progress(f"epoch {epoch} of {recipe.epochs}", done, total),
            epoch=lambda report: teller.say(_epoch_line(report)),
        ),
    )
    begun.network.to("cpu")
    over = ", the time was over" if fitted.stopped else ""
    teller.say(f"trained {fitted.seconds:.0f} s{over}; kept epoch {fitted.best_epoch}, CC {fitted.score:.3f}")
    _keep_logs(folder)
    fidelity = package(begun.network, prepared, folder, teller, old_cards=begun.cards, old_teachers=begun.teachers)
    folder.finish(folder.read() or record)
    return Distilled(plan.run, heads, fitted, fidelity)


def _pictures(
    plan: Plan, prepared: Prepared, begun: Beginning, folder: RunFolder, teller: Teller
) -> tuple[Pictures, Pictures]:
    """Return the pictures to train and to validate on, ready at working size."""
    network = begun.network
    identity = repr((network.preprocessing, network.name, network.settings))
    found: list[Pictures] = []
    parts: tuple[Part, ...] = ("training", "validation")
    for part in parts:
        samples = prepared.samples(part, begun.targets)
        if not samples and part == "validation":
            teller.say("note: no photo to validate on: the training photos choose the checkpoint")
            found.append(found[0])
            continue
        pictures = prepare(
            samples,
            folder.work / part,
            resize=network.preprocessing.prepare,
            map_size=cache(lambda height, width: map_size(network, height, width)),
            heads=begun.targets,
            identity=identity,
            watch=lambda done, total, part=part: teller.progress(f"{part} pictures", done, total),  # type: ignore[misc]
        )
        for failure in pictures.failures[:3]:
            teller.say(f"failed: {failure}")
        if len(pictures.failures) > 3:
            teller.say(f"failed: {len(pictures.failures) - 3} more")
        found.append(pictures)
    return found[0], found[1]


def _recipe_as_run(
    plan: Plan,
    begun: Beginning,
    training: Pictures,
    validation: Pictures,
    folder: RunFolder,
    record: dict[str, Any],
    teller: Teller,
) -> Recipe:
    """Return the recipe as it is run: as given, or compressed once to the time; it is written into the run folder."""
    recipe = plan.recipe
    if "recipe" in record:
        return check_recipe(record["recipe"], str(folder.path))
    if plan.compress:
        drawn = draw_epoch(training, 0, images=len(training), batch_size=recipe.batch_size, seed=plan.seed)
        batch = load(training, max(drawn, key=lambda each: len(each.rows)))
        speed = speed_of(begun, recipe, batch, plan.device, plan.clock)
        recipe = compressed(recipe, speed, len(training), len(validation), float(plan.max_seconds or 0))
        teller.say(describe(plan.recipe, recipe, speed))
    folder.note(record, recipe=recipe.model_dump(mode="json"))
    with atomic(folder.path / "recipe.yaml") as temporary:
        temporary.write_text(recipe.to_yaml(), encoding="utf-8")
    return recipe


def compressed(recipe: Recipe, speed: Speed, pictures: int, validation: int, seconds: float) -> Recipe:
    """Return the recipe made as long as a time, less a twentieth for what measuring it misses."""
    return recipe.compressed(speed.share(recipe, pictures, validation, 0.95 * seconds), pictures)


def describe(before: Recipe, after: Recipe, speed: Speed) -> str:
    """Return in a line what compressing made of a schedule."""
    lines = [
        f"{1 / speed.image:.1f} pictures a second: {after.epochs} epochs of {after.epoch_images} pictures "
        f"(recipe: {before.epochs} of {before.epoch_images})"
    ]
    if after.schedule.name == "step":
        lines.append(f"milestones {', '.join(f'{m:.3g}' for m in after.schedule.milestones)}")
    if after.freeze_encoder_epochs:
        lines.append(f"encoder frozen for {after.freeze_encoder_epochs:.3g}")
    return "; ".join(lines)


def _target_names(plan: Plan, begun: Beginning) -> tuple[str, ...]:
    names = [*plan.heads]
    return (*names, *[f"{names[-1]} (feature map)"] * (begun.targets - len(names)))


def _epoch_line(report: EpochReport) -> str:
    found = ""
    if report.validated is not None:
        found = f", validation CC {report.validated.score:.4f}{' *' if report.is_best else ''}"
    return f"epoch {report.epoch}/{report.epochs}: loss {report.loss:.4f}{found} ({report.seconds:.0f} s)"


def _keep_logs(folder: RunFolder) -> None:
    """Move the logs out of the folder that is removed when the run is finished."""
    for name in ("log.csv", "tensorboard"):
        source, target = folder.work / name, folder.path / name
        if source.exists():
            shutil.rmtree(target, ignore_errors=True)
            target.unlink(missing_ok=True)
            source.rename(target)
