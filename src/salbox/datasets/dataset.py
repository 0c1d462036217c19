"""A dataset as everything that measures sees it: images, and where people looked or which pixels are the object."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import ImageError, UsageError
from ..formats.npy import read_npy
from ..imaging import gray
from ..imaging.image import MAX_PIXELS, image_shape, read_image, read_unturned
from ..models.cards import Paper
from ..system.contents import content_digests
from ..types import Pixels, Shape
from .fixations import Fixations

Gives = Literal["fixations", "density", "mask"]
ALL = "all"

_SQUARE = 0.1  # log of the ratio of an image's sides; nearer to a square a quarter turn cannot be told

MAX_ITEM_BYTES = 16  # of a number in an array, and more than its head takes

# Called with the image's shape, (H, W); returns its fixations in its pixels.
ReadFixations: TypeAlias = "Callable[[Shape], Fixations]"


@dataclass(frozen=True)
class DatasetCard:
    """What is known of a dataset.

    Attributes
    ----------
    name, title : str
    meaning : str
        What its numbers mean: who looked at what and how, or what was annotated.
    layout : str
        The files that are expected, in one line.
    splits : mapping
        Name -> what it holds. "all" exists besides.
    sigma : float, optional
        Standard deviation in pixels of the Gaussian that makes fixations a density, on images `sigma_width` wide; on
        others it is scaled with the width.
    sigma_side : {"width", "longest"}
        Whether `sigma_width` is of the images' width, or of their longest side where they lie and stand.
    sigma_source : str
        Where sigma is from.
    license : str
    paper : Paper, optional
    images : mapping
        How many images were published: split -> number, for the splits whose number is known.
    fixations : int, optional
        How many fixations were published, of all splits together.
    pixels_per_degree : float, optional
        How many pixels of a stimulus one degree of visual angle covered.
    names, names_text : str
        What the images are called, without suffix: a regular expression, and the same for a reader. Empty where that is
        not known.
    size : (H, W), optional
        Of every image as published, where all have one size.
    longest : int, optional
        The longest side of every image as published, where all have one.
    observers : int, optional
        How many people looked at an image, at most.
    graded_masks : bool
        Whether a mask's grey says how many people chose the pixel, so that there may be none above half of white.
    default_split : str
        What is opened where no split is asked for; if empty, "test" where there is such a split, else "all".
    """

    name: str
    title: str
    meaning: str
    layout: str
    license: str
    paper: Paper | None
    splits: Mapping[str, str] = field(default_factory=dict)
    sigma: float | None = None
    sigma_width: int | None = None
    sigma_side: Literal["width", "longest"] = "width"
    sigma_source: str = ""
    images: Mapping[str, int] = field(default_factory=dict)
    fixations: int | None = None
    pixels_per_degree: float | None = None
    names: str = ""
    names_text: str = ""
    size: Shape | None = None
    longest: int | None = None
    observers: int | None = None
    graded_masks: bool = False
    default_split: str = ""

    @property
    def licence(self) -> str:
        """The field `license`, by the name that it first had."""
        return self.license


@dataclass(frozen=True)
class Item:
    """One image with what is known of it; nothing is read before it is asked for.

    Attributes
    ----------
    name : str
        The file name without suffix; with folders, the path relative to the set's.
    image : Path
    read_fixations : callable, optional
    density, mask : Path, optional
        A picture or array.
    category : str, optional
        The group of images that the publisher puts it in.
    is_turned : bool
        Whether an orientation that the file states is followed; it is not where that is known to be wrong.
    """

    name: str
    image: Path
    read_fixations: ReadFixations | None = None
    density: Path | None = None
    mask: Path | None = None
    category: str | None = None
    is_turned: bool = True


class Dataset:
    """The images of one split of a dataset at hand.

    Parameters
    ----------
    card : DatasetCard
    path : Path
        As it was given.
    split : str
    items : sequence of Item
    notes : texts
        What a reader of figures should know: how many entries had no image, and the like.

    Attributes
    ----------
    allow_outside : bool
        Whether it is measured on however many fixations lie outside their image; by default not.

    Raises
    ------
    UsageError
        If there is no image.
    """

    allow_outside = False

    def __init__(self, card: DatasetCard, path: Path, split: str, items: Sequence[Item], notes: Sequence[str] = ()):
        if not items:
            remarks = f" ({'; '.join(notes)})" if notes else ""
            raise UsageError(f"{card.name}:{path}: no images in split '{split}'{remarks}")
        self.card, self.path, self.split = card, path, split
        self.items, self.notes = tuple(items), tuple(notes)
        self._shapes: dict[int, Shape] = {}
        self._fixations: dict[int, Fixations] = {}
        self._outside: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.items)

    @property
    def gives(self) -> frozenset[Gives]:
        """What is known of every image: "fixations", "density" (also made from fixations), "mask"."""
        found: set[Gives] = set()
        if all(item.read_fixations for item in self.items):
            found |= {"fixations", "density"}
        if all(item.density for item in self.items):
            found.add("density")
        if all(item.mask for item in self.items):
            found.add("mask")
        return frozenset(found)

    def pixels(self, index: int) -> Pixels:
        """Return an image: (H, W, 3) uint8 RGB."""
        item = self.items[index]
        return read_image(item.image) if item.is_turned else read_unturned(item.image)

    def shape(self, index: int) -> Shape:
        """Return an image's (H, W), read from the file's head."""
        if index not in self._shapes:
            item = self.items[index]
            self._shapes[index] = image_shape(item.image, is_turned=item.is_turned)
        return self._shapes[index]

    def fixations(self, index: int) -> Fixations:
        """Return the fixations that lie on an image, in its pixels, counted from 0.

        Raises
        ------
        UsageError
            If the dataset has none, or their file cannot be read.
        """
        if index not in self._fixations:
            item = self.items[index]
            if item.read_fixations is None:
                raise UsageError(f"{self.card.name}: no fixations are known of image '{item.name}'")
            shape = self.shape(index)
            found = item.read_fixations(shape)
            inside = found.inside(shape)
            self._fixations[index], self._outside[index] = inside, len(found) - len(inside)
        return self._fixations[index]

    def outside(self, index: int) -> int:
        """Return how many of an image's fixations lie outside it; raises as `fixations`, which leaves them out."""
        self.fixations(index)
        return self._outside.get(index, 0)

    @property
    def fixations_read(self) -> tuple[int, ...]:
        """The images whose fixations were read so far."""
        return tuple(self._fixations)

    def density(self, index: int) -> npt.NDArray[np.float64] | None:
        """Return the publisher's own density map, (h, w) in any scale, or None where there is none.

        Raises
        ------
        ImageError
            If it cannot be read, or lies on its side.
        """
        path = self.items[index].density
        return None if path is None else _upright(read_gray(path), self.shape(index), path).astype(np.float64)

    def mask(self, index: int) -> npt.NDArray[Any]:
        """Return which pixels belong to the object: (H, W), grey uint8 or bool.

        Raises
        ------
        UsageError
            If there is no mask.
        ImageError
            If it cannot be read as one (see `salbox.imaging.gray.read_mask`), or lies on its side.
        """
        item = self.items[index]
        if item.mask is None:
            raise UsageError(f"{self.card.name}: no mask of image '{item.name}'")
        mask = read_mask(item.mask, is_graded=self.card.graded_masks)
        return _upright(mask, self.shape(index), item.mask)

    def mask_shape(self, index: int) -> Shape:
        """Return a mask's (H, W), of a picture read from the file's head; raises as `mask`."""
        path = self.items[index].mask
        if path is None or path.suffix.lower() == ".npy":
            height, width = self.mask(index).shape
            return height, width
        return image_shape(path)

    def sigma(self, index: int) -> float:
        """Return the density's sigma on an image, in its pixels.

        Raises
        ------
        UsageError
            If the dataset has none of its own.
        """
        if self.card.sigma is None:
            raise UsageError(f"{self.card.name}: no sigma of its own to make a density with; give one (--sigma)")
        side = max(self.shape(index)) if self.card.sigma_side == "longest" else self.shape(index)[1]
        return self.card.sigma * side / (self.card.sigma_width or side)

    def subset(self, indices: Sequence[int], note: str) -> Dataset:
        """Return the dataset with these images only and one more note; what was read is kept."""
        chosen = type(self)(self.card, self.path, self.split, [self.items[i] for i in indices], (*self.notes, note))
        chosen._shapes = {k: self._shapes[i] for k, i in enumerate(indices) if i in self._shapes}
        chosen._fixations = {k: self._fixations[i] for k, i in enumerate(indices) if i in self._fixations}
        chosen._outside = {k: self._outside[i] for k, i in enumerate(indices) if i in self._outside}
        chosen.allow_outside = self.allow_outside
        return chosen

    def fingerprint(self) -> str:
        """Return a text that changes with the images' names, the bytes of all files, and what was read of fixations."""
        named = (path for item in self.items for path in (item.image, item.density, item.mask) if path is not None)
        files = list(dict.fromkeys(named))
        contents = dict(zip(files, content_digests(files), strict=True))
        digest = hashlib.sha256()
        for index, item in enumerate(self.items):
            own = [None if path is None else contents[path] for path in (item.image, item.density, item.mask)]
            digest.update(repr((item.name, item.is_turned, own)).encode())
            if index in self._fixations:
                f = self._fixations[index]
                for values in (f.x, f.y, f.subject, f.order, f.duration):
                    digest.update(b"-" if values is None else values.tobytes())
        return digest.hexdigest()[:16]


