"""PASCAL-S: 850 photos of PASCAL VOC 2010 with both, where people looked and which objects they found salient."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..formats.mat import as_table, load_variable, members
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ..types import Shape
from ._files import files_by_name
from ._lsun import as_shape
from ._order import order_of
from ._pairs import MASK_SUFFIXES, pairs
from .dataset import Dataset, DatasetCard, Item
from .fixations import Fixations
from .layout import expect_folder, find_folder, matched

IMAGES, MASKS, FIXATIONS, SIZES = "imgs/pascal", "masks/pascal", "fixations/pascalFix.mat", "fixations/pascalSize.mat"
HUMAN_MAPS = "pascal/humanFix"
REPACKED = "Imgs"  # photos and masks in one folder, as salient-object programs expect them
PHOTO_SUFFIXES = (".jpg", ".jpeg")
FIRST = 1.0  # the top left pixel is (1, 1), the first observer 1

CARD = DatasetCard(
    name="pascal-s",
    title="PASCAL-S",
    meaning="8 people looked freely at each photo for 2 s; 12 others clicked on the objects they found salient, and a "
    "mask's grey says how many of them chose the object: half of white is the usual threshold. The fixations' file is "
    "of MATLAB 7.3 and takes the extra 'eval' to read.",
    layout="datasets/imgs/pascal/*.jpg with datasets/masks/pascal/*.png, datasets/fixations/pascalFix.mat or both; or "
    "Imgs/*.jpg and *.png",
    license="none stated; research use",
    splits={"test": "all images"},
    images={"test": 850},
    names=r"\d{1,3}",
    names_text="1 to 850",
    longest=500,
    fixations=40_314,
    graded_masks=True,
    paper=Paper(
        title="The secrets of salient object segmentation",
        authors="Yin Li, Xiaodi Hou, Christof Koch, James M. Rehg, Alan L. Yuille",
        venue="CVPR 2014",
        year=2014,
        doi="10.1109/CVPR.2014.43",
        bibtex="""@inproceedings{li2014secrets,
  author    = {Li, Yin and Hou, Xiaodi and Koch, Christof and Rehg, James M. and Yuille, Alan L.},
  title     = {The secrets of salient object segmentation},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages     = {280--287},
  year      = {2014},
  doi       = {10.1109/CVPR.2014.43}
}""",
    ),
)


def open_pascal_s(path: Path, split: str) -> Dataset:
    """Return PASCAL-S; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that salObj.zip was unpacked in, or one within it; or the folder that holds Imgs/.
    split : {"test", "all"}
        They are the same.
    """
    base = expect_folder(path, CARD.name, (IMAGES,), (REPACKED,))
    if not (base / IMAGES).is_dir():
        items, notes = pairs(base / REPACKED, base / REPACKED, PHOTO_SUFFIXES)
        return Dataset(CARD, path, split, items, notes)
    images, masks = files_by_name(base / IMAGES, SUFFIXES), files_by_name(base / MASKS, MASK_SUFFIXES)
    looked = _Looked(base / FIXATIONS, base / SIZES) if (base / FIXATIONS).is_file() else None
    if not masks and looked is None:
        raise UsageError(f"{CARD.name}:{path}: expected {MASKS} or {FIXATIONS} beside {IMAGES}")
    names, notes = matched(images, masks or images, "masks" if masks else "photos", CARD.name, path)
    human = find_folder(path, (HUMAN_MAPS,))
    maps = {} if human is None else files_by_name(human / HUMAN_MAPS, SUFFIXES)
    items = [
        Item(
            name,
            images[name],
            None if looked is None else partial(looked.read, name),
            density=maps.get(name),
            mask=masks.get(name),
        )
        for name in names
    ]
    return Dataset(CARD, path, split, items, notes)


class _Looked:
    """The file of all fixations, read when the first are asked for."""

    def __init__(self, path: Path, sizes: Path) -> None:
        self._path, self._sizes_path = path, sizes

    @cached_property
    def _entries(self) -> list[Any]:
        return list(members(load_variable(self._path, ("fixCell",)), str(self._path)))

    @cached_property
    def _sizes(self) -> Any:
        """Return the heights and widths of the photos that positions are in, (N, 2), or None where there is no file."""
        if not self._sizes_path.is_file():
            return None
        sizes = load_variable(self._sizes_path, ("sizeData",))
        sizes = sizes.T if sizes.ndim == 2 and sizes.shape[0] == 2 else sizes
        return as_table(sizes, 2, f"{self._sizes_path}: sizeData")

    def read(self, name: str, shape: Shape) -> Fixations:
        """Return the fixations on the photo of this name, which is its number in the file."""
        if not name.isdecimal() or not 1 <= int(name) <= len(self._entries):
            raise UsageError(f"{self._path}: holds {len(self._entries)} entries, and none for the photo '{name}'")
        number = int(name) - 1
        where = f"{self._path}: fixCell{{{name}}}"
        table = as_table(self._entries[number], 3, where)  # y, x, observer
        recorded = shape
        if self._sizes is not None and number < len(self._sizes):
            recorded = as_shape(self._sizes[number], f"{self._sizes_path}: sizeData of '{name}'")
        y, x, subject = (table[np.isfinite(table).all(axis=1)] - FIRST).T
        fixations = Fixations(x, y, subject, order_of(subject))
        return fixations.resized(recorded, shape)
