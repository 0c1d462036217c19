"""Which pictures of a data set train, validate and test.

What is kept for tests is so kept; of the rest a tenth, by the hash of the file's name, validates. Of a data set that
keeps nothing an eighteenth is held out, by the same hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..datasets import Dataset
from ..errors import UsageError
from ..imaging.inputs import ImageFile
from ..training.splitting import PARTS, TEST_EVERY, VALIDATION_EVERY, Part, name_number, split
from .plan import Plan, Source


@dataclass(frozen=True)
class Parts:
    """A data set in three, each None where it is empty."""

    source: Source
    training: Dataset
    validation: Dataset | None
    test: Dataset | None

    @property
    def datasets(self) -> dict[Part, Dataset]:
        """The parts that are not empty."""
        found: dict[Part, Dataset | None] = {
            "training": self.training,
            "validation": self.validation,
            "test": self.test,
        }
        return {part: data for part, data in found.items() if data is not None}

    def lines(self) -> list[str]:
        """Return in words how many pictures there are in each part, and what is known of the data set's files."""
        numbers = ", ".join(f"{len(self.datasets.get(part, ()))} {part}" for part in PARTS)
        return [
            f"{self.source.name}: {numbers} pictures",
            *(f"{self.source.name}: {note}" for note in self.training.notes),
        ]


def parts_of(plan: Plan) -> list[Parts]:
    """Return the parts of each of a plan's data sets.

    Raises
    ------
    UsageError
        If a data set leaves nothing to train on.
    """
    return [_parts(source, plan.chosen, plan.held_out) for source in plan.sources]


def _parts(source: Source, chosen: Mapping[str, Part] | None, held_out: bool) -> Parts:
    data = source.training
    if chosen is not None:
        part_of = _by_choice(data, chosen)
    elif source.test is not None or not held_out:
        part_of = {i: _training_or_validation(item.image.name) for i, item in enumerate(data.items)}
        part_of = _with_some_validation(data, part_of)
    else:
        part_of = _by_hash(data)
    found = {part: [i for i in range(len(data)) if part_of.get(i) == part] for part in PARTS}
    if not found["training"]:
        raise UsageError(f"{source.name}: no picture is left to train on")
    subsets = {part: data.subset(indices, f"the {part} part") if indices else None for part, indices in found.items()}
    training = subsets["training"]
    assert training is not None  # noqa: S101  # it is not empty
    test = source.test if source.test is not None and chosen is None else subsets["test"]
    return Parts(source, training, subsets["validation"], test)


def _training_or_validation(name: str) -> Part:
    return "validation" if name_number(name) // TEST_EVERY % VALIDATION_EVERY == 0 else "training"


def _with_some_validation(data: Dataset, part_of: dict[int, Part]) -> dict[int, Part]:
    """Return the same with one picture to validate on, if none is and there are several."""
    if "validation" in part_of.values() or len(part_of) < 2:
        return part_of
    return {**part_of, min(part_of, key=lambda i: name_number(data.items[i].image.name)): "validation"}


def _by_hash(data: Dataset) -> dict[int, Part]:
    parts = split(_files(data)).part_of()
    return {i: parts[item.name] for i, item in enumerate(data.items)}


def _by_choice(data: Dataset, chosen: Mapping[str, Part]) -> dict[int, Part]:
    parts = split(_files(data), chosen).part_of()
    return {i: parts[item.name] for i, item in enumerate(data.items) if item.name in parts}


def _files(data: Dataset) -> list[ImageFile]:
    return [ImageFile(item.image, Path(item.name)) for item in data.items]
