"""Training from the first epoch to the last, or from where a run was stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor

from ..system.memory import give_memory_back, keep_memory
from ..system.progress import SILENT, Progress
from .batches import Batch, Drawn, draw_epoch, in_order, load
from .checkpoints import Best, TrainingState, read_best, read_state, restore, save, save_best
from .clock import now
from .devices import OnEpoch, agree, any_of, check_devices, in_processes, make_fabric, quiet, share_of
from .frozen_features import with_features
from .interrupts import Stop, interrupts
from .job import Job, TrainingResult
from .logs import LOG, EpochReport, figures, log
from .module import NetworkTraining
from .optimizer import make_optimizer, set_rate
from .schedule import rate
from .validation import CRITERIA, check_criterion, validate

CHECKPOINT_EVERY = 300.0  # seconds: what a run that is killed loses at most

# Schedules that are to end low: where the time will be over first, they go by the time.
_SINGLE_CYCLES = ("one-cycle", "warm-up-cosine")


def fit(job: Job, progress: Progress = SILENT, on_epoch: OnEpoch | None = None) -> TrainingResult:
    """Train a network, or go on with it: a folder with a checkpoint is continued.

    A checkpoint is written at each end of an epoch and every five minutes. `progress` takes the pictures of each epoch
    as they are learned from, `on_epoch` what an epoch came to, when its checkpoint is safe.

    Raises
    ------
    KeyboardInterrupt
        After a checkpoint, if the run is interrupted, by Ctrl-C or SIGTERM.
    UsageError
        If a checkpoint is broken, or recipe, network and devices do not go together.
    """
    check_criterion(job.recipe.select, job.network.output)
    check_devices(job.recipe, job.device, job.devices, job.nodes)
    if not read_state(job.folder).finished and job.recipe.cache_features:
        job = with_features(job, progress)
    stop = threading.Event()
    with quiet():
        if job.devices * job.nodes > 1:
            in_processes(_train, job, progress, on_epoch, stop)
        else:
            with interrupts(stop):
                _train(make_fabric(job.recipe, job.device, folder=job.folder), job, progress, on_epoch, stop)
            give_memory_back()
    if stop.is_set():
        raise KeyboardInterrupt
    state, best = read_state(job.folder), read_best(job.folder)
    if best is not None:
        job.network.load_state_dict(best.weights)
    return TrainingResult(
        best_epoch=0 if best is None else best.epoch + 1,
        score=CRITERIA[job.recipe.select].worst if best is None else best.score,
        epochs=state.epoch,
        seconds=state.seconds,
        stopped=state.epoch < job.recipe.epochs,
    )


def learn(fabric: Fabric, model: Any, optimizer: Any, batches: Sequence[Batch], clip: float = 0.0) -> Tensor:
    """Change the weights once, by the mean gradient of some batches, and return the loss of each.

    Parameters
    ----------
    fabric : Fabric
    model, optimizer : as `fabric.setup` returns them
    batches : sequence of Batch
    clip : float
        Largest norm of the gradient, 0 for any.
    """
    optimizer.zero_grad()
    losses = []
    for i, batch in enumerate(batches, start=1):
        with fabric.no_backward_sync(model, enabled=i < len(batches)):
            loss = model(batch.to(fabric.device))
            fabric.backward(loss / len(batches))
        losses.append(loss.detach())
    if clip:
        # A gradient that is not finite is the business of the loss's scaling in half precision.
        fabric.clip_gradients(model, optimizer, max_norm=clip, error_if_nonfinite=False)
    optimizer.step()
    return torch.stack(losses)


def _train(fabric: Fabric, job: Job, progress: Progress, on_epoch: OnEpoch | None, stop: Stop) -> bool:
    """Train in this process, the only one or one of several, until the recipe's end, the time's, or an interrupt.

    Returns whether it was the last.
    """
    if fabric.device.type == "cpu":
        keep_memory()
    loop = _Loop(fabric, job, progress, stop)
    while not loop.ended:
        report = loop.epoch()
        if report is not None and on_epoch is not None:
            on_epoch(report)
    for logger in fabric.loggers:
        logger.finalize("success")
    return loop.stopped


class _Loop:
    """The epochs of a training: steps, validation, checkpoints, logs, and when it is over."""

    def __init__(self, fabric: Fabric, job: Job, progress: Progress, stop: Stop) -> None:
        job.network.to(memory_format=torch.channels_last)
        self._module = NetworkTraining(
            job.network,
            job.recipe,
            online_teacher=job.online_teacher,
            trainable=job.trainable,
            first=job.first,
            given=job.given,
        )
        self._optimizer = make_optimizer(self._module)
        self._model, self._stepper = fabric.setup(self._module, self._optimizer)
        self._fabric, self._job, self._progress, self._stop = fabric, job, progress, stop
        self._state = restore(job.folder, fabric, self._module, self._optimizer) or TrainingState()
        self._best = read_best(job.folder)
        self._before = self._state.seconds  # of training, before this resumption
        self._started, self._saved = self._now(), time.monotonic()
        self.stopped = False  # whether an interrupt ended the epoch
        self._rate = 0.0
        self._losses: list[Tensor] = []  # read back seldom: each time stops a GPU

    @property
    def ended(self) -> bool:
        """Whether there is no epoch to come."""
        return self._state.finished or self._over or self.stopped

    def epoch(self) -> EpochReport | None:
        """Train an epoch, or what is left of it; return what it came to, None if it is to be gone on with later."""
        state, recipe, job = self._state, self._job.recipe, self._job
        drawn = draw_epoch(
            job.training,
            state.epoch,
            images=recipe.images(len(job.training)),
            batch_size=recipe.batch_size,
            seed=job.seed,
            augmentation=recipe.augmentation,
        )
        title = f"epoch {state.epoch + 1} of {recipe.epochs}"
        images = sum(len(each.rows) for each in drawn)
        while state.batch < len(drawn):
            self._step(drawn[state.batch : state.batch + recipe.accumulate], state.epoch + state.batch / len(drawn))
            state.batch = min(state.batch + recipe.accumulate, len(drawn))
            state.seconds = self._seconds()
            self._progress.update(title, sum(len(each.rows) for each in drawn[: state.batch]), images)
            state.seconds, since_saved = agree(self._fabric, (state.seconds, time.monotonic() - self._saved))
            self.stopped = any_of(self._fabric, self._stop.is_set())
            if self._over or self.stopped:
                break
            if since_saved >= CHECKPOINT_EVERY and state.batch < len(drawn):
                self._save()
        # What an unfinished epoch has learned counts if the time is over, not if the run goes on later.
        report = None
        if state.batch == len(drawn) or not self.stopped:
            report = self._finish_epoch(sum(len(each.rows) for each in drawn[: state.batch]), state.batch == len(drawn))
        self._save()
        return report

    def _step(self, drawn: Sequence[Drawn], epochs_done: float) -> None:
        """Learn from some batches, at the learning rate that is due."""
        recipe = self._job.recipe
        epochs_done = self._place(epochs_done)
        self._rate = recipe.optimizer.learning_rate * rate(recipe, epochs_done)
        set_rate(self._optimizer, self._rate)
        self._module.freeze_as_due(epochs_done)
        self._module.thin_as_due(epochs_done)
        batches = [load(self._job.training, share_of(each, self._fabric)) for each in drawn]
        self._losses.append(learn(self._fabric, self._model, self._stepper, batches, recipe.clip_gradient))

    def _finish_epoch(self, images: int, complete: bool) -> EpochReport:
        """Measure the network where that is due, keep it if it is the best so far, log the epoch and count it."""
        state, job = self._state, self._job
        self._collect()
        found = None
        if self._fabric.is_global_zero and (not complete or self._over or self._is_due):
            batches = in_order(job.validation, job.recipe.batch_size)
            found = validate(job.network, batches, self._fabric.device, job.first, job.recipe.select)
        state.seconds = self._seconds()
        criterion = CRITERIA[job.recipe.select]
        is_best = found is not None and (self._best is None or criterion.better(found.score, self._best.score))
        if found is not None and is_best:
            weights = {name: tensor.detach().cpu().clone() for name, tensor in job.network.state_dict().items()}
            self._best = Best(found.score, state.epoch, weights)
            save_best(job.folder, self._best)
        report = EpochReport(
            epoch=state.epoch + 1,
            epochs=job.recipe.epochs,
            images=images,
            seconds=state.seconds,
            learning_rate=self._rate,
            loss=state.loss_sum / max(1, state.losses),
            validation=found,
            is_best=is_best,
        )
        if self._fabric.is_global_zero:
            log(job.folder / LOG, report, job.names)
            measured = {name: value for name, value in figures(report, job.names).items() if value == value}
            self._fabric.log_dict(measured, step=report.epoch)
        if complete:
            state.epoch, state.batch, state.loss_sum, state.losses = state.epoch + 1, 0, 0.0, 0
        state.finished = state.epoch >= job.recipe.epochs or self._has_lost_patience
        (state.seconds,) = agree(self._fabric, (state.seconds,))
        return report

    @property
    def _is_due(self) -> bool:
        """Whether the epoch at hand is one after which the network is measured: each so many, and the last."""
        epoch, recipe = self._state.epoch + 1, self._job.recipe
        return epoch % recipe.validate_every == 0 or epoch >= recipe.epochs

    @property
    def _has_lost_patience(self) -> bool:
        """Whether so many epochs have brought nothing better that the recipe ends the training."""
        patience = self._job.recipe.patience
        without = 0 if self._best is None else self._state.epoch - self._best.epoch - 1
        (epochs,) = agree(self._fabric, (float(without),))
        return patience is not None and epochs >= patience

    @property
    def _over(self) -> bool:
        """Whether the time is."""
        limit = self._job.max_seconds
        return limit is not None and self._state.seconds >= limit

    def _place(self, epochs_done: float) -> float:
        """Return by how many epochs the learning rate goes, where that many are done."""
        recipe, limit = self._job.recipe, self._job.max_seconds
        if limit is None or recipe.schedule.name not in _SINGLE_CYCLES:
            return epochs_done
        return max(epochs_done, recipe.epochs * min(1.0, self._state.seconds / limit))

    def _now(self) -> float:
        return now(self._job.clock, self._job.device)

    def _seconds(self) -> float:
        """Return how long the training has taken."""
        return self._before + self._now() - self._started

    def _collect(self) -> None:
        """Add up the losses since the last time."""
        if self._losses:
            losses = torch.cat(self._losses)
            self._state.loss_sum += float(self._fabric.all_reduce(losses.sum(), reduce_op="mean"))
            self._state.losses += len(losses)
            self._losses.clear()

    def _save(self) -> None:
        self._collect()
        save(self._job.folder, self._fabric, self._module, self._optimizer, self._state)
        self._saved = time.monotonic()
