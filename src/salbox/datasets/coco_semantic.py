"""Photos of COCO with a class for each pixel: things and stuff."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..imaging.gray import read_class_numbers
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ..types import Shape
from ._files import files_by_name
from ._pairs import MASK_SUFFIXES
from .concepts import ConceptDataset, ConceptItem, ConceptMask, Concepts
from .dataset import ALL, DatasetCard
from .layout import expect_folder

IMAGES, MASKS, CLASSES = "images", "masks", "classes.yaml"
UNLABELED = 0
IGNORED = 255  # by custom, where the list of classes does not name it
MAX_CLASSES_BYTES = 1024**2

_CLASS = re.compile(r"""^\s*(\d{1,6})\s*:\s*(?:"([^"]*)"|'([^']*)'|([^#]*?))\s*(?:#.*)?$""")

CARD = DatasetCard(
    name="coco-semantic",
    title="COCO, semantic masks",
    meaning="The class of each pixel, things and stuff, marked by people; 0 is unlabelled.",
    layout="images/<part>/*.jpg, masks/<part>/*.png whose values are class numbers, and classes.yaml with their names",
    license="annotations CC BY 4.0; photos under their own licences",
    splits={"train": "images/train and images/train2017", "val": "images/val and images/val2017"},
    default_split=ALL,
    paper=Paper(
        title="Panoptic segmentation",
        authors="Alexander Kirillov, Kaiming He, Ross Girshick, Carsten Rother, Piotr Dollár",
        venue="CVPR 2019",
        year=2019,
        doi="10.1109/CVPR.2019.00963",
        bibtex="""@inproceedings{kirillov2019panoptic,
  author    = {Kirillov, Alexander and He, Kaiming and Girshick, Ross and Rother, Carsten and Doll{\\'a}r, Piotr},
  title     = {Panoptic segmentation},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages     = {9404--9413},
  year      = {2019},
  doi       = {10.1109/CVPR.2019.00963}
}""",
    ),
)


def open_coco_semantic(path: Path, split: str) -> ConceptDataset:
    """Return a split of photos with semantic masks; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds images/, masks/ and classes.yaml, or one around it.
    split : {"train", "val", "all"}
    """
    folder = expect_folder(path, CARD.name, (IMAGES, MASKS, CLASSES))
    names = read_classes(folder / CLASSES)
    photos, masks = files_by_name(folder / IMAGES, SUFFIXES), files_by_name(folder / MASKS, MASK_SUFFIXES)
    both = [name for name in photos if name in masks]
    notes = []
    if len(both) < len(photos):
        notes.append(f"{len(photos) - len(both)} photos without a mask skipped")
    if len(both) < len(masks):
        notes.append(f"{len(masks) - len(both)} masks without a photo skipped")
    items = [
        ConceptItem(name, photos[name], read_concepts=partial(_concepts, masks[name], names))
        for name in both
        if split == ALL or re.fullmatch(rf"{split}\d*", name.partition("/")[0])
    ]
    return ConceptDataset(CARD, path, split, items, notes)


def read_classes(path: Path) -> dict[int, str]:
    """Return {number: name in lower case} of a YAML file with a line "number: name" a class; other lines are skipped.

    Raises
    ------
    UsageError
        If there is none, or the file is too large for a list of classes.
    """
    try:
        if path.stat().st_size > MAX_CLASSES_BYTES:
            raise UsageError(f"{path}: {path.stat().st_size:,} bytes, more than a list of classes takes")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from None
    found = [match for line in lines if (match := _CLASS.match(line))]
    names = {int(m[1]): next((text for text in m.groups()[1:] if text), "").strip().lower() for m in found}
    if not names or not all(names.values()):
        raise UsageError(f"{path}: expected a line 'number: name' for each class")
    return names


def _concepts(path: Path, names: dict[int, str], shape: Shape) -> Concepts:
    ids = read_class_numbers(path)
    numbers = [int(n) for n in np.unique(ids)]
    unknown = [n for n in numbers if n not in names and n not in (UNLABELED, IGNORED)]
    if unknown:
        raise UsageError(f"{path}: class {unknown[0]} is not among the {len(names)} of {CLASSES}")
    known = [n for n in numbers if n != UNLABELED and n in names]
    return Concepts(ids.shape, tuple(ConceptMask(names[n], ids == n) for n in known))
