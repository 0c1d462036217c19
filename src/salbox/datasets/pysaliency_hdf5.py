"""A dataset that pysaliency wrote: `stimuli.hdf5` and `fixations.hdf5`, or the same of several parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import UsageError, nearest
from ..models.cards import Paper
from ._pysaliency import StoredDataset, read_part
from .dataset import ALL, Dataset, DatasetCard, Item

SUFFIXES = (".hdf5", ".h5")
PARTS = {"train": ("_train",), "val": ("_val", "_validation"), "test": ("_test",)}

CARD = DatasetCard(
    name="pysaliency",
    title="pysaliency's HDF5 files",
    meaning="Where people looked, as pysaliency has it: positions in pixels from 0; whose data it is the files do not "
    "tell.",
    layout="stimuli.hdf5 with fixations.hdf5, or stimuli_train.hdf5 with fixations_train.hdf5 and so on",
    license="the dataset's own",
    splits={part: f"stimuli{names[0]}.hdf5, where there is one" for part, names in PARTS.items()},
    default_split=ALL,
    paper=Paper(
        title="Saliency benchmarking made easy: separating models, maps and metrics",
        authors="Matthias Kümmerer, Thomas S. A. Wallis, Matthias Bethge",
        venue="ECCV 2018",
        year=2018,
        doi="10.1007/978-3-030-01270-0_47",
        bibtex="""@inproceedings{kummerer2018saliency,
  author    = {K{\\"u}mmerer, Matthias and Wallis, Thomas S. A. and Bethge, Matthias},
  title     = {Saliency benchmarking made easy: separating models, maps and metrics},
  booktitle = {European Conference on Computer Vision},
  year      = {2018},
  doi       = {10.1007/978-3-030-01270-0_47}
}""",
    ),
)


def open_pysaliency(path: Path, split: str) -> Dataset:
    """Return what pysaliency wrote; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder of the files, or a file of stimuli; its fixations are in the file whose name has "fixations" where
        its own has "stimuli".
    split : {"train", "val", "test", "all"}
        "all" joins the parts; those without fixations are left out if others have them.
    """
    return open_parts(CARD, path, split, find_parts(CARD.name, path))


def find_parts(name: str, path: Path) -> dict[str, tuple[Path, Path | None]]:
    """Return {part: (file of stimuli, file of fixations or None)}; a single part is called "all".

    Raises
    ------
    UsageError
        If there is none.
    """
    if path.is_file():
        return {ALL: (path, _fixations_of(path))}
    if not path.is_dir():
        raise UsageError(f"{name}:{path}: no such folder; expected one that holds stimuli.hdf5 or stimuli_train.hdf5")
    found: dict[str, tuple[Path, Path | None]] = {}
    for part, endings in {ALL: ("",), **PARTS}.items():
        for file in (path / f"stimuli{ending}{suffix}" for ending in endings for suffix in SUFFIXES):
            if file.is_file():
                found.setdefault(part, (file, _fixations_of(file)))
    if not found:
        raise UsageError(f"{name}:{path}: expected stimuli.hdf5 or stimuli_train.hdf5 in {path}")
    return found


def open_parts(
    card: DatasetCard, path: Path, split: str, parts: Mapping[str, tuple[Path, Path | None]], note: str = ""
) -> Dataset:
    """Return a split of a dataset whose parts are found; raises UsageError if there is no such part."""
    if split == ALL:
        chosen = {part: files for part, files in parts.items() if files[1] is not None} or dict(parts)
        chosen = {ALL: chosen[ALL]} if ALL in chosen else chosen
    elif split in parts:
        chosen = {split: parts[split]}
    else:
        there = ", ".join(parts)
        raise UsageError(f"{card.name}:{path}: no split '{split}' there{nearest(split, parts)} (there are {there})")
    items: list[Item] = []
    notes = [note] if note else []
    for files in chosen.values():
        of_part, remarks = read_part(*files)
        items += of_part
        notes += remarks
        notes += [f"{files[0].name} has no fixations beside it"] if files[1] is None else []
    return StoredDataset(card, path, split, items, notes)


def _fixations_of(stimuli: Path) -> Path | None:
    name = stimuli.name.replace("stimuli", "fixations")
    file = stimuli.with_name(name)
    return file if name != stimuli.name and file.is_file() else None
