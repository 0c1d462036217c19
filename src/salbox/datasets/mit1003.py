"""MIT1003: 1,003 photos, free viewing; the largest set with every observer's raw gaze.

Two layouts: the publishers' own archives, and stimuli/ with eye/fixations.mat as NUS-VIP/ksvd-saliency has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..formats.mat import array_field, load_variable, records, table_field
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ..types import Shape
from ._files import files_by_name
from ._gaze import SHORTEST, WIDEST, find_fixations
from ._marked import read_marked
from ._nus import FIXATIONS, find_nus, fixations_by_name, open_nus, to_image
from .dataset import ALL, Dataset, DatasetCard, Item, ReadFixations
from .fixations import Fixations, pooled
from .layout import find_folder, folders, is_junk, matched

STIMULI, MAPS, RAW, POINTS = "ALLSTIMULI", "ALLFIXATIONMAPS", "DATA", "fixations.mat"
MAP_ENDING, POINTS_ENDING = "_fixMap", "_fixPts"
LONGEST = 1024  # side of every published image, in whose pixels positions are
RATE = 240.0  # samples a second
PIXELS_PER_DEGREE = 35.0
PARTS = 10  # by a hash of the name
HELD_OUT, VALIDATION = range(4), range(9, 10)
HASHED_SUFFIX = ".jpg"  # the files of the archives are called .jpeg, the copies .jpg: a photo is of one part in both
MAX_NAME = 63  # characters of a variable's name in MATLAB, which is the file's cut off

CARD = DatasetCard(
    name="mit1003",
    title="MIT1003",
    meaning="15 people looked freely at each photo for 3 s. Of the files at hand the first of these is read: "
    "fixations.mat, as it is; ALLFIXATIONMAPS/*_fixPts.jpg, every pixel that was fixated, as one observer; the raw "
    f"gaze in DATA, in which salbox finds fixations by a rule of its own (at least {SHORTEST:g} ms within {WIDEST:g} "
    "degree across and down, at their median), the first of each observer, who began at the centre, left out.",
    layout="ALLSTIMULI/*.jpeg with fixations.mat, ALLFIXATIONMAPS/*_fixPts.jpg or DATA/<observer>/*.mat; or "
    "stimuli/*.jpg and eye/fixations.mat",
    license="none stated; research use",
    splits={
        "test": "all images",
        "train": f"the images where the SHA-1 of the name with {HASHED_SUFFIX} leaves 4 to 8 when divided by {PARTS}",
        "validation": "those where it leaves 9, to choose settings by",
        "held-out": "those where it leaves 0 to 3, to measure on what was trained on the others",
    },
    images={"test": 1003},
    fixations=104_171,
    names=r"i\w[\w-]*|synthetic\w+",
    names_text="i and a number or a place, such as i1004718142",
    longest=LONGEST,
    observers=15,
    pixels_per_degree=PIXELS_PER_DEGREE,
    sigma=PIXELS_PER_DEGREE,
    sigma_width=LONGEST,
    sigma_side="longest",
    sigma_source="one degree of visual angle; maps of the publishers are read where they are there",
    paper=Paper(
        title="Learning to predict where humans look",
        authors="Tilke Judd, Krista Ehinger, Frédo Durand, Antonio Torralba",
        venue="ICCV 2009",
        year=2009,
        doi="10.1109/ICCV.2009.5459462",
        bibtex="""@inproceedings{judd2009learning,
  author    = {Judd, Tilke and Ehinger, Krista and Durand, Fr{\\'e}do and Torralba, Antonio},
  title     = {Learning to predict where humans look},
  booktitle = {IEEE International Conference on Computer Vision},
  pages     = {2106--2113},
  year      = {2009},
  doi       = {10.1109/ICCV.2009.5459462}
}""",
    ),
)


def open_mit1003(path: Path, split: str) -> Dataset:
    """Return MIT1003; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that the archives were unpacked in, or one that holds stimuli/ and eye/fixations.mat.
    split : {"test", "train", "validation", "held-out", "all"}
        "test" and "all" are the same.
    """
    base = find_folder(path, (STIMULI,)) if path.is_dir() else None
    if base is None and find_nus(path) is not None:
        data = open_nus(CARD, path, split, _belongs(split))
        return Dataset(CARD, path, split, data.items, [f"fixations from {FIXATIONS}", *data.notes])
    if base is None:
        missing = f"expected {STIMULI} there or in a folder within" if path.is_dir() else "no such folder"
        raise UsageError(f"{CARD.name}:{path}: {missing}; it holds {CARD.layout}")
    images = files_by_name(base / STIMULI, SUFFIXES)
    what, truth = _fixations(path)
    names, notes = matched(images, truth, f"entries of {what}", CARD.name, path)
    maps = _by_ending(_folder(path, MAPS), MAP_ENDING)
    belongs = _belongs(split)
    items = [Item(name, images[name], truth[name], density=maps.get(name)) for name in names if belongs(name)]
    return Dataset(CARD, path, split, items, [f"fixations from {what}", *notes])


def part_of(name: str) -> int:
    """Return which of `PARTS` parts an image, by its name without suffix, is of."""
    digest = hashlib.sha1(f"{name}{HASHED_SUFFIX}".encode("utf-8", "surrogateescape"), usedforsecurity=False)
    return int(digest.hexdigest(), 16) % PARTS


def is_test(name: str) -> bool:
    """Return whether an image, by its name without suffix, is of a part that no network is to learn from."""
    return part_of(name) in (*HELD_OUT, *VALIDATION)


def _belongs(split: str) -> Callable[[str], bool]:
    """Return whether an image, by its name without suffix, is of a split."""
    if split in ("test", ALL):
        return lambda name: True
    if split == "train":
        return lambda name: not is_test(name)
    parts = VALIDATION if split == "validation" else HELD_OUT
    return lambda name: part_of(name) in parts


def _fixations(path: Path) -> tuple[str, Mapping[str, ReadFixations]]:
    """Return what is read, and how the fixations of each image are."""
    points_file = next((f / POINTS for f in folders(path) if (f / POINTS).is_file()), None)
    if points_file is not None:
        entries = fixations_by_name(points_file)
        return POINTS, {name: partial(_to_image, fixations) for name, fixations in entries.items()}
    if marked := _by_ending(_folder(path, MAPS), POINTS_ENDING):
        return f"*{POINTS_ENDING}", {name: partial(read_marked, file) for name, file in marked.items()}
    observers: dict[str, list[tuple[int, Path]]] = {}
    raw = _folder(path, RAW)
    people = sorted(p for p in raw.iterdir() if p.is_dir() and not is_junk(p.name)) if raw is not None else []
    for number, person in enumerate(people):
        for name, file in files_by_name(person, (".mat",)).items():
            observers.setdefault(name, []).append((number, file))
    if observers:
        return "the raw gaze", {name: partial(_from_gaze, files) for name, files in observers.items()}
    raise UsageError(f"{CARD.name}:{path}: expected {POINTS}, {MAPS} or {RAW} beside {STIMULI}")


def _from_gaze(files: Iterable[tuple[int, Path]], shape: Shape) -> Fixations:
    return _to_image(pooled([_of_observer(number, file) for number, file in files]), shape)


def _of_observer(number: int, file: Path) -> Fixations:
    where = str(file)
    recording = next(records(load_variable(file, (file.stem[:MAX_NAME],)), where), None)
    trial = None if recording is None else next(records(array_field(recording, "DATA", where), where), None)
    if trial is None:
        raise UsageError(f"{where}: no recording in it")
    gaze = table_field(trial, "eyeData", where, 2)
    places, durations = find_fixations(gaze, RATE, PIXELS_PER_DEGREE)
    kept = np.arange(1, len(places))  # the first one is where the observer was made to look
    return Fixations(places[1:, 0], places[1:, 1], number, kept, durations[1:])


def _to_image(fixations: Fixations, shape: Shape) -> Fixations:
    """Return them in an image's pixels, which is as large as it was recorded where its longest side is `LONGEST`."""
    return to_image(fixations, None, LONGEST, shape)


def _folder(path: Path, name: str) -> Path | None:
    found = find_folder(path, (name,))
    return None if found is None else found / name


def _by_ending(folder: Path | None, ending: str) -> dict[str, Path]:
    """Return the pictures whose names end so, by the name without the ending.

    The folder also holds a copy of one picture whose name lacks the line before the ending.
    """
    found = {} if folder is None else files_by_name(folder, SUFFIXES)
    return {name.removesuffix(ending): file for name, file in found.items() if name.endswith(ending)}
