"""MIT300: the 300 photos of the MIT/Tuebingen saliency benchmark, whose fixations are withheld."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import UsageError
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from .dataset import Dataset, DatasetCard, Item
from .layout import folders, natural

IMAGE = re.compile(r"i\d+")  # their numbers are not padded with zeros

CARD = DatasetCard(
    name="mit300",
    title="MIT300",
    meaning="39 people looked freely at each photo for 3 s; the fixations are kept by the benchmark, which scores maps "
    "that are sent in.",
    layout="BenchmarkIMAGES/i1.jpg to i300.jpg",
    license="none stated; research use",
    splits={"test": "all images, without ground truth"},
    images={"test": 300},
    pixels_per_degree=35.0,
    paper=Paper(
        title="A benchmark of computational models of saliency to predict human fixations",
        authors="Tilke Judd, Frédo Durand, Antonio Torralba",
        venue="MIT technical report MIT-CSAIL-TR-2012-001",
        year=2012,
        doi="",
        bibtex="""@techreport{judd2012benchmark,
  author      = {Judd, Tilke and Durand, Fr{\\'e}do and Torralba, Antonio},
  title       = {A benchmark of computational models of saliency to predict human fixations},
  institution = {Massachusetts Institute of Technology},
  number      = {MIT-CSAIL-TR-2012-001},
  year        = {2012}
}""",
    ),
)


def open_mit300(path: Path, split: str) -> Dataset:
    """Return MIT300's images; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds BenchmarkIMAGES/, or the images themselves.
    split : {"test", "all"}
        They are the same.
    """
    if not path.is_dir():
        raise UsageError(f"{CARD.name}:{path}: no such folder; expected one that holds {CARD.layout}")
    for folder in folders(path):
        found = {p.stem: p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and IMAGE.fullmatch(p.stem)}
        if found:
            items = [Item(name, found[name]) for name in sorted(found, key=natural)]
            return Dataset(CARD, path, split, items)
    raise UsageError(f"{CARD.name}:{path}: expected {CARD.layout} there or in a folder within")
