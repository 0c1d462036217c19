"""OSIE: 700 photos of several objects each, free viewing."""

from __future__ import annotations

from pathlib import Path

from ..models.cards import Paper
from ._nus import open_nus, split_test
from .dataset import Dataset, DatasetCard

RECORDED = (600, 800)  # of every stimulus; positions are in its pixels

CARD = DatasetCard(
    name="osie",
    title="OSIE",
    meaning="15 students looked freely at each photo for 3 s; positions of all fixations, the first one included. The "
    "same people looked at the photos of both splits.",
    layout="data/stimuli/*.jpg and data/eye/fixations.mat",
    license="MIT",
    splits={
        "train": "the 560 images whose number does not end in 3 or 7",
        "test": "the 140 images whose number ends in 3 or 7",
    },
    images={"train": 560, "test": 140},
    fixations=98_321,
    names=r"1[0-7]\d\d",
    names_text="1001 to 1700",
    size=RECORDED,
    observers=15,
    sigma=24.0,
    sigma_width=RECORDED[1],
    sigma_source="the publishers' own maps",
    paper=Paper(
        title="Predicting human gaze beyond pixels",
        authors="Juan Xu, Ming Jiang, Shuo Wang, Mohan S. Kankanhalli, Qi Zhao",
        venue="Journal of Vision 14(1):28",
        year=2014,
        doi="10.1167/14.1.28",
        bibtex="""@article{xu2014predicting,
  author  = {Xu, Juan and Jiang, Ming and Wang, Shuo and Kankanhalli, Mohan S. and Zhao, Qi},
  title   = {Predicting human gaze beyond pixels},
  journal = {Journal of Vision},
  volume  = {14},
  number  = {1},
  pages   = {28},
  year    = {2014},
  doi     = {10.1167/14.1.28}
}""",
    ),
)


def is_test(name: str) -> bool:
    """Return whether an image, by its name without suffix, is of the test split."""
    return name.endswith(("3", "7"))


def open_osie(path: Path, split: str) -> Dataset:
    """Return a split of OSIE; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds data/, data/ itself, or a folder around them.
    split : {"train", "test", "all"}
    """
    return open_nus(CARD, path, split, split_test(CARD, split, is_test))
