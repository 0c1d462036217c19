"""HKU-IS: 4,447 photos with several salient objects each, or objects that touch the border or blend in."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from ..models.cards import Paper
from ..system.names import one_form
from ._pairs import pairs
from .dataset import ALL, Dataset, DatasetCard
from .layout import expect_folder, folders

IMAGES, MASKS = "imgs", "gt"
TOGETHER, PHOTO_SUFFIXES = "Imgs", (".jpg", ".jpeg")  # as collections of several datasets repack it
LISTS = {"train": ("train",), "val": ("val", "valid"), "test": ("test",)}
LIST_SUFFIXES = (".txt", ".lst")
MAX_LIST_BYTES = 16 * 1024**2

CARD = DatasetCard(
    name="hku-is",
    title="HKU-IS",
    meaning="Salient objects marked by hand; photos on which three people agreed.",
    layout="imgs/*.png and gt/*.png, or Imgs/ with photos and masks; for parts of it train.txt, val.txt, test.txt",
    license="research use",
    splits={name: f"the files that {names[0]}.txt lists, where there is one" for name, names in LISTS.items()},
    default_split=ALL,
    names=r"\d{4,5}",
    names_text="numbers of four digits",
    longest=400,
    images={"all": 4_447, "train": 2_500, "val": 500, "test": 1_447},
    paper=Paper(
        title="Visual saliency based on multiscale deep features",
        authors="Guanbin Li, Yizhou Yu",
        venue="CVPR 2015",
        year=2015,
        doi="10.1109/CVPR.2015.7299184",
        bibtex="""@inproceedings{li2015visual,
  author    = {Li, Guanbin and Yu, Yizhou},
  title     = {Visual saliency based on multiscale deep features},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages     = {5455--5463},
  year      = {2015},
  doi       = {10.1109/CVPR.2015.7299184}
}""",
    ),
)


def open_hku_is(path: Path, split: str) -> Dataset:
    """Return a split of HKU-IS; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds imgs/ and gt/, or Imgs/, or one around it.
    split : {"train", "val", "test", "all"}
        All but "all" need a list of files.
    """
    together = next((f for f in folders(path) if _holds_pairs(f / TOGETHER)), None) if path.is_dir() else None
    if together is not None:
        folder = together
        items, notes = pairs(folder / TOGETHER, folder / TOGETHER, PHOTO_SUFFIXES)
    else:
        folder = expect_folder(path, CARD.name, (IMAGES, MASKS), (TOGETHER,))
        items, notes = pairs(folder / IMAGES, folder / MASKS)
    if split != ALL:
        known = _names_in_list(folder, split)
        items = [item for item in items if item.name in known]
        notes += [f"{len(items)} of the {len(known)} listed are there"] if len(items) < len(known) else []
    return Dataset(CARD, path, split, items, notes)


def _holds_pairs(folder: Path) -> bool:
    # On some systems `Imgs` and `imgs` are one folder; the published one holds no .jpg.
    return folder.is_dir() and any(file.suffix.lower() in PHOTO_SUFFIXES for file in folder.iterdir())


def _names_in_list(folder: Path, split: str) -> set[str]:
    """Return the names without suffix that the list of a split holds."""
    files = [folder / f"{name}{suffix}" for name in LISTS[split] for suffix in LIST_SUFFIXES]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        raise UsageError(f"{CARD.name}:{folder}: split '{split}' needs {files[0].name}, a list of file names, there")
    if file.stat().st_size > MAX_LIST_BYTES:
        raise UsageError(f"{file}: {file.stat().st_size:,} bytes, more than a list of file names takes")
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{file}: not a text that can be read; expected a file name a line") from None
    return {Path(one_form(line.split()[0])).stem for line in lines if line.strip()}
