"""ECSSD: 1,000 photos of one salient object or group on a structured ground."""

from __future__ import annotations

from pathlib import Path

from ..models.cards import Paper
from ._pairs import pairs
from .dataset import Dataset, DatasetCard
from .layout import expect_folder

IMAGES, MASKS = "images", "ground_truth_mask"

CARD = DatasetCard(
    name="ecssd",
    title="ECSSD",
    meaning="The object that most of five people chose as the salient one, its pixels marked by hand.",
    layout="images/*.jpg and ground_truth_mask/*.png",
    license="research use",
    splits={"test": "all images"},
    names=r"[01]\d{3}",
    names_text="0001 to 1000",
    longest=400,
    images={"test": 1_000},
    paper=Paper(
        title="Hierarchical image saliency detection on extended CSSD",
        authors="Jianping Shi, Qiong Yan, Li Xu, Jiaya Jia",
        venue="IEEE Transactions on Pattern Analysis and Machine Intelligence 38(4)",
        year=2016,
        doi="10.1109/TPAMI.2015.2465960",
        bibtex="""@article{shi2016hierarchical,
  author  = {Shi, Jianping and Yan, Qiong and Xu, Li and Jia, Jiaya},
  title   = {Hierarchical image saliency detection on extended {CSSD}},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume  = {38},
  number  = {4},
  pages   = {717--729},
  year    = {2016},
  doi     = {10.1109/TPAMI.2015.2465960}
}""",
    ),
)


def open_ecssd(path: Path, split: str) -> Dataset:
    """Return ECSSD; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds images/ and ground_truth_mask/, or one around it.
    split : {"test", "all"}
        They are the same.
    """
    folder = expect_folder(path, CARD.name, (IMAGES, MASKS))
    items, notes = pairs(folder / IMAGES, folder / MASKS)
    return Dataset(CARD, path, split, items, notes)
