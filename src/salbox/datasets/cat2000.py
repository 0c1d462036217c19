"""CAT2000: photos and drawings of 20 categories, free viewing; of half of the 4,000 the fixations are withheld."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from ..errors import UsageError
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ._files import files_by_name
from ._marked import read_marked
from .dataset import Dataset, DatasetCard, Item
from .layout import find_folder, folder_of, matched, natural

STIMULI, LOCATIONS, MAPS = "Stimuli", "FIXATIONLOCS", "FIXATIONMAPS"
TRAIN, TEST = "trainSet", "testSet"
VARIABLES = ("fixLocs",)
OTHERS_MAPS = "Output"  # a folder of each category, of maps that a model made

# The orientation that these files state is wrong: they lie as they were shown.
NOT_TURNED = frozenset({"Pattern/134"})

CARD = DatasetCard(
    name="cat2000",
    title="CAT2000",
    meaning="18 people (24 for the test images) looked freely at each image for 5 s; every pixel that was fixated, as "
    "one observer: who looked, when and whether twice stands only in allFixData.mat, as a MATLAB object. The images "
    "are padded with grey to 1920x1080.",
    layout="trainSet/Stimuli/<category>/*.jpg with trainSet/FIXATIONLOCS/<category>/*.mat, FIXATIONMAPS or both; "
    "testSet/Stimuli/<category>/*.jpg",
    license="none stated; research use",
    splits={
        "train": "100 images of each category",
        "test": "100 others of each, images only: their fixations are kept by the benchmark",
    },
    default_split="train",
    images={"train": 2000, "test": 2000},
    names=r"[A-Z]\w+/\d{3}",
    names_text="001 to 200 in folders of categories",
    size=(1080, 1920),
    sigma=40.0,
    sigma_width=1920,
    sigma_source="the MIT benchmark's for this set",
    paper=Paper(
        title="CAT2000: A large scale fixation dataset for boosting saliency research",
        authors="Ali Borji, Laurent Itti",
        venue="CVPR 2015 workshop on the future of datasets",
        year=2015,
        doi="10.48550/arXiv.1505.03581",
        bibtex="""@article{borji2015cat2000,
  author  = {Borji, Ali and Itti, Laurent},
  title   = {{CAT2000}: A large scale fixation dataset for boosting saliency research},
  journal = {arXiv preprint arXiv:1505.03581},
  year    = {2015},
  doi     = {10.48550/arXiv.1505.03581}
}""",
    ),
)


def open_cat2000(path: Path, split: str) -> Dataset:
    """Return a split of CAT2000, each image with its category; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds trainSet, testSet or both, or one of these two.
    split : {"train", "test", "all"}
        "all" is the images with fixations, as "train".
    """
    if not path.is_dir():
        raise UsageError(f"{CARD.name}:{path}: no such folder; expected one that holds {CARD.layout}")
    return _open_test(path, split) if split == "test" else _open_train(path, split)


def _open_train(path: Path, split: str) -> Dataset:
    layouts = [(f"{top}{STIMULI}", f"{top}{truth}") for truth in (LOCATIONS, MAPS) for top in (f"{TRAIN}/", "")]
    folder = next((found for layout in layouts if (found := find_folder(path, layout)) is not None), None)
    if folder is None:
        raise UsageError(
            f"{CARD.name}:{path}: expected {TRAIN}/{STIMULI} and {TRAIN}/{LOCATIONS} there for split '{split}'"
        )
    base = folder / TRAIN if (folder / TRAIN / STIMULI).exists() else folder
    images = _of_categories(base / STIMULI, SUFFIXES)
    locations = _of_categories(base / LOCATIONS, (".mat",))
    maps = _of_categories(base / MAPS, SUFFIXES)
    names, notes = matched(images, locations or maps, f"files of {LOCATIONS if locations else MAPS}", CARD.name, path)
    items = [
        Item(
            name,
            images[name],
            partial(read_marked, locations[name], variables=VARIABLES) if locations else None,
            density=maps.get(name),
            category=folder_of(name),
            is_turned=name not in NOT_TURNED,
        )
        for name in names
    ]
    return Dataset(CARD, path, split, items, notes)


def _open_test(path: Path, split: str) -> Dataset:
    folder = find_folder(path, (f"{TEST}/{STIMULI}",))
    base = folder / TEST if folder is not None else path
    if not (base / STIMULI).is_dir() or (base / LOCATIONS).exists():
        raise UsageError(f"{CARD.name}:{path}: expected {TEST}/{STIMULI} there for split '{split}'")
    images = _of_categories(base / STIMULI, SUFFIXES)
    items = [
        Item(name, images[name], category=folder_of(name), is_turned=name not in NOT_TURNED)
        for name in sorted(images, key=natural)
    ]
    return Dataset(CARD, path, split, items)


def _of_categories(folder: Path, suffixes: Collection[str]) -> dict[str, Path]:
    found = files_by_name(folder, suffixes)
    return {name: file for name, file in found.items() if folder_of(name) not in (None, OTHERS_MAPS)}
