"""Whether what was opened is the dataset that it was opened as: names, numbers and sizes against the published ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from ..errors import SalboxError, UsageError
from ..types import Shape
from .dataset import ALL, Dataset, DatasetCard

SAMPLED = 12  # images whose size is looked at
USUAL = 0.9  # a smaller share of names like the published ones is worth a note
ASPECT = 0.02  # by which the ratio of the sides may differ, one pixel of rounding aside


def misfits(data: Dataset) -> list[str]:
    """Return what does not fit the published dataset, a note each.

    Raises
    ------
    UsageError
        If fixations are known and no image is named as the dataset's are: positions would be read by the rules of
        another dataset than theirs.
    """
    return [*_of_names(data), *_of_number(data), *_of_sizes(data)]


def is_named(card: DatasetCard, name: str) -> bool:
    """Return whether an image's name, without suffix, is one that the dataset has."""
    return re.fullmatch(card.names, name) is not None


def _of_names(data: Dataset) -> Iterator[str]:
    card = data.card
    if not card.names:
        return
    strange = [item.name for item in data.items if not is_named(card, item.name)]
    if len(data) - len(strange) >= USUAL * len(data):
        return
    which = "no image is" if len(strange) == len(data) else f"{len(strange)} of {len(data)} images are not"
    text = f"{which} named as {card.title}'s are ({card.names_text}), {strange[0]} the first"
    if len(strange) == len(data) and "fixations" in data.gives:
        raise UsageError(f"{card.name}:{data.path}: {text}; 'salbox datasets {data.path}' says what it looks like")
    yield f"{text}; is it {card.title}?"


def _of_number(data: Dataset) -> Iterator[str]:
    published = data.card.images.get(data.split, sum(data.card.images.values()) if data.split == ALL else 0)
    if published and len(data) > published:
        yield f"{len(data):,} images, of which {published:,} were published; is it {data.card.title}?"


def _of_sizes(data: Dataset) -> Iterator[str]:
    card = data.card
    if card.size is None and card.longest is None:
        return
    places = np.unique(np.linspace(0, len(data) - 1, SAMPLED).round().astype(int)).tolist()
    shapes = []
    looked_at = data.subset(places, "")  # a copy, so that nothing is remembered of files that may change yet
    for number in range(len(looked_at)):
        with suppress(SalboxError):  # said where the image is read
            shapes.append(looked_at.shape(number))
    others = [shape for shape in shapes if not _is_published(shape, card)]
    if not others:
        return
    published = f"a longest side of {card.longest}" if card.size is None else _text(card.size)
    note = (
        f"{len(others)} of {len(shapes)} images looked at are not of the published size ({_text(others[0])} the first, "
        f"where {published} was published)"
    )
    is_distorted = card.size is not None and any(_is_distorted(shape, card.size) for shape in others)
    yield f"{note}, nor of its shape; is it {card.title}?" if is_distorted else note


def _is_published(shape: Shape, card: DatasetCard) -> bool:
    return shape == card.size if card.size is not None else max(shape) == card.longest


def _is_distorted(shape: Shape, size: Shape) -> bool:
    ratio = shape[1] / shape[0] / (size[1] / size[0])
    return abs(ratio - 1) > ASPECT + 1 / min(shape)


def _text(shape: Shape) -> str:
    return f"{shape[1]}x{shape[0]}"
