"""Where a training computes: Fabric for a device, and several, of several machines, that share each batch."""

from __future__ import annotations

import itertools
import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.loggers import TensorBoardLogger
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.fabric.strategies import DDPStrategy
from lightning.fabric.utilities.rank_zero import rank_zero_module

from ..errors import SalboxError, UsageError
from ..networks.device import torch_device
from ..system.progress import SILENT, Progress
from ..system.workers import leave_with_parent
from .batches import Drawn
from .interrupts import Stop, ignore_interrupts, interrupts
from .job import Job
from .logs import TENSORBOARD, EpochReport
from .recipe import Recipe

OnEpoch = Callable[[EpochReport], None]
Train = Callable[[Fabric, Job, Progress, OnEpoch | None, Stop], bool]


def precision(recipe: Recipe, device: str) -> Any:
    """Return what Lightning calls the recipe's precision on a device."""
    if recipe.precision == "auto":
        return "bf16-mixed" if device.startswith("cuda") else "32-true"
    return "32-true" if recipe.precision == "32" else recipe.precision


def make_fabric(
    recipe: Recipe, device: str = "cpu", count: int = 1, folder: Path | None = None, nodes: int = 1
) -> Fabric:
    """Return Fabric for a device, or for so many from it on, of each of so many machines, that logs into a folder."""
    on_gpu = device.startswith("cuda")
    first = _index(device)
    return Fabric(
        accelerator="gpu" if on_gpu else "cpu",
        devices=list(range(first, first + count)) if on_gpu else count,
        num_nodes=nodes,
        # Whatever started this program, the processes are its own.
        plugins=[LightningEnvironment()],
        # What is frozen, or no output needs, has no gradient to share.
        strategy="auto" if count * nodes == 1 else _Processes(start_method="spawn", find_unused_parameters=True),
        precision=precision(recipe, device),
        loggers=[] if folder is None else TensorBoardLogger(folder / TENSORBOARD, name="", version=""),
    )


def check_devices(recipe: Recipe, device: str, count: int, nodes: int = 1) -> None:
    """Raise a UsageError if there are not so many devices, from that one on, or a batch cannot be shared by all.

    Parameters
    ----------
    recipe : Recipe
    device : str
    count : int
    nodes : int
        How many machines have so many devices each.
    """
    if count < 1:
        raise UsageError(f"{count} devices: expected at least 1")
    every = count * nodes
    if every > 1 and recipe.batch_size < 2 * every:
        raise UsageError(f"batch_size={recipe.batch_size}: {every} devices that share it need at least {2 * every}")
    if device != "cpu" and not re.fullmatch(r"cuda(:\d+)?", device):
        raise UsageError(f"device '{device}': expected cpu, cuda or cuda:N to train on")
    if device.startswith("cuda"):
        torch_device(f"cuda:{_index(device) + count - 1}")


def _index(device: str) -> int:
    return int(device.partition(":")[2] or 0)


def share_of(drawn: Drawn, fabric: Fabric) -> Drawn:
    """Return the part of a batch that this process learns from; of a batch too small for all some pictures twice."""
    number, processes = len(drawn.rows), fabric.world_size
    places = [place % number for place in range(fabric.global_rank, max(number, processes), processes)]
    return drawn.of(places)


def agree(fabric: Fabric, values: Sequence[float]) -> list[float]:
    """Return numbers that all processes go by: the first's."""
    return list(values) if fabric.world_size == 1 else list(fabric.broadcast(list(values)))


def any_of(fabric: Fabric, value: bool) -> bool:
    """Return whether something holds in one of the processes."""
    if fabric.world_size == 1:
        return value
    return bool(fabric.all_reduce(torch.tensor(float(value), device=fabric.device), reduce_op="max"))


def in_processes(train: Train, job: Job, progress: Progress, on_epoch: OnEpoch | None, stop: Stop) -> None:
    """Train in a process for each device; the first one's progress and epochs are passed on, and interrupts to all."""
    context = get_context("spawn")
    shared_stop, messages = context.Event(), context.Queue()

    def pass_on() -> None:
        for kind, arguments in iter(messages.get, None):
            if kind == "update":
                progress.update(*arguments)
            elif on_epoch is not None:
                on_epoch(*arguments)

    listener = threading.Thread(target=pass_on, daemon=True)
    listener.start()
    fabric = make_fabric(job.recipe, job.device, job.devices, job.folder, job.nodes)
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # of the processes to come: no advice about unused weights
    try:
        with interrupts(shared_stop):
            ended = fabric.launch(partial(_in_child, train=train, job=job, messages=messages, stop=shared_stop))
    finally:
        messages.put(None)
        listener.join()
    if isinstance(ended, SalboxError):
        raise ended
    if ended or shared_stop.is_set():
        stop.set()


class _Processes(DDPStrategy):
    """Fabric's strategy of several processes, without its lines about them."""

    def setup_environment(self) -> None:
        """Let the processes find each other."""
        with quiet():
            super().setup_environment()


class _Messages(Progress):
    """Progress and epochs as messages to the parent."""

    def __init__(self, messages: Any) -> None:
        self._messages = messages

    def update(self, title: str, done: int, total: int | None) -> None:
        """Send how far the training is."""
        self._messages.put(("update", (title, done, total)))

    def on_epoch(self, report: EpochReport) -> None:
        """Send what an epoch came to."""
        self._messages.put(("epoch", (report,)))


def _in_child(fabric: Fabric, *, train: Train, job: Job, messages: Any, stop: Stop) -> SalboxError | bool:
    """Train in this process, one of several; return whether it was interrupted, or what went wrong."""
    ignore_interrupts()
    threading.Thread(target=leave_with_parent, daemon=True).start()
    # What was passed on lies in memory that all processes share; each is to change weights of its own.
    for tensor in itertools.chain(job.network.parameters(), job.network.buffers()):
        tensor.data = tensor.data.clone()
    to_parent = _Messages(messages)
    try:
        with quiet():
            if fabric.is_global_zero:
                return train(fabric, job, to_parent, to_parent.on_epoch, stop)
            return train(fabric, job, SILENT, None, stop)
    except SalboxError as error:
        return error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning from telling of its accelerators and from advice that does not apply."""
    # The last is what it talks through, wherever that belongs.
    loggers = [logging.getLogger("lightning"), logging.getLogger("lightning.fabric"), rank_zero_module.log]
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
