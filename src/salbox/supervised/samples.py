"""What a network learns from: the pictures of data sets with densities and fixations, or masks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset, fixation_density
from ..evaluation.code import changed
from ..imaging.postprocess import NOTHING, PostProcess
from ..losses import Truth
from ..networks.trainable.base import TrainableNetwork
from ..system.progress import Progress
from ..training.cache import Pictures, Sample, joined, prepare
from ..types import DoubleMap, FloatMap
from .parts import Parts

SIDEWAYS = "h"  # people, and what they look at, are mirrored sideways only


def make_pictures(
    data: Sequence[tuple[Parts, Dataset]],
    network: TrainableNetwork,
    given: Sequence[Truth],
    folder: Path,
    part: str,
    progress: Progress,
    preprocess: PostProcess = NOTHING,
) -> Pictures:
    """Return a part of several data sets as pictures at the network's working size, made in `folder` or found there.

    Weights of data sets become how often a picture is drawn, of 1 in the mean over all.

    Raises
    ------
    UsageError
        If a data set has no picture that can be read.
    """
    made = []
    learned = (tuple(given), *([changed(preprocess)] if preprocess != NOTHING else []))
    for parts, dataset in data:
        pictures = prepare(
            samples(dataset, given, preprocess),
            folder / f"{part}-{parts.source.domain}",
            resize=network.preprocessing.prepare,
            map_size=cache(network.map_size),
            heads=1,
            identity=repr((network.preprocessing, network.name, network.settings, dataset.fingerprint(), *learned)),
            progress=progress,
            title=f"{part} pictures of {parts.source.name}",
        )
        for failure in pictures.failures[:3]:
            progress.say(f"failed: {failure}")
        if len(pictures.failures) > 3:
            progress.say(f"failed: {len(pictures.failures) - 3} more of {parts.source.name}")
        made.append((pictures, parts))
    total = sum(len(pictures) for pictures, _ in made)
    mean = sum(len(pictures) * parts.source.weight for pictures, parts in made) / total
    return joined((pictures, parts.source.domain, parts.source.weight / mean) for pictures, parts in made)


def samples(data: Dataset, given: Sequence[Truth], preprocess: PostProcess = NOTHING) -> list[Sample]:
    """Return a data set's pictures, each with its map, and with its fixations where these are given.

    A picture that nobody looked at is left out. A fixation map is processed, and brought to 0..1 again.
    """
    found = []
    for index, item in enumerate(data.items):
        with_fixations = "fixations" in given
        if with_fixations and not len(data.fixations(index)):
            continue
        read = partial(_mask, data, index) if given[0] == "mask" else partial(_processed, data, index, preprocess)
        places = partial(_places, data, index) if with_fixations else None
        found.append(Sample(item.name, partial(data.pixels, index), (read,), (SIDEWAYS,), places))
    return found


def truth_map(data: Dataset, index: int) -> FloatMap:
    """Return what a picture's map should look like, for people to see: its density, else its mask, in 0..1."""
    return _density(data, index) if "density" in data.gives else _mask(data, index)


def _density(data: Dataset, index: int) -> FloatMap:
    """Return the density of an image's fixations, else the publishers' own, over its maximum: (h, w) in 0..1."""
    if "fixations" in data.gives:
        fixations = data.fixations(index)
        if not len(fixations):
            return np.zeros(data.shape(index), np.float32)
        density = fixation_density(fixations, data.shape(index), data.sigma(index))
    else:
        published = data.density(index)
        assert published is not None  # noqa: S101  # the data set gives densities
        density = published
    return _unit(density)


def _processed(data: Dataset, index: int, preprocess: PostProcess) -> FloatMap:
    """Return the density of an image after it was processed, over its maximum: (h, w) in 0..1."""
    density = _density(data, index)
    if preprocess == NOTHING or not density.any():
        return density
    return _unit(preprocess(density, name=data.items[index].image.name))


def _unit(density: npt.NDArray[Any]) -> FloatMap:
    """Return a map over its maximum; one with values below 0 is raised to it first."""
    raised = density - min(0.0, float(density.min()))
    highest = float(raised.max())
    scaled: FloatMap = (raised / (highest if highest > 0 else 1.0)).astype(np.float32)
    return scaled


def _mask(data: Dataset, index: int) -> FloatMap:
    """Return an image's mask: (h, w) in 0..1."""
    mask = data.mask(index)
    values: FloatMap = mask.astype(np.float32) / np.float32(1 if mask.dtype == bool else 255)
    return values


def _places(data: Dataset, index: int) -> DoubleMap:
    """Return where people looked: (n, 2), shares of the width and of the height."""
    fixations, (height, width) = data.fixations(index), data.shape(index)
    places: DoubleMap = np.stack([fixations.x / width, fixations.y / height], axis=1)
    return places
