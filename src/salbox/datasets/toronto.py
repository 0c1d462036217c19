"""Toronto: 120 photos of streets and rooms, free viewing; the set that AIM was published with."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..formats.mat import load_variable, members
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ..types import Shape
from ._files import files_by_name
from ._marked import from_marked
from .dataset import Dataset, DatasetCard, Item
from .fixations import Fixations
from .layout import expect_folder, matched

STIMULI, FIXATIONS = "Original Image Set", "origfixdata.mat"
VARIABLES = ("white",)

CARD = DatasetCard(
    name="toronto",
    title="Toronto",
    meaning="20 people looked freely at each photo for 4 s; every pixel that was fixated, as one observer. Who looked, "
    "in what order and for how long is published in units of the screen alone, which no one has brought to pixels.",
    layout="Original Image Set/*.jpg and origfixdata.mat (in eyetrackingdata/fixdens)",
    license="none stated; research use",
    splits={"test": "all images"},
    images={"test": 120},
    names=r"\d{1,3}",
    names_text="1 to 120",
    size=(511, 681),
    fixations=11_199,
    paper=Paper(
        title="Saliency based on information maximization",
        authors="Neil D. B. Bruce, John K. Tsotsos",
        venue="Advances in Neural Information Processing Systems 18",
        year=2005,
        doi="",
        bibtex="""@inproceedings{bruce2005saliency,
  author    = {Bruce, Neil D. B. and Tsotsos, John K.},
  title     = {Saliency based on information maximization},
  booktitle = {Advances in Neural Information Processing Systems 18},
  pages     = {155--162},
  year      = {2005}
}""",
    ),
)


def open_toronto(path: Path, split: str) -> Dataset:
    """Return the Toronto set; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that eyetrackingdata.zip was unpacked in, or one within it.
    split : {"test", "all"}
        They are the same.
    """
    folder = expect_folder(path, CARD.name, (STIMULI, FIXATIONS))
    images = files_by_name(folder / STIMULI, SUFFIXES)
    where = str(folder / FIXATIONS)
    marked = enumerate(members(load_variable(folder / FIXATIONS, VARIABLES), where), start=1)
    # Few of the pixels are marked: they are kept, the pictures are not.
    recorded = {str(number): _read(picture, f"{where}: {VARIABLES[0]}{{{number}}}") for number, picture in marked}
    names, notes = matched(images, recorded, f"entries of {FIXATIONS}", CARD.name, path)
    items = [Item(name, images[name], partial(_to_image, *recorded[name])) for name in names]
    return Dataset(CARD, path, split, items, notes)


def _read(picture: Any, where: str) -> tuple[Fixations, Shape]:
    if not isinstance(picture, np.ndarray):
        raise UsageError(f"{where}: expected the picture of fixated pixels")
    return from_marked(picture, picture.shape[:2], where), picture.shape[:2]


def _to_image(fixations: Fixations, recorded: Shape, shape: Shape) -> Fixations:
    return fixations.resized(recorded, shape)
