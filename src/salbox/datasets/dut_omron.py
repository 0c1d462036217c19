"""DUT-OMRON: 5,168 photos with both, where people looked and which objects are salient."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..formats.mat import as_table, load_variable
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ..types import Shape
from ._files import files_by_name
from ._order import order_of
from ._pairs import MASK_SUFFIXES, pairs
from .dataset import Dataset, DatasetCard, Item
from .fixations import Fixations
from .layout import folders, matched

IMAGES, MASKS, FIXATIONS = "DUT-OMRON-image", "pixelwiseGT-new-PNG", "DUT-OMRON-eye-fixations"
REPACKED = "Imgs"  # photos and masks in one folder, as salient-object programs expect them
PHOTO_SUFFIXES = (".jpg", ".jpeg")
SIZE = 0  # where the observer's number would stand: the row gives the photo's width and height

CARD = DatasetCard(
    name="dut-omron",
    title="DUT-OMRON",
    meaning="5 people looked freely at each photo for 2 s, positions counted from 0, cleaned by the publishers; others "
    "drew boxes around salient objects, whose pixels were then marked by hand. An observer's number may stand for "
    "different people on different photos.",
    layout="DUT-OMRON-image/*.jpg with pixelwiseGT-new-PNG/*.png, DUT-OMRON-eye-fixations/mat/*.mat or both; or "
    "Imgs/*.jpg and *.png",
    license="none stated; research use",
    splits={"test": "all images"},
    images={"test": 5168},
    names=r"[a-z]{2,}_?[\w-]+",
    names_text="letters and a number, such as im005",
    longest=400,
    sigma=16.0,
    sigma_width=400,
    sigma_side="longest",
    sigma_source="MSI-Net's, Kroner et al. 2020; the publishers state none",
    paper=Paper(
        title="Saliency detection via graph-based manifold ranking",
        authors="Chuan Yang, Lihe Zhang, Huchuan Lu, Xiang Ruan, Ming-Hsuan Yang",
        venue="CVPR 2013",
        year=2013,
        doi="10.1109/CVPR.2013.407",
        bibtex="""@inproceedings{yang2013saliency,
  author    = {Yang, Chuan and Zhang, Lihe and Lu, Huchuan and Ruan, Xiang and Yang, Ming-Hsuan},
  title     = {Saliency detection via graph-based manifold ranking},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages     = {3166--3173},
  year      = {2013},
  doi       = {10.1109/CVPR.2013.407}
}""",
    ),
)


def open_dut_omron(path: Path, split: str) -> Dataset:
    """Return DUT-OMRON; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that the archives were unpacked in; or the folder that holds Imgs/.
    split : {"test", "all"}
        They are the same.
    """
    if not path.is_dir():
        raise UsageError(f"{CARD.name}:{path}: no such folder; expected one that holds {CARD.layout}")
    photos = _innermost(path, IMAGES)
    if photos is None:
        repacked = _innermost(path, REPACKED)
        if repacked is None:
            raise UsageError(f"{CARD.name}:{path}: expected {IMAGES} or {REPACKED} there or in a folder within")
        items, notes = pairs(repacked, repacked, PHOTO_SUFFIXES)
        return Dataset(CARD, path, split, items, notes)
    images = files_by_name(photos, SUFFIXES)
    masks = _files(_innermost(path, MASKS), MASK_SUFFIXES)
    looked = {Path(name).name: file for name, file in _files(_innermost(path, FIXATIONS), (".mat",)).items()}
    if not masks and not looked:
        raise UsageError(f"{CARD.name}:{path}: expected {MASKS} or {FIXATIONS} beside {IMAGES}")
    notes, names = [], set(images)
    for truth, what in ((looked, "files of fixations"), (masks, "masks")):
        if truth:
            found, remarks = matched(images, truth, what, CARD.name, path)
            names &= set(found)
            notes += remarks
    items = [
        Item(name, images[name], partial(_read, looked[name]) if looked else None, mask=masks.get(name))
        for name in sorted(names)
    ]
    return Dataset(CARD, path, split, items, notes)


def _innermost(path: Path, name: str) -> Path | None:
    """Return the folder of a name; where there is one in another, as the archives have it, the inner one."""
    return max((f for f in folders(path) if f.name == name), key=lambda f: len(f.parts), default=None)


def _files(folder: Path | None, suffixes: tuple[str, ...]) -> dict[str, Path]:
    return {} if folder is None else files_by_name(folder, suffixes)


def _read(path: Path, shape: Shape) -> Fixations:
    table = as_table(load_variable(path, ("s",)), 3, f"{path}: 's'")
    table = table[np.isfinite(table).all(axis=1)]
    sizes = table[table[:, 2] == SIZE]
    recorded = shape if not len(sizes) or sizes[0, :2].min() < 1 else (int(sizes[0, 1]), int(sizes[0, 0]))
    x, y, subject = table[table[:, 2] != SIZE].T
    return Fixations(x, y, subject - 1, order_of(subject)).resized(recorded, shape)
