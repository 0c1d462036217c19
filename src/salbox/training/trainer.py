"""Training from the first epoch to the last, or from where a run was stopped."""

from __future__ import annotations

import csv
import logging
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import TensorBoardLogger

from ..imaging.writing import atomic
from ..networks.trainable.base import TrainableNetwork
from ..system.progress import SILENT, Progress
from .batches import Batch, draw_epoch, in_order, load
from .cache import Pictures
from .checkpoints import Best, TrainingState, read_best, read_state, restore, save, save_best
from .clock import Clock, now
from .module import NetworkTraining
from .online_teacher import OnlineTeacher
from .recipe import Recipe
from .validation import ValidationScores, validate

CHECKPOINT_EVERY = 300.0  # seconds: what a run that is killed loses at most
LOG = "log.csv"


@dataclass(frozen=True)
class EpochReport:
    """What one epoch came to; `epoch` is counted from 1, `seconds` from the start of the training.

    `validation` is None of an epoch after which nothing was measured.
    """

    epoch: int
    epochs: int
    images: int
    seconds: float
    learning_rate: float
    loss: float
    validation: ValidationScores | None
    is_best: bool


OnEpoch = Callable[[EpochReport], None]


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to.

    Attributes
    ----------
    best_epoch : int
        Counted from 1.
    score : float
        Its mean CC on the validation part.
    epochs : int
        Finished ones.
    seconds : float
    stopped : bool
        Whether the time was over first.
    """

    best_epoch: int
    score: float
    epochs: int
    seconds: float
    stopped: bool


@dataclass(frozen=True)
class Job:
    """A training: what `fit` needs.

    Attributes
    ----------
    network : TrainableNetwork
        Where it starts from; afterwards it has the best weights.
    training, validation : Pictures
    folder : Path
        Checkpoints and logs go there.
    device : str
        "cpu", "cuda" or "cuda:1".
    max_seconds : float, optional
        Of training, the parts before a resumption counted.
    clock : {"wall", "processor"}
        What its length is measured by.
    online_teacher : OnlineTeacher, optional
    trainable : modules, optional
    first : int
        Of these two see `NetworkTraining`.
    names : tuple of str
        Of what the outputs learn from, for the log.
    """

    network: TrainableNetwork
    recipe: Recipe
    training: Pictures
    validation: Pictures
    folder: Path
    names: tuple[str, ...]
    seed: int = 0
    device: str = "cpu"
    max_seconds: float | None = None
    clock: Clock = "wall"
    online_teacher: OnlineTeacher | None = None
    trainable: list[torch.nn.Module] | None = None
    first: int = 0


def fit(job: Job, progress: Progress = SILENT, on_epoch: OnEpoch | None = None) -> TrainingResult:
    """Train a student, or go on with it: a folder with a checkpoint is continued.

    A checkpoint is written at each end of an epoch and every five minutes. `progress` takes the pictures of each epoch
    as they are learned from, `on_epoch` what an epoch came to, when its checkpoint is safe.

    Raises
    ------
    KeyboardInterrupt
        After a checkpoint, if the run is interrupted.
    UsageError
        If a checkpoint is broken.
    """
    job.network.to(memory_format=torch.channels_last)
    module = NetworkTraining(
        job.network, job.recipe, online_teacher=job.online_teacher, trainable=job.trainable, first=job.first
    )
    keeper = _Keeper(job, progress, on_epoch)
    with _quiet(), _interrupts(keeper):
        trainer = pl.Trainer(
            accelerator="gpu" if job.device.startswith("cuda") else "cpu",
            devices=[int(job.device.partition(":")[2] or 0)] if job.device.startswith("cuda") else 1,
            precision=precision(job.recipe, job.device),
            max_epochs=-1,
            callbacks=[keeper],
            logger=TensorBoardLogger(job.folder / "tensorboard", name="", version=""),
            gradient_clip_val=job.recipe.clip_gradient or None,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            reload_dataloaders_every_n_epochs=1,
            log_every_n_steps=1,
        )
        trainer.fit(module, train_dataloaders=keeper.loader)
    if keeper.interrupted:
        raise KeyboardInterrupt
    best = read_best(job.folder)
    if best is not None:
        job.network.load_state_dict(best.weights)
    state = keeper.state
    return TrainingResult(
        best_epoch=0 if best is None else best.epoch + 1,
        score=-1.0 if best is None else best.score,
        epochs=state.epoch,
        seconds=state.seconds,
        stopped=state.epoch < job.recipe.epochs,
    )


def precision(recipe: Recipe, device: str) -> Any:
    """Return what Lightning calls the recipe's precision on a device."""
    if recipe.precision == "auto":
        return "bf16-mixed" if device.startswith("cuda") else "32-true"
    return "32-true" if recipe.precision == "32" else recipe.precision


