"""Checkpoints of a training: enough to go on as if nothing had happened, and the best weights so far."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ..errors import UsageError
from ..writing import atomic
from .module import StudentTraining

LAST, BEST = "last.pt", "best.pt"
_FORMAT = 1


@dataclass
class Progress:
    """How far a training is.

    Attributes
    ----------
    epoch, batch : int
        The next to come, counted from 0.
    seconds : float
        That it has taken, preparation not counted.
    loss_sum, losses : float, int
        Of the epoch at hand.
    finished : bool
    """

    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    losses: int = 0
    finished: bool = False


@dataclass(frozen=True)
class Best:
    """The best epoch so far by the validation score, and the student's weights after it."""

    score: float
    epoch: int
    weights: dict[str, Any]


def save(folder: Path, training: StudentTraining, progress: Progress) -> None:
    """Write the state of a training; a run that dies while it is written keeps the one before."""
    trainer = training.trainer
    state = {
        "format": _FORMAT,
        "progress": asdict(progress),
        "module": training.state_dict(),
        "optimizer": trainer.optimizers[0].state_dict(),
        "precision": trainer.precision_plugin.state_dict(),
        "random": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        state["random_cuda"] = torch.cuda.get_rng_state_all()
    _write(folder / LAST, state)


def save_best(folder: Path, best: Best) -> None:
    """Write the best weights so far."""
    state = {"format": _FORMAT, "score": best.score, "epoch": best.epoch, "weights": best.weights}
    _write(folder / BEST, state)


def restore(folder: Path, training: StudentTraining) -> Progress | None:
    """Put back the state that was saved last, optimizer included; None if there is none.

    Raises
    ------
    UsageError
        If the file is broken or does not fit.
    """
    state = _read(folder / LAST)
    if state is None:
        return None
    try:
        training.load_state_dict(state["module"])
        trainer = training.trainer
        trainer.optimizers[0].load_state_dict(state["optimizer"])
        trainer.precision_plugin.load_state_dict(state["precision"])
        torch.set_rng_state(state["random"])
        if torch.cuda.is_available() and "random_cuda" in state:
            torch.cuda.set_rng_state_all(state["random_cuda"])
        return Progress(**state["progress"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _unusable(folder / LAST, error) from None


def read_progress(folder: Path) -> Progress:
    """Return how far a training is, the beginning if nothing was saved."""
    state = _read(folder / LAST)
    try:
        return Progress() if state is None else Progress(**state["progress"])
    except (KeyError, TypeError) as error:
        raise _unusable(folder / LAST, error) from None


def read_best(folder: Path) -> Best | None:
    """Return the best weights so far; None if nothing was saved."""
    state = _read(folder / BEST)
    try:
        return None if state is None else Best(float(state["score"]), int(state["epoch"]), state["weights"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(folder / BEST, error) from None


def _write(path: Path, state: dict[str, Any]) -> None:
    with atomic(path) as temporary:
        torch.save(state, temporary)


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if state["format"] != _FORMAT:
            raise ValueError(f"format {state['format']}")
    except Exception as error:  # zipfile, pickle and PyTorch each raise their own on a malformed file
        raise _unusable(path, error) from None
    return state


def _unusable(path: Path, error: Exception) -> UsageError:
    reason = " ".join(str(error).split())[:200]
    return UsageError(f"{path}: cannot be continued from ({reason}); remove its folder to start anew")
