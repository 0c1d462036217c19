"""Which things a photo shows and where: boxes and masks with a name, of annotated datasets.

They are what the parts of a network, or the places of high saliency, are compared with. Positions are in pixels of the
image at hand, counted from 0, as those of fixations are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import Shape
from .dataset import Dataset, Item

BoolMap = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ConceptBox:
    """A box around one thing.

    Attributes
    ----------
    concept : str
        What it is: a name in lower case.
    x, y, width, height : float
        Its left and top edge and its size in pixels; it may reach beyond the image.
    attributes : texts
        What the annotators said of it, such as "red", and that it does, such as "riding".
    synsets : texts
        The senses of WordNet that the name stands for, such as "tree.n.01", where they are given.
    """

    concept: str
    x: float
    y: float
    width: float
    height: float
    attributes: tuple[str, ...] = ()
    synsets: tuple[str, ...] = ()

    def resized(self, old: Shape, new: Shape) -> ConceptBox:
        """Return the same place after an image of shape `old`, (H, W), was resized to `new`."""
        down, across = new[0] / old[0], new[1] / old[1]
        return replace(self, x=self.x * across, y=self.y * down, width=self.width * across, height=self.height * down)

    def mask(self, shape: Shape) -> BoolMap:
        """Return which pixels of an image of shape (H, W) lie in the box: (H, W) bool.

        A pixel does if its centre does; a box between the centres has the pixel that its own centre lies in. What
        lies beyond the image is cut off.
        """
        mask = np.zeros(shape, np.bool_)
        mask[_covered(self.y, self.height, shape[0]), _covered(self.x, self.width, shape[1])] = True
        return mask


@dataclass(frozen=True, eq=False)
class ConceptMask:
    """The pixels of all things of one kind.

    Attributes
    ----------
    concept : str
        What it is: a name in lower case.
    pixels : (H, W) bool
    attributes, synsets : texts
        As of a `ConceptBox`.
    """

    concept: str
    pixels: BoolMap
    attributes: tuple[str, ...] = ()
    synsets: tuple[str, ...] = ()

    def resized(self, old: Shape, new: Shape) -> ConceptMask:
        """Return the mask for an image of shape `new`, (H, W); `old` is the mask's own."""
        return replace(self, pixels=self.mask(new))

    def mask(self, shape: Shape) -> BoolMap:
        """Return the mask at another size: (H, W) bool; each pixel takes the value at its centre."""
        if self.pixels.shape == shape:
            return self.pixels
        rows, columns = (_centers(n, old) for n, old in zip(shape, self.pixels.shape, strict=True))
        return self.pixels[np.ix_(rows, columns)]


Region: TypeAlias = "ConceptBox | ConceptMask"


@dataclass(frozen=True, eq=False)
class Concepts:
    """What is annotated on one image.

    Attributes
    ----------
    shape : (H, W)
        The size of the image that positions are in.
    regions : tuple of ConceptBox or ConceptMask
        In the order of the annotation; a concept may occur several times.
    """

    shape: Shape
    regions: tuple[Region, ...]

    def __len__(self) -> int:
        return len(self.regions)

    @property
    def names(self) -> tuple[str, ...]:
        """The concepts, each once, in ascending order."""
        return tuple(sorted({region.concept for region in self.regions}))

    def masks(self, shape: Shape | None = None) -> dict[str, BoolMap]:
        """Return {concept: the pixels of all its regions, (H, W) bool}, in ascending order of the names.

        Parameters
        ----------
        shape : (H, W), optional
            Of the masks; by default the image's. Positions are scaled in proportion to the sides.
        """
        size = shape or self.shape
        found: dict[str, BoolMap] = {}
        for region in self.resized(size).regions:
            mask = region.mask(size)
            found[region.concept] = found[region.concept] | mask if region.concept in found else mask
        return dict(sorted(found.items()))

    def resized(self, shape: Shape) -> Concepts:
        """Return the same places on the image resized to `shape`, (H, W)."""
        if shape == self.shape:
            return self
        return Concepts(shape, tuple(region.resized(self.shape, shape) for region in self.regions))


# Called with the image's shape, (H, W); returns what is annotated on it, in its pixels.
ReadConcepts: TypeAlias = "Callable[[Shape], Concepts]"


@dataclass(frozen=True)
class ConceptItem(Item):
    """One image with what is annotated on it; nothing is read before it is asked for."""

    read_concepts: ReadConcepts | None = None


class ConceptDataset(Dataset):
    """A dataset of whose images is known what they show, and where."""

    def concepts(self, index: int) -> Concepts:
        """Return what is annotated on an image, in its pixels.

        Raises
        ------
        UsageError
            If nothing is, or the annotation cannot be read.
        """
        item = self.items[index]
        if not isinstance(item, ConceptItem) or item.read_concepts is None:
            raise UsageError(f"{self.card.name}: no concepts are known of image '{item.name}'")
        shape = self.shape(index)
        return item.read_concepts(shape).resized(shape)


def concept_counts(dataset: ConceptDataset, indices: Sequence[int] | None = None) -> Counter[str]:
    """Return on how many images each concept occurs; by default of all of them, which reads every annotation."""
    counts: Counter[str] = Counter()
    for index in range(len(dataset)) if indices is None else indices:
        counts.update(dataset.concepts(index).names)
    return counts


def _covered(start: float, extent: float, length: int) -> slice:
    """Return the pixels of 0 .. length-1 whose centres lie in [start, start + extent), or the nearest to its middle."""
    first, last = int(np.ceil(start - 0.5)), int(np.ceil(start + extent - 0.5))
    if last <= first:
        first = int(np.floor(start + extent / 2))
        last = first + 1
    return slice(min(max(first, 0), length), min(max(last, 0), length))


def _centers(number: int, length: int) -> npt.NDArray[np.intp]:
    """Return which of `length` pixels the centre of each of `number` pixels falls into, over the same extent."""
    return ((np.arange(number) + 0.5) * (length / number)).astype(np.intp).clip(0, length - 1)
