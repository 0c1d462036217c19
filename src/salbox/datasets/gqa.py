"""GQA: Visual Genome's photos with scene graphs that were cleaned up, in two parts."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from ..formats.json_entries import JsonEntries, index_entries
from ..models.cards import Paper
from ..types import Shape
from ._scene_boxes import actions, box, numbered_dataset, objects, size_of, texts
from .concepts import ConceptBox, ConceptDataset
from .dataset import ALL, DatasetCard
from .layout import find_folder

GRAPHS = "{}_sceneGraphs.json"
FOLDERS = ("sceneGraphs/", "")

CARD = DatasetCard(
    name="gqa",
    title="GQA",
    meaning="Boxes around things with one name each, attributes and what they do, from Visual Genome's scene graphs.",
    layout="images/*.jpg and sceneGraphs/train_sceneGraphs.json, val_sceneGraphs.json or both",
    license="CC BY 4.0, that of Visual Genome, which it is made from",
    splits={"train": "what train_sceneGraphs.json knows", "val": "what val_sceneGraphs.json knows"},
    default_split=ALL,
    images={"train": 74_942},
    paper=Paper(
        title="GQA: a new dataset for real-world visual reasoning and compositional question answering",
        authors="Drew A. Hudson, Christopher D. Manning",
        venue="CVPR 2019",
        year=2019,
        doi="10.1109/CVPR.2019.00686",
        bibtex="""@inproceedings{hudson2019gqa,
  author    = {Hudson, Drew A. and Manning, Christopher D.},
  title     = {{GQA}: a new dataset for real-world visual reasoning and compositional question answering},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages     = {6700--6709},
  year      = {2019},
  doi       = {10.1109/CVPR.2019.00686}
}""",
    ),
)


def open_gqa(path: Path, split: str) -> ConceptDataset:
    """Return a split of GQA's photos that are at hand; see `CARD`.

    The scene graphs are gone through once; an image's is read when it is asked for.

    Parameters
    ----------
    path : Path
        The folder that holds images/ and sceneGraphs/, or one around it.
    split : {"train", "val", "all"}
        "all" is the parts that are there.
    """
    parts = tuple(CARD.splits) if split == ALL else (split,)
    places = [f"{folder}{GRAPHS.format(part)}" for folder in FOLDERS for part in parts]
    root = find_folder(path, *((place,) for place in places)) if path.is_dir() else None
    if root is None:
        raise UsageError(f"{CARD.name}:{path}: expected {' or '.join(places[: len(parts)])} there")
    found = [root / place for place in places if (root / place).is_file()]
    entries = {file: index_entries(file) for file in found}
    return numbered_dataset(CARD, path, split, root, {f: (e.spans, _Reader(e)) for f, e in entries.items()})


class _Reader:
    """Reads an image's boxes and the size of the image that they are in."""

    def __init__(self, entries: JsonEntries) -> None:
        self.entries = entries

    def __call__(self, number: str) -> tuple[Shape | None, list[ConceptBox]]:
        entry = self.entries.read(number)
        where = f"{self.entries.path}: image {number}"
        boxes = []
        for place, found in objects(entry.get("objects"), where):
            names = texts([found.get("name")])
            if not names:
                raise UsageError(f"{place}: no name")
            boxes.append(box(found, names[0], place, does=actions(found.get("relations"), "name")))
        return size_of(entry, where), boxes
