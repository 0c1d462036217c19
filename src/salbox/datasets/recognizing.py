"""Which dataset a folder holds, by the files that are characteristic of each layout; nothing is read but names.

Where datasets share a layout the names of the images tell which it is, and the folder's own only where these do not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..errors import UsageError
from ..imaging.image import SUFFIXES
from .consistency import is_named
from .dataset import DatasetCard, read_gray
from .known import KNOWN, REPACKED
from .registry import DATASETS, dataset_card

MAX_FOLDERS = 200  # below a folder that are looked into
MAX_NAMES = 20_000  # of a folder's pictures that are compared with a dataset's
MAX_FILES = 20_000  # of a plain folder that are counted
SAMPLED = 12  # pictures of a plain folder that are opened
JUNK = ("__MACOSX",)
FOLDER = "folder"  # the layout that others have too
# These tell nothing by themselves.
GENERIC = frozenset({"images/", "images/*.jpg", "images/*.png", "imgs/", "stimuli/", "maps/", "masks/", "i1.*", "i2.*"})


@dataclass(frozen=True)
class Candidate:
    """A dataset that a folder may hold.

    Attributes
    ----------
    name : str
    root : Path
        The folder to name in NAME:PATH: the one asked about, or one in or around it.
    """

    name: str
    root: Path


def recognize(path: Path) -> list[Candidate]:
    """Return the datasets whose layout a folder has, the likeliest first; empty if there is none.

    The folders in it are looked at too, as archives are unpacked with and without a folder of their own, and, if there
    is nothing, the one that it is in.

    Raises
    ------
    UsageError
        If there is no such folder.
    """
    if not path.is_dir():
        raise UsageError(f"{path}: no such folder")
    found = _matching(path)
    names = {candidate.name for candidate in found}
    found += [c for folder in _folders(path) for c in _matching(folder) if c.name not in names]
    if found:
        return found
    parent = path.resolve().parent
    return [c for c in _matching(parent) if c.name != FOLDER and _belongs(path.resolve(), c)]


def describe(path: Path) -> str:
    """Return one line that says what a folder without a known layout looks like, and what may be done with it."""
    if nearest := _nearest(path):
        return nearest
    pictures, others, arrays = [], 0, 0
    for number, file in enumerate(_files(path)):
        if number == MAX_FILES:
            break
        if file.suffix.lower() in SUFFIXES:
            pictures.append(file)
        elif file.suffix.lower() == ".npy":
            arrays += 1
        else:
            others += 1
    measure = f"salbox evaluate --maps {path} --dataset NAME:PATH"
    if not pictures:
        if arrays:
            return f"a folder of {arrays} arrays, saliency maps perhaps: {measure}"
        return f"neither a dataset that is known nor pictures ({others or 'no'} other files)"
    beside = "to measure, put them into images/ and the truth into fixations/, maps/ or masks/ beside it"
    count = f"{len(pictures)}{' or more' if len(pictures) + arrays + others >= MAX_FILES else ''}"
    if _are_gray(pictures):
        return f"a plain folder of {count} grey pictures, maps or masks: {measure}"
    return f"a plain folder of {count} photos without ground truth: salbox predict {path} -r -m NAMES -o DIR; {beside}"


def _matching(root: Path) -> list[Candidate]:
    found = [
        Candidate(name, root)
        for name, known in KNOWN.items()
        if name in DATASETS and any(all(_exists(root, need) for need in needs) for needs in known.layouts)
    ]
    # What is a layout of its own is no plain folder; pysaliency's files of SALICON are SALICON's.
    names = {candidate.name for candidate in found}
    covered = {FOLDER} if names - {FOLDER} else set()
    covered |= {"pysaliency"} if "salicon-hdf5" in names else set()
    found = [candidate for candidate in found if candidate.name not in covered]
    if len(found) < 2 or not _exists(root, REPACKED[0]):
        return found
    stems = _stems(root / Path(REPACKED[0]).parent)
    fitting = [candidate for candidate in found if _fits(dataset_card(candidate.name), stems)]
    if fitting:
        return fitting
    named = [candidate for candidate in found if _letters(candidate.name) in _letters(root.resolve().name)]
    return named or found


def _stems(folder: Path) -> list[str]:
    """Return the names without suffix of some pictures in a folder."""
    pictures = (file.stem for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    return list(islice(pictures, MAX_NAMES))


def _fits(card: DatasetCard, stems: list[str]) -> bool:
    """Return whether images are named, and no more than, as a dataset's are."""
    published = max(card.images.values(), default=MAX_NAMES)
    is_known = card.names and stems and all(is_named(card, stem) for stem in stems)
    return bool(is_known) and len(set(stems)) <= published


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _exists(root: Path, need: str) -> bool:
    is_folder, pattern = need.endswith("/"), _any_case(need.rstrip("/"))
    if not any(mark in pattern for mark in "*["):
        file = root / pattern
        return file.is_dir() if is_folder else file.exists()
    try:
        return any(not is_folder or file.is_dir() for file in root.glob(pattern))
    except OSError:
        return False


def _any_case(pattern: str) -> str:
    """Return a pattern whose suffix may be in small or large letters, if it stands for any text anyway."""
    stem, dot, suffix = pattern.rpartition(".")
    if not (dot and suffix.isalpha() and "*" in stem.rpartition("/")[2]):
        return pattern
    return stem + dot + "".join(f"[{letter.lower()}{letter.upper()}]" for letter in suffix)


def _belongs(path: Path, candidate: Candidate) -> bool:
    """Return whether a folder is one of those that a layout of the folder around it names."""
    layouts = (need.partition("/")[0] for needs in KNOWN[candidate.name].layouts for need in needs)
    return path.name in layouts


def _nearest(path: Path) -> str:
    """Return what a folder lacks of the layout that it has most of, or nothing if it has less than half of any."""
    best: tuple[float, str, list[str]] = (0.0, "", [])
    for name, known in KNOWN.items():
        for needs in known.layouts if name in DATASETS and name != FOLDER else ():
            missing = [need for need in needs if not _exists(path, need)]
            share = 1 - len(missing) / len(needs)
            if share > best[0] and set(needs) - set(missing) - GENERIC:
                best = (share, name, missing)
    share, name, missing = best
    return f"it looks most like {name}, but {' and '.join(missing)} is not there" if share >= 0.5 else ""


def _folders(path: Path) -> list[Path]:
    with os.scandir(path) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith(".") and e.name not in JUNK)
    return [path / name for name in names[:MAX_FOLDERS]]


def _files(path: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in JUNK)
        yield from (Path(root, file) for file in sorted(files) if not file.startswith(".") and file != "Thumbs.db")


def _are_gray(pictures: list[Path]) -> bool:
    """Return whether pictures, of which a few are opened, have no colours."""
    step = max(1, len(pictures) // SAMPLED)
    gray = 0
    sample = pictures[::step][:SAMPLED]
    for picture in sample:
        try:
            read_gray(picture)
        except (UsageError, ValueError):  # a colour picture, or none that can be read
            continue
        gray += 1
    return gray > len(sample) / 2
