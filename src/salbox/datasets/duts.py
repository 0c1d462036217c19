"""DUTS: photos with the pixels of the salient objects, 10,553 to train on and 5,019 to test on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import UsageError
from ..models.cards import Paper
from ._pairs import pairs
from .dataset import Dataset, DatasetCard, Item
from .layout import find_folder

TRAIN, TEST = "DUTS-TR", "DUTS-TE"
HELD_OUT_PARTS = 18  # one part in so many is held out

# Of DUTS-TR: their masks are known to be bad (each has a stray photo beside it).
BAD_MASKS = frozenset({"ILSVRC2014_train_00023530", "n01532829_13482", "n04442312_17818"})

CARD = DatasetCard(
    name="duts",
    title="DUTS",
    meaning="Salient objects marked by hand, one or several a photo.",
    layout="DUTS-TR/DUTS-TR-Image/*.jpg, DUTS-TR/DUTS-TR-Mask/*.png, and the same with TE; one of them is enough",
    license="research use",
    splits={
        "train": "DUTS-TR but for what is held out",
        "held-out": f"of DUTS-TR the images where the SHA-1 of the file name is divisible by {HELD_OUT_PARTS}",
        "test": "DUTS-TE",
    },
    images={"all": 15_572, "test": 5_019},
    paper=Paper(
        title="Learning to detect salient objects with image-level supervision",
        authors="Lijun Wang, Huchuan Lu, Yifan Wang, Mengyang Feng, Dong Wang, Baocai Yin, Xiang Ruan",
        venue="CVPR 2017",
        year=2017,
        doi="10.1109/CVPR.2017.404",
        bibtex="""@inproceedings{wang2017learning,
  author    = {Wang, Lijun and Lu, Huchuan and Wang, Yifan and Feng, Mengyang and Wang, Dong and Yin, Baocai and
               Ruan, Xiang},
  title     = {Learning to detect salient objects with image-level supervision},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages     = {136--145},
  year      = {2017},
  doi       = {10.1109/CVPR.2017.404}
}""",
    ),
)


def is_held_out(file_name: str) -> bool:
    """Return whether a photo of DUTS-TR, by its file name with suffix, is kept from training."""
    digest = hashlib.sha1(file_name.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    return int(digest, 16) % HELD_OUT_PARTS == 0


def open_duts(path: Path, split: str) -> Dataset:
    """Return a split of DUTS; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds DUTS-TR, DUTS-TE or both, or one of these two, or one around them.
    split : {"train", "held-out", "test", "all"}
    """
    parts = {"train": (TRAIN,), "held-out": (TRAIN,), "test": (TEST,)}.get(split, (TRAIN, TEST))
    items: list[Item] = []
    notes: list[str] = []
    found = [located for part in parts if (located := _locate(path, part)) is not None]
    for folder, part in found:
        of_part, remarks = pairs(folder / f"{part}-Image", folder / f"{part}-Mask")
        good = [item for item in of_part if part != TRAIN or item.name not in BAD_MASKS]
        if len(good) < len(of_part):
            remarks.append(f"{len(of_part) - len(good)} photos whose mask is known to be bad left out")
        items += good
        notes += [f"{part}: {remark}" for remark in remarks]
    if not found:
        expected = " or ".join(f"{part}/{part}-Image with {part}/{part}-Mask" for part in parts)
        raise UsageError(f"{CARD.name}:{path}: expected {expected} there for split '{split}'")
    if split in ("train", "held-out"):
        items = [item for item in items if is_held_out(item.image.name) == (split == "held-out")]
    return Dataset(CARD, path, split, items, notes)


def _locate(path: Path, part: str) -> tuple[Path, str] | None:
    folder = find_folder(path, (f"{part}-Image", f"{part}-Mask")) if path.is_dir() else None
    return None if folder is None else (folder, part)
