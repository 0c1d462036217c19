"""KD-SOD80K: 80,000 photos of ImageNet to distil object models on; it has no masks, a teacher gives them."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from ..models.cards import Paper
from ._files import files_by_name
from .dataset import Dataset, DatasetCard, Item
from .layout import find_folder

IMAGES = "image"
PHOTO_SUFFIXES = (".jpg", ".jpeg")

CARD = DatasetCard(
    name="kd-sod80k",
    title="KD-SOD80K",
    meaning="Photos alone: what pixels are the object, a teacher's maps say ('salbox teach', 'salbox distill').",
    layout="image/*.jpg, or the photos themselves; masks beside them are some teacher's and are not read",
    license="ImageNet's terms: research use",
    images={"all": 80_000},
    paper=Paper(
        title="KD-SCFNet: towards more accurate and efficient salient object detection via knowledge distillation",
        authors="Jin Zhang, Qiuwei Liang, Yanjiao Shi",
        venue="arXiv 2208.02178",
        year=2022,
        doi="10.48550/arXiv.2208.02178",
        bibtex="""@misc{zhang2022kdscfnet,
  author        = {Zhang, Jin and Liang, Qiuwei and Shi, Yanjiao},
  title         = {{KD-SCFNet}: towards more accurate and efficient salient object detection via knowledge
                   distillation},
  year          = {2022},
  eprint        = {2208.02178},
  archiveprefix = {arXiv}
}""",
    ),
)


def open_kd_sod80k(path: Path, split: str) -> Dataset:
    """Return the photos of KD-SOD80K; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds image/, or one around it, or that of the photos.
    split : {"all"}
    """
    if not path.is_dir():
        raise UsageError(f"{CARD.name}:{path}: no such folder; expected one that holds {IMAGES}/*.jpg")
    folder = find_folder(path, (IMAGES,))
    photos = files_by_name(path if folder is None else folder / IMAGES, PHOTO_SUFFIXES)
    return Dataset(CARD, path, split, [Item(name, photo) for name, photo in photos.items()])
