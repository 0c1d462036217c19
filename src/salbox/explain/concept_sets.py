"""The photos with named regions that activations are compared with, of one or several data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..datasets import ALL, open_dataset
from ..datasets.concepts import ConceptDataset, Concepts
from ..errors import UsageError
from ..types import Pixels


@dataclass(frozen=True)
class Photos:
    """The photos of several data sets in one row, each with what is annotated on it.

    Attributes
    ----------
    datasets : tuple of ConceptDataset
    places : tuple of (int, int)
        Of each photo the data set and the place in it.
    """

    datasets: tuple[ConceptDataset, ...]
    places: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.places)

    def name(self, index: int) -> str:
        """Return a photo's name, with its data set's in front."""
        data, place = self._at(index)
        return f"{data.card.name}/{data.items[place].name}"

    def path(self, index: int) -> Path:
        """Return a photo's file."""
        data, place = self._at(index)
        return data.items[place].image

    def pixels(self, index: int) -> Pixels:
        """Return a photo: (H, W, 3) uint8 RGB."""
        data, place = self._at(index)
        return data.pixels(place)

    def concepts(self, index: int) -> Concepts:
        """Return what is annotated on a photo, in its pixels."""
        data, place = self._at(index)
        return data.concepts(place)

    def identity(self) -> list[list[object]]:
        """Return what tells these photos from others, ready for JSON."""
        return [
            [data.card.name, str(data.path.resolve()), sum(which == number for which, _ in self.places)]
            for number, data in enumerate(self.datasets)
        ]

    def _at(self, index: int) -> tuple[ConceptDataset, int]:
        which, place = self.places[index]
        return self.datasets[which], place


def open_photos(specs: Sequence[str], limit: int | None = None) -> Photos:
    """Return the photos of data sets that name what they show, each "NAME:PATH".

    Parameters
    ----------
    specs : texts
        "visual-genome", "gqa", "coco-semantic", "duts-wordnet", "eyecrowd-faces" and where they are; "masks:DIR" for a
        folder of one's own.
    limit : int, optional
        Only so many photos of each, evenly spaced.

    Raises
    ------
    UsageError
        If a data set is not there or names nothing.
    """
    if not specs:
        raise UsageError("no concepts: give --concepts NAME:PATH, such as coco-semantic:~/data/coco")
    opened = tuple(_opened(spec) for spec in specs)
    places = []
    for number, data in enumerate(opened):
        count = len(data) if limit is None else min(limit, len(data))
        places += [(number, i * len(data) // count) for i in range(count)]
    return Photos(opened, tuple(places))


def _opened(spec: str) -> ConceptDataset:
    data = open_dataset(spec, ALL)
    if not isinstance(data, ConceptDataset):
        raise UsageError(
            f"{data.card.name}: does not name what its photos show ('salbox datasets' lists those that do)"
        )
    return data
