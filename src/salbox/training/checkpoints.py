"""Checkpoints of a training: enough to go on as if nothing had happened, and the best weights so far."""

from __future__ import annotations

import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric

from ..errors import UsageError, one_line
from ..imaging.writing import atomic
from .module import NetworkTraining

LAST, BEST = "last.pt", "best.pt"
_FORMAT = 2  # 1 was written by the loop within Lightning's Trainer


@dataclass
class TrainingState:
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
    """The best epoch so far by the validation score, and the network's weights after it."""

    score: float
    epoch: int
    weights: dict[str, Any]


def save(
    folder: Path, fabric: Fabric, training: NetworkTraining, optimizer: torch.optim.Optimizer, state: TrainingState
) -> None:
    """Write all of a training; a run that dies while it is written keeps the one before. All its processes call it."""
    saved = {
        "format": _FORMAT,
        "progress": asdict(state),
        "module": training.state_dict(),
        "optimizer": optimizer.state_dict(),
        "precision": fabric.strategy.precision.state_dict(),
        # Of each process a row.
        "random": _rows(fabric, torch.get_rng_state()),
    }
    if fabric.device.type == "cuda":
        saved["random_cuda"] = _rows(fabric, torch.cuda.get_rng_state(fabric.device))
    if fabric.is_global_zero:
        _write(folder / LAST, saved)


def save_best(folder: Path, best: Best) -> None:
    """Write the best weights so far."""
    _write(folder / BEST, {"format": _FORMAT, "score": best.score, "epoch": best.epoch, "weights": best.weights})


def restore(
    folder: Path, fabric: Fabric, training: NetworkTraining, optimizer: torch.optim.Optimizer
) -> TrainingState | None:
    """Put back what was saved last, optimizer included, and return how far it was; None if nothing was saved.

    Raises
    ------
    UsageError
        If the file is broken or does not fit.
    """
    saved = _read(folder / LAST) if fabric.is_global_zero else None
    if fabric.world_size > 1:  # other machines may not have the folder
        saved = fabric.broadcast(saved)
    if saved is None:
        return None
    try:
        training.load_state_dict(saved["module"])
        optimizer.load_state_dict(saved["optimizer"])
        fabric.strategy.precision.load_state_dict(saved["precision"])
        row = fabric.global_rank % len(saved["random"])
        torch.set_rng_state(saved["random"][row].clone())  # PyTorch crashes over a part of a larger tensor
        if fabric.device.type == "cuda" and "random_cuda" in saved:
            torch.cuda.set_rng_state(saved["random_cuda"][row].clone(), fabric.device)
        return TrainingState(**saved["progress"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _unusable(folder / LAST, one_line(error)) from None


def read_state(folder: Path) -> TrainingState:
    """Return how far a training is, the beginning if nothing was saved."""
    saved = _read(folder / LAST)
    try:
        return TrainingState() if saved is None else TrainingState(**saved["progress"])
    except (KeyError, TypeError) as error:
        raise _unusable(folder / LAST, one_line(error)) from None


def read_best(folder: Path) -> Best | None:
    """Return the best weights so far; None if nothing was saved."""
    saved = _read(folder / BEST)
    try:
        return None if saved is None else Best(float(saved["score"]), int(saved["epoch"]), saved["weights"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(folder / BEST, one_line(error)) from None


def _rows(fabric: Fabric, state: torch.Tensor) -> torch.Tensor:
    """Return a process's tensor and those of all others, one a row, on the CPU."""
    rows: torch.Tensor = fabric.all_gather(state)
    return rows.reshape(-1, len(state)).cpu()


def _write(path: Path, saved: dict[str, Any]) -> None:
    with atomic(path) as temporary:
        torch.save(saved, temporary)


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:  # PyTorch is built without checking what is in it
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"the checksum of '{damaged}' does not fit")
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        written = saved["format"]
    except Exception as error:  # zipfile, pickle and PyTorch each raise their own on a malformed file
        raise _unusable(path, one_line(error)) from None
    if written != _FORMAT:
        raise _unusable(path, "another release of salbox wrote it")
    return saved


def _unusable(path: Path, reason: str) -> UsageError:
    return UsageError(f"{path}: cannot be continued from ({reason}); remove {path.parent} to train anew")
