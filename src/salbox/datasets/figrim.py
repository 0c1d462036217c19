"""FIGRIM: scenes looked at in a test of memory, so that the same people saw some of them up to three times."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..formats.mat import Struct, array_field, load_variable, records, table_field, text_field
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ..system.names import one_form
from ..types import Shape
from ._files import files_by_name
from .dataset import ALL, Dataset, DatasetCard, Item
from .fixations import Fixations, pooled
from .layout import find_folder, folder_of, folders, matched

# Of each split the folder of the images and the file of the fixations.
PARTS = {"targets": ("Targets", "allImages_release.mat"), "fillers": ("Fillers", "allImages_fillers.mat")}
VIEWINGS = ("enc", "rec", "rec2")  # the first time, and those when it had to be recognised
RECORDED = (1000, 1000)  # of every published image; positions are in its pixels, from 0

CARD = DatasetCard(
    name="figrim",
    title="FIGRIM",
    meaning="About 16 people looked at each scene for 2 s at a time and said whether they had seen it before; "
    "positions of all fixations, of the up to three times that one of them saw a target. The order starts anew each "
    "time.",
    layout="Targets/<category>/*.jpg with allImages_release.mat, Fillers/<category>/*.jpg with allImages_fillers.mat; "
    "one of them is enough",
    license="none stated; research use",
    splits={"targets": "630 scenes that came again", "fillers": "2,157 scenes that came once"},
    images={"targets": 630, "fillers": 2157},
    fixations=424_712,
    size=RECORDED,
    sigma=33.0,
    sigma_width=RECORDED[1],
    sigma_source="the publishers' own maps",
    paper=Paper(
        title="Intrinsic and extrinsic effects on image memorability",
        authors="Zoya Bylinskii, Phillip Isola, Constance Bainbridge, Antonio Torralba, Aude Oliva",
        venue="Vision Research 116",
        year=2015,
        doi="10.1016/j.visres.2015.03.005",
        bibtex="""@article{bylinskii2015intrinsic,
  author  = {Bylinskii, Zoya and Isola, Phillip and Bainbridge, Constance and Torralba, Antonio and Oliva, Aude},
  title   = {Intrinsic and extrinsic effects on image memorability},
  journal = {Vision Research},
  volume  = {116},
  pages   = {165--178},
  year    = {2015},
  doi     = {10.1016/j.visres.2015.03.005}
}""",
    ),
)


def open_figrim(path: Path, split: str) -> Dataset:
    """Return a split of FIGRIM, each image with its category; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that the archives were unpacked in, with the .mat files there or in a folder within.
    split : {"targets", "fillers", "all"}
    """
    items: list[Item] = []
    notes: list[str] = []
    wanted = PARTS if split == ALL else {split: PARTS[split]}
    for part, (stimuli, file) in wanted.items():
        base = find_folder(path, (stimuli,)) if path.is_dir() else None
        file_list = next((f / file for f in folders(path) if (f / file).is_file()), None) if base is not None else None
        if base is not None and file_list is not None:
            of_part, remarks = _open_part(path, base / stimuli, file_list)
            items += of_part
            notes += [f"{part}: {remark}" for remark in remarks]
    if not items:
        expected = " or ".join(f"{stimuli} with {file}" for stimuli, file in wanted.values())
        raise UsageError(f"{CARD.name}:{path}: expected {expected} there for split '{split}'")
    return Dataset(CARD, path, split, items, notes)


def _open_part(path: Path, folder: Path, file: Path) -> tuple[list[Item], list[str]]:
    images = files_by_name(folder, SUFFIXES)
    by_file = {name.rsplit("/", 1)[-1]: name for name in images}
    entries: dict[str, Struct] = {}
    for number, entry in enumerate(records(load_variable(file, ("allImages",)), str(file)), start=1):
        stem = one_form(Path(text_field(entry, "filename", f"{file}: allImages({number})")).stem)
        entries[by_file.get(stem, stem)] = entry
    names, notes = matched(images, entries, f"entries of {file.name}", CARD.name, path)
    items = [
        Item(
            f"{folder.name}/{name}",
            images[name],
            partial(_read, entries[name], f"{file}: {name}"),
            category=folder_of(name),
        )
        for name in names
    ]
    return items, notes


def _read(entry: Struct, where: str, shape: Shape) -> Fixations:
    observers = []
    for subject, person in enumerate(records(array_field(entry, "userdata", where), where)):
        for viewings in records(array_field(person, "fixations", where), where):
            for viewing in VIEWINGS:
                if viewing in viewings.names:
                    places = table_field(viewings, viewing, where, 2)
                    order = np.flatnonzero(np.isfinite(places).all(axis=1))
                    observers.append(Fixations(places[order, 0], places[order, 1], subject, order))
    return pooled(observers).resized(RECORDED, shape)
