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
from ..training.splitting import PARTS, TEST_EVERY, VALIDATION_EVERY, Part, Split, name_number, split
from .fixations import with_fixations
from .plan import Plan, Source


@dataclass(frozen=True)
class Parts:
    """A data set in three, each None where it is empty; `notes` say what a split that was named does not fit."""

    source: Source
    training: Dataset
    validation: Dataset | None
    test: Dataset | None
    notes: tuple[str, ...] = ()

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
        notes = (f"{self.source.name}: {note}" for note in (*self.source.training.notes, *self.notes))
        return [f"{self.source.name}: {numbers} pictures", *notes]


def parts_of(plan: Plan) -> list[Parts]:
    """Return the parts of each of a plan's data sets.

    Raises
    ------
    UsageError
        If a data set leaves nothing to train on, or its fixations cannot be what they should.
    """
    usable = [with_fixations(source) if "fixations" in plan.given else source for source in plan.sources]
    return [_parts(source, _names_of(source, plan), plan.held_out) for source in usable]


def _names_of(source: Source, plan: Plan) -> Mapping[str, Part] | None:
    """Return what a split says of a data set: of several, names that begin with its own, as runs write them."""
    if plan.chosen is None or len(plan.sources) == 1:
        return plan.chosen
    fronts = tuple(f"{each.name}/" for each in plan.sources)
    front = f"{source.name}/"
    own = {name.removeprefix(front): part for name, part in plan.chosen.items() if name.startswith(front)}
    return own | {name: part for name, part in plan.chosen.items() if not name.startswith(fronts)}


def _parts(source: Source, chosen: Mapping[str, Part] | None, held_out: bool) -> Parts:
    data, notes = source.training, list[str]()
    if chosen is not None:
        parts = split(_files(data), chosen)
        part_of, notes = _by_name(data, parts), parts.lines()[1:]
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
    return Parts(source, training, subsets["validation"], test, tuple(notes))


def _training_or_validation(name: str) -> Part:
    return "validation" if name_number(name) // TEST_EVERY % VALIDATION_EVERY == 0 else "training"


def _with_some_validation(data: Dataset, part_of: dict[int, Part]) -> dict[int, Part]:
    """Return the same with one picture to validate on, if none is and there are several."""
    if "validation" in part_of.values() or len(part_of) < 2:
        return part_of
    return {**part_of, min(part_of, key=lambda i: name_number(data.items[i].image.name)): "validation"}


def _by_hash(data: Dataset) -> dict[int, Part]:
    return _by_name(data, split(_files(data)))


def _by_name(data: Dataset, parts: Split) -> dict[int, Part]:
    part_of = parts.part_of()
    return {i: part_of[item.name] for i, item in enumerate(data.items) if item.name in part_of}


def _files(data: Dataset) -> list[ImageFile]:
    return [ImageFile(item.image, Path(item.name)) for item in data.items]
