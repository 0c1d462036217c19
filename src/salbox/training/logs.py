"""What an epoch came to, and the logs of it: a line of log.csv, figures for TensorBoard."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ..imaging.writing import atomic
from .validation import CRITERIA, ValidationScores

LOG, TENSORBOARD = "log.csv", "tensorboard"
_NAN = float("nan")


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


def figures(report: EpochReport, names: tuple[str, ...]) -> dict[str, float]:
    """Return what is logged of an epoch: title -> figure, NaN where nothing was measured; `names` of the targets."""
    found, scores = {"loss": report.loss, "learning_rate": report.learning_rate}, report.validation
    found["validation_cc"] = _NAN if scores is None else scores.mean_cc
    if scores is not None and scores.select != "cc":
        found[f"validation_{scores.select}"] = scores.score
    missing = (_NAN,) * len(names)
    cc, kl = (missing, missing) if scores is None else (scores.cc, scores.kl)
    for name, own_cc, own_kl in zip(names, cc, kl, strict=True):
        found |= {f"cc {name}": own_cc, f"kl {name}": own_kl}
    return found


def log(path: Path, report: EpochReport, names: tuple[str, ...]) -> None:
    """Add an epoch's line to the CSV log; lines of later epochs, from before a resumption, go."""
    row = {"epoch": str(report.epoch), "images": str(report.images), "seconds": f"{report.seconds:.1f}"}
    row |= {name: f"{value:.6g}" for name, value in figures(report, names).items()}
    before = []
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            before = [line for line in csv.DictReader(file) if int(line["epoch"]) < report.epoch]
    columns = dict.fromkeys([*row, *(name for line in before for name in line)])
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns), restval="nan", lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*before, row])


def epoch_line(report: EpochReport) -> str:
    """Return in a line what an epoch came to."""
    found, scores = "", report.validation
    if scores is not None:
        also = "" if scores.select == "cc" else f", {CRITERIA[scores.select].title} {scores.score:.4f}"
        found = f", validation CC {scores.mean_cc:.4f}{also}{' *' if report.is_best else ''}"
    return f"epoch {report.epoch}/{report.epochs}: loss {report.loss:.4f}{found} ({report.seconds:.0f} s)"
