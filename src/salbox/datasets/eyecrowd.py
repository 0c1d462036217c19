"""EyeCrowd: 500 photos of crowds, from a few people to hundreds, free viewing."""

from __future__ import annotations

from pathlib import Path

from ..models.cards import Paper
from ._nus import open_nus, split_test
from .dataset import Dataset, DatasetCard

RECORDED = (768, 1024)  # of every published stimulus; positions are in its pixels, whatever the size at hand

CARD = DatasetCard(
    name="eyecrowd",
    title="EyeCrowd",
    meaning="16 students looked freely at each photo for 5 s; positions of all fixations, the first one included.",
    layout="data/stimuli/*.jpg and data/eye/fixations.mat",
    license="MIT",
    splits={"train": "the images whose number does not end in 1", "test": "the images whose number ends in 1"},
    images={"train": 450, "test": 50},
    fixations=126_348,
    names=r"[0-5]\d\d",
    names_text="001 to 500",
    size=RECORDED,
    observers=16,
    sigma=24.0,
    sigma_width=RECORDED[1],
    sigma_source="OSIE's, which is of the same laboratory; the publishers state none",
    paper=Paper(
        title="Saliency in crowd",
        authors="Ming Jiang, Juan Xu, Qi Zhao",
        venue="ECCV 2014",
        year=2014,
        doi="10.1007/978-3-319-10584-0_2",
        bibtex="""@inproceedings{jiang2014saliency,
  author    = {Jiang, Ming and Xu, Juan and Zhao, Qi},
  title     = {Saliency in crowd},
  booktitle = {European Conference on Computer Vision},
  pages     = {17--32},
  year      = {2014},
  doi       = {10.1007/978-3-319-10584-0_2}
}""",
    ),
)


def is_test(name: str) -> bool:
    """Return whether an image, by its name without suffix, is of the test split."""
    return name.endswith("1")


def open_eyecrowd(path: Path, split: str) -> Dataset:
    """Return a split of EyeCrowd; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds data/, data/ itself, or a folder around them.
    split : {"train", "test", "all"}
    """
    return open_nus(CARD, path, split, split_test(CARD, split, is_test))
