"""iSUN: scenes whose gaze was recorded over the web, with the webcams of those who took part."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from ..errors import UsageError
from ..formats.mat import Struct, array_field, load_variable, records, text_field
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ..system.names import one_form
from ..types import Shape
from ._files import files_by_name
from ._lsun import as_shape, read_gaze
from .dataset import ALL, Dataset, DatasetCard, Item
from .fixations import Fixations
from .layout import find_folder, first_folder, folders, matched

IMAGES = ("images", "image")
FILES = {"train": "training", "val": "validation", "test": "testing"}  # of each split the file and its variable
_JPEG = re.compile(r"\.jpe?g$", re.IGNORECASE)
KNOWN = ("train", "val")  # whose fixations are published
POINTS = ("fixation", "fixations")

CARD = DatasetCard(
    name="isun",
    title="iSUN",
    meaning="Where people looked in free viewing, as their own webcams saw it over the web, far less exactly than in a "
    "laboratory. Positions are taken to count from 1, as MATLAB does: the publishers do not say.",
    layout="images/*.jpg with training.mat, validation.mat and testing.mat; one of the files is enough",
    license="none stated; research use",
    splits={
        "train": "training.mat",
        "val": "validation.mat",
        "test": "testing.mat, images only: their fixations are not published",
    },
    default_split="val",
    images={"train": 6000, "val": 926, "test": 2000},
    paper=Paper(
        title="TurkerGaze: Crowdsourcing saliency with webcam based eye tracking",
        authors="Pingmei Xu, Krista A. Ehinger, Yinda Zhang, Adam Finkelstein, Sanjeev R. Kulkarni, Jianxiong Xiao",
        venue="arXiv:1504.06755",
        year=2015,
        doi="10.48550/arXiv.1504.06755",
        bibtex="""@article{xu2015turkergaze,
  author  = {Xu, Pingmei and Ehinger, Krista A. and Zhang, Yinda and Finkelstein, Adam and Kulkarni, Sanjeev R. and
             Xiao, Jianxiong},
  title   = {{TurkerGaze}: Crowdsourcing saliency with webcam based eye tracking},
  journal = {arXiv preprint arXiv:1504.06755},
  year    = {2015},
  doi     = {10.48550/arXiv.1504.06755}
}""",
    ),
)


def open_isun(path: Path, split: str) -> Dataset:
    """Return a split of iSUN; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds images/ and the .mat files.
    split : {"train", "val", "test", "all"}
        "all" is train and val.
    """
    base = find_folder(path, *((name,) for name in IMAGES)) if path.is_dir() else None
    stimuli = None if base is None else first_folder(base, IMAGES)
    wanted = KNOWN if split == ALL else (split,)
    lists = {part: file for part in wanted if (file := _find(path, f"{FILES[part]}.mat")) is not None}
    if stimuli is None or not lists:
        files = " or ".join(f"{FILES[part]}.mat" for part in wanted)
        raise UsageError(f"{CARD.name}:{path}: expected {IMAGES[0]}/ and {files} there for split '{split}'")
    images = files_by_name(stimuli, SUFFIXES)
    entries: dict[str, tuple[Struct, str]] = {}
    for part, file in lists.items():
        for number, entry in enumerate(records(load_variable(file, (FILES[part],)), str(file)), start=1):
            where = f"{file}: {FILES[part]}({number})"
            name = text_field(entry, "image", where)
            entries[one_form(_JPEG.sub("", name))] = (entry, where)
    what = f"entries of {' and '.join(file.name for file in lists.values())}"
    names, notes = matched(images, entries, what, CARD.name, path, count_images=False)
    has_fixations = split != "test"
    items = [Item(name, images[name], partial(_read, *entries[name]) if has_fixations else None) for name in names]
    return Dataset(CARD, path, split, items, notes)


def _find(path: Path, name: str) -> Path | None:
    return next((folder / name for folder in folders(path) if (folder / name).is_file()), None)


def _read(entry: Struct, where: str, shape: Shape) -> Fixations:
    fixations = read_gaze(array_field(entry, "gaze", where), POINTS, where)
    recorded = (
        as_shape(array_field(entry, "resolution", where), f"{where}: resolution")
        if "resolution" in entry.names
        else shape
    )
    return fixations.resized(recorded, shape)
