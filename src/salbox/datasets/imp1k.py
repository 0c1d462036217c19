"""Imp1K: what people find important in a thousand designs, the set that UMSI was trained on."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import UsageError
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ..system.names import one_form
from ._files import files_by_name
from .dataset import ALL, Dataset, DatasetCard, Item
from .layout import expect_folder, folder_of, folders, matched

IMAGES, MAPS, SPLITS = "imgs", "maps", "train_test_split_imp1k.json"
MAX_JSON = 16 * 1024**2

CARD = DatasetCard(
    name="imp1k",
    title="Imp1K",
    meaning="25 to 30 people painted over what they found important in each web page, poster, mobile screen, "
    "infographic or advertisement; the map is the mean. No one's gaze was recorded.",
    layout="imgs/ and maps/, files of equal names, perhaps in a folder for each category; for the splits also "
    "train_test_split_imp1k.json",
    license="none stated; research use",
    splits={"train": "as train_test_split_imp1k.json says", "test": "as train_test_split_imp1k.json says"},
    default_split=ALL,
    images={ALL: 1000},
    paper=Paper(
        title="Predicting visual importance across graphic design types",
        authors="Camilo Fosco, Vincent Casser, Amish Kumar Bedi, Peter O'Donovan, Aaron Hertzmann, Zoya Bylinskii",
        venue="UIST 2020",
        year=2020,
        doi="10.1145/3379337.3415825",
        bibtex="""@inproceedings{fosco2020predicting,
  author    = {Fosco, Camilo and Casser, Vincent and Bedi, Amish Kumar and O'Donovan, Peter and Hertzmann, Aaron and
               Bylinskii, Zoya},
  title     = {Predicting visual importance across graphic design types},
  booktitle = {ACM Symposium on User Interface Software and Technology},
  pages     = {249--260},
  year      = {2020},
  doi       = {10.1145/3379337.3415825}
}""",
    ),
)


def open_imp1k(path: Path, split: str) -> Dataset:
    """Return a split of Imp1K, each image with its category where there is a folder for each; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds imgs/ and maps/, or one around it.
    split : {"train", "test", "all"}
    """
    folder = expect_folder(path, CARD.name, (IMAGES, MAPS))
    images, maps = files_by_name(folder / IMAGES, SUFFIXES), files_by_name(folder / MAPS, SUFFIXES)
    names, notes = matched(images, maps, "maps", CARD.name, path)
    if split != ALL:
        in_split = _names_in_split(path, split)
        names = [name for name in names if name in in_split or name.rsplit("/", 1)[-1] in in_split]
        notes = [*notes, f"{len(names)} of the {len(in_split)} images that {SPLITS} lists"]
    items = [Item(name, images[name], density=maps[name], category=folder_of(name)) for name in names]
    return Dataset(CARD, path, split, items, notes)


def _names_in_split(path: Path, split: str) -> frozenset[str]:
    """Return the names, without suffix, that the publishers' list has for a split."""
    file = next((folder / SPLITS for folder in folders(path) if (folder / SPLITS).is_file()), None)
    if file is None:
        raise UsageError(
            f"{CARD.name}:{path}: expected {SPLITS} there for split '{split}'; without it there is '{ALL}'"
        )
    if file.stat().st_size > MAX_JSON:
        raise UsageError(f"{file}: {file.stat().st_size >> 20} MiB, more than two lists of names take")
    try:
        parts = json.loads(file.read_text(encoding="utf-8"))
        names = parts[("train", "test").index(split)]
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{file}: expected two lists of names, those of the train and of the test split")
    paths = [Path(one_form(name)) for name in names]
    return frozenset((p.with_suffix("") if p.suffix.lower() in SUFFIXES else p).as_posix() for p in paths)