class _Epochs:
    """The batches of the epoch at hand, from where it was left; Lightning asks for it anew each epoch."""

    def __init__(self, job: Job, state: Callable[[], TrainingState]) -> None:
        self._job, self._state = job, state

    def __iter__(self) -> Iterator[Batch]:
        state = self._state()
        drawn = self.draw(state.epoch)
        return (load(self._job.training, each) for each in drawn[state.batch :])

    def draw(self, epoch: int) -> Any:
        recipe, job = self._job.recipe, self._job
        return draw_epoch(
            job.training,
            epoch,
            images=recipe.epoch_images,
            batch_size=recipe.batch_size,
            seed=job.seed,
            flips=recipe.flips,
        )


class _Keeper(pl.Callback):
    """Counts, validates, keeps checkpoints and logs, and says when it is over."""

    def __init__(self, job: Job, progress: Progress, on_epoch: OnEpoch | None) -> None:
        # Known before the training starts: Lightning asks for the first batches before it has made the optimizer.
        self.state = read_state(job.folder)
        self.interrupted = False
        self.loader = _Epochs(job, lambda: self.state)
        self._job, self._progress, self._on_epoch = job, progress, on_epoch
        self._before = 0.0  # seconds before this resumption
        self._started, self._saved = self._now(), time.monotonic()
        self._best: Best | None = None
        self._rate = 0.0
        self._sizes: list[int] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: NetworkTraining) -> None:
        self._best = read_best(self._job.folder)
        self.state = restore(self._job.folder, pl_module) or self.state
        self._before = self.state.seconds
        self._started, self._saved = self._now(), time.monotonic()
        if self.state.finished or self._over():
            trainer.should_stop = True

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: NetworkTraining) -> None:
        self._sizes = [len(each.rows) for each in self.loader.draw(self.state.epoch)]
        pl_module.losses.clear()

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: NetworkTraining, batch: Any, batch_idx: int) -> None:
        self._rate = pl_module.at(self._place())

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: NetworkTraining, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.state.batch += 1
        self.state.seconds = self._before + self._now() - self._started
        title = f"epoch {self.state.epoch + 1} of {self._job.recipe.epochs}"
        self._progress.update(title, sum(self._sizes[: self.state.batch]), sum(self._sizes))
        if self._over() or self.interrupted:
            trainer.should_stop = True
        elif time.monotonic() - self._saved >= CHECKPOINT_EVERY:
            self._save(pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: NetworkTraining) -> None:
        self._collect(pl_module)
        complete = self.state.batch >= len(self._sizes)
        # What an unfinished epoch has learned counts if the time is over, not if the run goes on later.
        report = None
        if complete or (self.state.batch and not self.interrupted):
            report = self._finish_epoch(trainer, pl_module, complete)
        self._save(pl_module)
        if report is not None and self._on_epoch is not None:
            self._on_epoch(report)
        if self.state.epoch >= self._job.recipe.epochs:
            trainer.should_stop = True

    def _finish_epoch(self, trainer: pl.Trainer, module: NetworkTraining, complete: bool) -> EpochReport:
        state, job = self.state, self._job
        found = None
        if not complete or self._over() or self._is_due():
            found = validate(job.network, in_order(job.validation, job.recipe.batch_size), module.device, job.first)
        state.seconds = self._before + self._now() - self._started
        is_best = found is not None and (self._best is None or found.score > self._best.score)
        if found is not None and is_best:
            weights = {name: tensor.detach().cpu().clone() for name, tensor in job.network.state_dict().items()}
            self._best = Best(found.score, state.epoch, weights)
            save_best(job.folder, self._best)
        loss = state.loss_sum / max(1, state.losses)
        report = EpochReport(
            epoch=state.epoch + 1,
            epochs=job.recipe.epochs,
            images=sum(self._sizes[: state.batch]),
            seconds=state.seconds,
            learning_rate=self._rate,
            loss=loss,
            validation=found,
            is_best=is_best,
        )
        _log(job.folder / LOG, report, job.names)
        figures = _figures(report, job.names)
        trainer.logger.log_metrics({k: v for k, v in figures.items() if v == v}, step=report.epoch)
        if complete:
            state.epoch, state.batch, state.loss_sum, state.losses = state.epoch + 1, 0, 0.0, 0
        state.finished = state.epoch >= job.recipe.epochs
        return report

    def _is_due(self) -> bool:
        """Return whether the epoch at hand is one after which the student is measured: each so many, and the last."""
        epoch, recipe = self.state.epoch + 1, self._job.recipe
        return epoch % recipe.validate_every == 0 or epoch >= recipe.epochs

    def _now(self) -> float:
        return now(self._job.clock, self._job.device)

    def _place(self) -> float:
        """Return how many epochs are done, by which the learning rate goes.

        A single cycle is to end low: where the time will be over first, it goes by the time.
        """
        place = self.state.epoch + self.state.batch / len(self._sizes)
        recipe, limit = self._job.recipe, self._job.max_seconds
        if limit is None or recipe.schedule.name != "one-cycle":
            return place
        return max(place, recipe.epochs * min(1.0, self.state.seconds / limit))

    def _over(self) -> bool:
        limit = self._job.max_seconds
        return limit is not None and self.state.seconds >= limit

    def _collect(self, module: NetworkTraining) -> None:
        if module.losses:
            self.state.loss_sum += float(torch.stack(module.losses).sum())
            self.state.losses += len(module.losses)
            module.losses.clear()

    def _save(self, module: NetworkTraining) -> None:
        self._collect(module)
        save(self._job.folder, module, self.state)
        self._saved = time.monotonic()


