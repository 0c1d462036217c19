"""The features of an encoder that does not learn, computed once for all epochs: once a picture, once its mirror image.

An epoch then costs what the rest of the network costs. The folder of the pictures keeps them, so that they go with it.
"""

from __future__ import annotations

import copy
import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from ..networks.trainable.base import TrainableNetwork
from ..networks.trainable.split import SplitNetwork
from ..system.progress import Progress
from .batches import Batch, Drawn, load
from .cache import Group, Pictures
from .feature_files import FeatureFiles, Shape3
from .forward import split
from .job import Job

LEFT_FREE = 1e9  # bytes of the disk that features leave to others


def check_features(network: TrainableNetwork, cache_features: bool, in_process: bool = False) -> None:
    """Raise a UsageError if a recipe keeps features, and a network has none that can be kept.

    Parameters
    ----------
    network : TrainableNetwork
    cache_features : bool
        Of the recipe.
    in_process : bool
        Whether a teacher looks at the pictures beside it.
    """
    if not cache_features:
        return
    split(network)
    if in_process:
        raise UsageError("cache_features: a teacher in the process looks at pictures; leave one of the two out")


def with_features(job: Job, progress: Progress) -> Job:
    """Return a training with the encoder's features beside its pictures; without, and a line, if the disk is too full.

    What a run that died has computed of them is gone on with.

    Raises
    ------
    UsageError
        If the network does not split, or its features are no numbers of 16 bits.
    """
    check_features(job.network, job.recipe.cache_features, job.online_teacher is not None)
    network = split(job.network)
    identity = _identity(network)
    shapes = _Shapes(network)
    training = _planned(job.training, shapes, flips=job.recipe.flips)
    validation = training if job.validation is job.training else _planned(job.validation, shapes, flips=False)
    parts = [training] if validation is training else [training, validation]
    groups = [(pictures, g) for pictures in parts for g in range(len(pictures.groups))]
    files = [_files(pictures.groups[g]) for pictures, g in groups]
    there = [each.begin(identity) for each in files]
    needed = sum(each.size for each in files)
    missing = needed - sum(
        each.size // (len(each.flips) * each.rows) * sum(done.values()) for each, done in zip(files, there, strict=True)
    )
    if missing:
        mirrored = " and their mirror images" if job.recipe.flips else ""
        free = shutil.disk_usage(job.folder).free
        progress.say(f"features of the frozen encoder of all pictures{mirrored}: {needed / 1e6:,.0f} MB on disk")
        if missing + LEFT_FREE > free:
            progress.say(
                f"note: {free / 1e9:.2f} GB are free in {job.folder}: the encoder runs again in each epoch instead"
            )
            return job
        network.to(job.device, memory_format=torch.channels_last)
        modes = [(module, module.training) for module in network.modules()]
        network.eval()
        try:
            _compute(job, network, list(zip(groups, files, there, strict=True)), progress)
        except OSError as error:
            raise UsageError(f"{job.folder}: features cannot be written ({error.strerror or error})") from None
        for module, mode in modes:
            module.training = mode
        network.to("cpu")
    return replace(job, training=training, validation=validation)


def encoded(network: SplitNetwork, batch: Batch) -> Batch:
    """Return a batch with its features in place of its pictures."""
    if batch.domain:
        network.choose_domain(batch.domain)
    with torch.no_grad():
        features = tuple(tap.to(torch.float16) for tap in network.encode(batch.images.float()))
    return Batch(batch.images[:, :, :0, :0], batch.maps, batch.valid, batch.fixations, batch.domain, features)


def _compute(
    job: Job,
    network: SplitNetwork,
    planned: list[tuple[tuple[Pictures, int], FeatureFiles, dict[str, int]]],
    progress: Progress,
) -> None:
    """Write what is missing of the features."""
    total = sum(len(files.flips) * files.rows for _, files, _ in planned)
    done = sum(sum(there.values()) for _, _, there in planned)
    for (pictures, g), files, there in planned:
        plain = Pictures([replace(pictures.groups[g], features=None)], [])
        for flip, first in _pieces(files, there, job.recipe.batch_size):
            rows = tuple(range(first, min(first + job.recipe.batch_size, files.rows)))
            batch = load(plain, Drawn(0, rows, (flip,) * len(rows))).to(job.device)
            features = encoded(network, batch).features
            if not all(bool(tap.isfinite().all()) for tap in features):
                raise UsageError(
                    f"features of network '{network.name}' are beyond the numbers of 16 bits; give cache_features=false"
                )
            files.append(flip, first, [tap.permute(0, 2, 3, 1).cpu().numpy() for tap in features])
            done += len(rows)
            progress.update("features of the frozen encoder", done, total)


def _pieces(files: FeatureFiles, there: dict[str, int], step: int) -> Iterator[tuple[str, int]]:
    for flip in files.flips:
        yield from ((flip, first) for first in range(there[flip], files.rows, step))


def _planned(pictures: Pictures, shapes: _Shapes, *, flips: bool) -> Pictures:
    """Return pictures whose groups know where their features will be."""
    return replace(pictures, groups=[_with_files(group, shapes, flips=flips) for group in pictures.groups])


def _with_files(group: Group, shapes: _Shapes, *, flips: bool) -> Group:
    letters = {letter for heads in group.flips for allowed in heads for letter in allowed} if flips else set()
    ways = tuple("".join(way) for way in product(*(("", letter) for letter in sorted(letters))))
    folder = group.folder / f"{group.name}.features"
    return replace(group, features=FeatureFiles(folder, shapes(*group.size), len(group.keys), ways))


def _files(group: Group) -> FeatureFiles:
    assert group.features is not None  # noqa: S101  # `_planned` gave it
    return group.features


class _Shapes:
    """The shapes of the features of pictures of a size; nothing is computed."""

    def __init__(self, network: SplitNetwork) -> None:
        self._network = copy.deepcopy(network).to("meta").eval()

    def __call__(self, height: int, width: int) -> tuple[Shape3, ...]:
        with torch.no_grad():
            found = self._network.encode(torch.zeros(1, 3, height, width, device="meta"))
        return tuple((tap.shape[2], tap.shape[3], tap.shape[1]) for tap in found)


def _identity(network: TrainableNetwork) -> str:
    """Return what features depend on beside the pictures: the network's kind, and its encoder's weights."""
    digest = hashlib.sha256(repr((network.name, network.settings)).encode())
    for module in network.encoder_modules():
        for name, tensor in module.state_dict().items():
            digest.update(name.encode())
            digest.update(_contents(tensor))
    return digest.hexdigest()


def _contents(tensor: Tensor) -> bytes:
    return np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes()