def read_gray(path: Path) -> npt.NDArray[Any]:
    """Return a grey picture, (H, W): uint8 as it is stored, deeper ones as float32; a .npy as it is.

    A mask or map stored as RGB with equal channels is grey too.

    Raises
    ------
    ImageError
        If it cannot be read, or is a colour picture.
    """
    if path.suffix.lower() == ".npy":
        values = _read_npy(path)
        return values if values.dtype == np.uint8 else values.astype(np.float32)
    return gray.read_gray(path)


def read_mask(path: Path, *, is_graded: bool = False) -> npt.NDArray[Any]:
    """Return a mask of a picture or a .npy, (H, W); see `salbox.imaging.gray.read_mask`."""
    if path.suffix.lower() == ".npy":
        return gray.as_gray_mask(_read_npy(path), str(path), is_graded=is_graded)
    return gray.read_mask(path, is_graded=is_graded)


def _upright(values: npt.NDArray[Any], shape: Shape, path: Path) -> npt.NDArray[Any]:
    """Return a mask or map as it is.

    Raises
    ------
    ImageError
        If it has the shape of its image turned by a quarter, as of a photo that a camera stored on its side.
    """
    (h, w), (height, width) = values.shape, shape
    is_square = abs(math.log(height / width)) < _SQUARE
    if not is_square and (h < w) != (height < width) and abs(math.log(h * height / (w * width))) < _SQUARE / 2:
        raise ImageError(f"{path}: {w}x{h}, on its side: its image, the right way up, is {width}x{height}")
    return values


def _read_npy(path: Path) -> npt.NDArray[Any]:
    values = read_npy(path, most=MAX_PIXELS * MAX_ITEM_BYTES, error=ImageError)
    values = values[:, :, 0] if values.ndim == 3 and values.shape[2] == 1 else values
    if values.ndim != 2 or not values.size or values.dtype.kind not in "fiub":
        raise ImageError(f"{path}: expected an array of numbers of shape (H, W), got {values.dtype} {values.shape}")
    if values.size > MAX_PIXELS:
        raise ImageError(f"{path}: {values.size} numbers, more than the limit of {MAX_PIXELS}")
    return values
