"""The datasets by name. To add one write its file, with a card and a function that opens it, and an entry here."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError, nearest
from ..paths import user_path
from .consistency import misfits
from .dataset import ALL, Dataset, DatasetCard


@dataclass(frozen=True)
class Entry:
    """Where a dataset's adapter is found: "module:attribute"; `opener` takes a path and a split."""

    card: str
    opener: str


DATASETS: dict[str, Entry] = {
    name: Entry(f"salbox.datasets.{name}:CARD", f"salbox.datasets.{name}:open_{name}")
    for name in (
        *("osie", "eyecrowd", "salicon", "cat2000", "mit1003", "mit300", "toronto", "figrim", "isun", "imp1k"),
        *("duts", "ecssd", "folder"),
    )
}
DATASETS |= {
    name: Entry(f"salbox.datasets.{module}:CARD", f"salbox.datasets.{module}:open_{opened}")
    for name, module, opened in (
        ("pascal-s", "pascal_s", "pascal_s"),
        ("dut-omron", "dut_omron", "dut_omron"),
        ("hku-is", "hku_is", "hku_is"),
        ("kd-sod80k", "kd_sod80k", "kd_sod80k"),
        ("pysaliency", "pysaliency_hdf5", "pysaliency"),
        ("salicon-hdf5", "salicon_hdf5", "salicon_hdf5"),
        ("visual-genome", "visual_genome", "visual_genome"),
        ("gqa", "gqa", "gqa"),
        ("coco-semantic", "coco_semantic", "coco_semantic"),
        ("eyecrowd-faces", "face_boxes", "face_boxes"),
        ("duts-wordnet", "wordnet", "duts_wordnet"),
        ("masks", "mask_folder", "mask_folder"),
    )
}


def dataset_card(name: str) -> DatasetCard:
    """Return what is known of a dataset.

    Raises
    ------
    UsageError
        If there is no such dataset; the nearest names are proposed.

    Examples
    --------
    >>> from salbox.datasets import dataset_card
    >>> osie = dataset_card("osie")
    >>> osie.sigma, osie.sigma_width, sum(osie.images.values())
    (24.0, 800, 700)
    """
    card: DatasetCard = _resolve(_entry(name).card)
    return card


def open_dataset(spec: str, split: str | None = None, *, allow_outside: bool = False) -> Dataset:
    """Return a dataset at hand; images are read when they are asked for.

    What does not fit the published dataset, such as more images or other sizes, is among its notes.

    Parameters
    ----------
    spec : str
        "NAME:PATH", with ~ for the home folder.
    split : str, optional
        One of the card's splits, or "all"; by default the card's own default, else "test" where there is such a split,
        else "all".
    allow_outside : bool
        Whether it is measured on however many fixations lie outside their image. More than a tenth is an error else, as
        positions are then likely read in the wrong way.

    Raises
    ------
    UsageError
        For an unknown name or split, or a path that does not hold what is expected, or holds another dataset.

    Examples
    --------
    >>> from salbox.datasets import open_dataset
    >>> len(open_dataset("osie:~/data/OSIE", split="test"))  # doctest: +SKIP
    140
    """
    name, _, path = spec.partition(":")
    card = dataset_card(name)
    if not path:
        raise UsageError(f"dataset '{spec}': expected {name}:PATH, where PATH holds {card.layout}")
    if split is None:
        split = card.default_split or ("test" if "test" in card.splits else ALL)
    if split not in (*card.splits, ALL):
        known = (*card.splits, ALL)
        raise UsageError(f"dataset {name} has no split '{split}'{nearest(split, known)} (there are {', '.join(known)})")
    dataset: Dataset = _resolve(_entry(name).opener)(user_path(path), split)
    dataset.notes = (*dataset.notes, *misfits(dataset))
    dataset.allow_outside = allow_outside
    return dataset


def _entry(name: str) -> Entry:
    if name not in DATASETS:
        raise UsageError(
            f"no dataset '{name}'{nearest(name, DATASETS)} (NAME:PATH, with NAME one of {', '.join(DATASETS)})"
        )
    return DATASETS[name]


def _resolve(path: str) -> Any:
    module, attribute = path.split(":")
    return getattr(importlib.import_module(module), attribute)
