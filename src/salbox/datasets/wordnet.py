"""What the objects of DUTS are: many of its photos are ImageNet's and carry in their name a number of WordNet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from ..errors import MissingExtraError, UsageError
from ..metrics.masks import as_mask
from ..types import Shape
from .concepts import ConceptDataset, ConceptItem, ConceptMask, Concepts
from .dataset import Dataset, Item, read_mask
from .duts import CARD as DUTS
from .duts import open_duts

_NUMBER = re.compile(r"n\d{8}(?=_|$)")
_LEMMAS = ("data", "_info", "imagenet_synset_to_lemma.txt")  # within timm

CARD = replace(
    DUTS,
    name="duts-wordnet",
    title="DUTS with what its objects are",
    meaning=f"{DUTS.meaning} The concept of a mask is the WordNet number in the photo's name, such as n01532829; "
    "photos without one are left out.",
    images={},
)


def wordnet_id(name: str) -> str | None:
    """Return the WordNet number that a file's name begins with, such as "n01532829", or None.

    It is the letter of a noun and eight digits: the place of a synset in the files of WordNet 3.0.

    Examples
    --------
    >>> from salbox.datasets.wordnet import wordnet_id
    >>> wordnet_id("n01532829_13482.jpg")
    'n01532829'
    """
    found = _NUMBER.match(Path(name).name)
    return found[0] if found else None


def by_wordnet_id(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Return {number: images}, in ascending order; images without a number in their name are left out."""
    found: dict[str, list[Item]] = {}
    for item in items:
        if number := wordnet_id(item.name):
            found.setdefault(number, []).append(item)
    return dict(sorted(found.items()))


@cache
def lemmas() -> Mapping[str, str]:
    """Return {WordNet number: words, separated by commas} of ImageNet's 21,000 synsets, from timm's own table.

    Raises
    ------
    MissingExtraError
        If timm is not installed.
    """
    spec = find_spec("timm")  # its table is read; timm itself, which loads PyTorch, is not
    table = None if spec is None or spec.origin is None else Path(spec.origin).parent.joinpath(*_LEMMAS)
    if table is None or not table.is_file():
        raise MissingExtraError("WordNet's words", "train")
    lines = (line.split("\t", 1) for line in table.read_text(encoding="utf-8").splitlines())
    return {line[0]: line[1] for line in lines if len(line) == 2}


def words(number: str) -> str:
    """Return the words of a WordNet number, such as "house finch, linnet, Carpodacus mexicanus".

    Raises
    ------
    UsageError
        If the number is not known.
    MissingExtraError
        If timm, whose table is read, is not installed.
    """
    known = lemmas()
    if number not in known:
        raise UsageError(f"no WordNet number '{number}' among ImageNet's {len(known)}")
    return known[number]


def open_duts_wordnet(path: Path, split: str) -> ConceptDataset:
    """Return the photos of a split of DUTS whose name tells what the object is; see `CARD`.

    Parameters
    ----------
    path : Path
    split : str
        As of DUTS.
    """
    return with_wordnet(open_duts(path, split))


def with_wordnet(data: Dataset) -> ConceptDataset:
    """Return the images of a dataset of masks whose name holds a WordNet number, which is the mask's concept."""
    items = [
        ConceptItem(item.name, item.image, mask=item.mask, read_concepts=partial(_concepts, item.mask, number))
        for number, items in by_wordnet_id(data.items).items()
        for item in items
        if item.mask is not None
    ]
    left_out = len(data) - len(items)
    notes = [*data.notes, *([f"{left_out} photos without a WordNet number in their name left out"] if left_out else [])]
    return ConceptDataset(CARD, data.path, data.split, sorted(items, key=lambda item: item.name), notes)


def _concepts(mask: Path, number: str, shape: Shape) -> Concepts:
    pixels = as_mask(read_mask(mask))
    return Concepts(pixels.shape, (ConceptMask(number, pixels),))
