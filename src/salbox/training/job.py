"""What a training needs, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from ..losses import Truth
from ..networks.trainable.base import TrainableNetwork
from .cache import Pictures
from .clock import Clock
from .online_teacher import OnlineTeacher
from .recipe import Recipe


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
    devices : int
        So many from that one on share each batch, each a process; on the CPU so many processes.
    nodes : int
        Of so many machines, each with so many devices; see `training.nodes`. Only the first has checkpoints and a
        result.
    max_seconds : float, optional
        Of training, the parts before a resumption counted.
    clock : {"wall", "processor"}
        What its length is measured by.
    online_teacher : OnlineTeacher, optional
    trainable : modules, optional
    first : int
    given : names
        Of these three see `NetworkTraining`.
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
    devices: int = 1
    nodes: int = 1
    max_seconds: float | None = None
    clock: Clock = "wall"
    online_teacher: OnlineTeacher | None = None
    trainable: list[torch.nn.Module] | None = None
    first: int = 0
    given: tuple[Truth, ...] = ("teacher",)


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to.

    Attributes
    ----------
    best_epoch : int
        Counted from 1.
    score : float
        Its figure on the validation part, by which the recipe selects.
    epochs : int
        Finished ones.
    seconds : float
    stopped : bool
        Whether the time was over first, or there was nothing more to gain.
    """

    best_epoch: int
    score: float
    epochs: int
    seconds: float
    stopped: bool