def _figures(report: EpochReport, names: tuple[str, ...]) -> dict[str, float]:
    found = {"loss": report.loss, "learning_rate": report.learning_rate}
    missing = (float("nan"),) * len(names)
    cc, kl = (missing, missing) if report.validation is None else (report.validation.cc, report.validation.kl)
    found["validation_cc"] = float("nan") if report.validation is None else report.validation.score
    for name, own_cc, own_kl in zip(names, cc, kl, strict=True):
        found |= {f"cc {name}": own_cc, f"kl {name}": own_kl}
    return found


def _log(path: Path, report: EpochReport, names: tuple[str, ...]) -> None:
    """Add an epoch's line to the CSV log; lines of later epochs, from before a resumption, go."""
    row = {"epoch": str(report.epoch), "images": str(report.images), "seconds": f"{report.seconds:.1f}"}
    row |= {name: f"{value:.6g}" for name, value in _figures(report, names).items()}
    before = []
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            before = [line for line in csv.DictReader(file) if int(line["epoch"]) < report.epoch]
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*before, row])


@contextmanager
def _interrupts(keeper: _Keeper) -> Iterator[None]:
    """Let Ctrl-C end the training after the batch at hand; a second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: Any) -> None:
        keeper.interrupted = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning from telling of its accelerators and from advice that does not apply to ready-made batches."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            warnings.filterwarnings("ignore", message=r".*GPU available but not used.*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
