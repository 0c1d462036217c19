"""What of a dataset is at hand, against the numbers that were published."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import SalboxError
from ..imaging.image import SUFFIXES
from .consistency import SAMPLED, misfits
from .dataset import ALL, Dataset, DatasetCard, Item
from .duts import CARD as DUTS
from .duts import TEST, TRAIN
from .outside import outside_note
from .registry import dataset_card, open_dataset

DUTS_PARTS = {TRAIN: 10_553, TEST: 5_019}  # what is published as one part is two splits here


@dataclass(frozen=True)
class Part:
    """A part of a dataset as published.

    Attributes
    ----------
    name : str
    present : int
        How many of its images are at hand, with the truth that belongs to them.
    published : int
    """

    name: str
    present: int
    published: int

    def __str__(self) -> str:
        return f"{self.present} of {self.published} present"


@dataclass(frozen=True)
class Truth:
    """What reading all images and all that is known of them gave.

    Attributes
    ----------
    fixations, regions : int
        How many lie on the images.
    published_fixations : int, optional
    broken : tuple of texts
        What could not be read, a line each.
    """

    fixations: int
    regions: int
    published_fixations: int | None
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Holding:
    """What a folder holds of a dataset.

    Attributes
    ----------
    card : DatasetCard
    path : Path
    splits : mapping
        Split -> how many images; those that are not there are left out.
    parts : tuple of Part
        The parts whose published size is known.
    gives : tuple of texts
        What is known of the images.
    notes : tuple of texts
        What was skipped, and why.
    unused : int
        Pictures beside the images that belong to none of them, where no note tells of them.
    error : str
        Why nothing of it can be opened, or empty.
    truth : Truth, optional
        If everything was read.
    """

    card: DatasetCard
    path: Path
    splits: dict[str, int] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    gives: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unused: int = 0
    error: str = ""
    truth: Truth | None = None


def inspect(name: str, path: Path, *, read_all: bool = False) -> Holding:
    """Return what a folder holds of a dataset.

    Parameters
    ----------
    name : str
        Of the dataset.
    path : Path
    read_all : bool
        Whether every image and all that is known of it is read, too; otherwise names and lists are looked at.

    Raises
    ------
    UsageError
        If there is no dataset of this name. What is wrong with the folder is said in the result.
    """
    card = dataset_card(name)
    opened: dict[str, Dataset] = {}
    errors: dict[str, str] = {}
    for split in (ALL, *card.splits):
        try:
            opened[split] = open_dataset(f"{name}:{path}", split)
        except SalboxError as error:
            errors[split] = str(error)
    if not opened:
        return Holding(card, path, error=errors[ALL])
    whole = opened.get(ALL) or max(opened.values(), key=len)
    truth = _read(whole) if read_all else None
    # Some splits keep others than "all" does, such as images without truth.
    items = {item.image: item for data in opened.values() for item in data.items}
    splits = {split: len(data) for split, data in opened.items() if split != ALL or len(card.splits) != 1}
    return Holding(
        card,
        path,
        dict(sorted(splits.items(), key=lambda pair: pair[0] == ALL)),
        _parts(card, {split: len(data) for split, data in opened.items()}),
        _gives(whole),
        (*whole.notes, *_outside(whole, read_all)),
        # Where a note tells what was skipped it is not counted again.
        0 if len(whole.notes) > len(misfits(whole)) else _unused(list(items.values())),
        truth=truth,
    )


def _outside(data: Dataset, read_all: bool) -> list[str]:
    """Return a note if many fixations lie outside: of all images if all were read, else of some."""
    if not read_all and "fixations" in data.gives:
        for place in np.unique(np.linspace(0, len(data) - 1, SAMPLED).round().astype(int)).tolist():
            with suppress(SalboxError):  # what is wrong with a file is said where all are read
                data.fixations(place)
    note = outside_note(data, refused=False)
    return [note] if note else []


def _parts(card: DatasetCard, splits: dict[str, int]) -> tuple[Part, ...]:
    if card.name == DUTS.name:
        images = {TRAIN: splits.get("train", 0) + splits.get("held-out", 0), TEST: splits.get("test", 0)}
        return tuple(Part(name, images[name], number) for name, number in DUTS_PARTS.items())
    return tuple(Part(name, splits[name], number) for name, number in card.images.items() if name in splits)


def _gives(data: Dataset) -> tuple[str, ...]:
    found: list[str] = [kind for kind in ("fixations", "mask") if kind in data.gives]
    if "density" in data.gives and "fixations" not in found:
        found.append("density")
    if hasattr(data, "concepts"):
        found.append("concepts")
    return tuple(found)


def _unused(items: list[Item]) -> int:
    used = {file for item in items for file in (item.image, item.density, item.mask) if file is not None}
    folders = {item.image.parent for item in items if item.image.suffix.lower() in SUFFIXES}
    return sum(
        file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file not in used
        for folder in folders
        for file in folder.iterdir()
    )


def _read(data: Dataset) -> Truth:
    counts: Counter[str] = Counter()
    broken = []
    for index, item in enumerate(data.items):
        try:
            data.pixels(index)
            if item.mask is not None:
                data.mask(index)
            data.density(index)
            if item.read_fixations is not None:
                counts["fixations"] += len(data.fixations(index))
            concepts = getattr(data, "concepts", None)
            if concepts is not None:
                counts["regions"] += len(concepts(index))
        except SalboxError as error:
            broken.append(str(error))
    return Truth(counts["fixations"], counts["regions"], data.card.fixations, tuple(broken))
