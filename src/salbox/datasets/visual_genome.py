"""Visual Genome: 108,077 photos with boxes around most of what they show, named by people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..formats.json_entries import JsonEntries, index_entries
from ..models.cards import Paper
from ..types import Shape
from ._scene_boxes import actions, box, numbered_dataset, objects, size_of, texts
from .concepts import ConceptBox, ConceptDataset
from .dataset import DatasetCard
from .layout import expect_folder

# The files that hold boxes and the field with the list: the smallest that is there is read.
GRAPHS = "scene_graphs.json"
SOURCES = {"objects.json": "objects", "attributes.json": "attributes", GRAPHS: "objects"}
ATTRIBUTES, RELATIONS, SIZES = "attributes.json", "relationships.json", "image_data.json"

CARD = DatasetCard(
    name="visual-genome",
    title="Visual Genome",
    meaning="Boxes around things, with the names, attributes, actions and senses of WordNet that people gave them.",
    layout="VG_100K/*.jpg, VG_100K_2/*.jpg, image_data.json and objects.json, attributes.json or scene_graphs.json; "
    "relationships.json for what things do",
    license="CC BY 4.0",
    images={"all": 108_077},
    paper=Paper(
        title="Visual Genome: connecting language and vision using crowdsourced dense image annotations",
        authors="Ranjay Krishna, Yuke Zhu, Oliver Groth, Justin Johnson, Kenji Hata, Joshua Kravitz, Stephanie Chen, "
        "Yannis Kalantidis, Li-Jia Li, David A. Shamma, Michael S. Bernstein, Li Fei-Fei",
        venue="International Journal of Computer Vision 123(1)",
        year=2017,
        doi="10.1007/s11263-016-0981-7",
        bibtex="""@article{krishna2017visual,
  author  = {Krishna, Ranjay and Zhu, Yuke and Groth, Oliver and Johnson, Justin and Hata, Kenji and Kravitz, Joshua
             and Chen, Stephanie and Kalantidis, Yannis and Li, Li-Jia and Shamma, David A. and Bernstein, Michael S.
             and Fei-Fei, Li},
  title   = {Visual {Genome}: connecting language and vision using crowdsourced dense image annotations},
  journal = {International Journal of Computer Vision},
  volume  = {123},
  number  = {1},
  pages   = {32--73},
  year    = {2017},
  doi     = {10.1007/s11263-016-0981-7}
}""",
    ),
)


def open_visual_genome(path: Path, split: str) -> ConceptDataset:
    """Return Visual Genome's photos that are at hand; see `CARD`.

    The files of annotations are gone through once, which takes about 1.5 s for 100 MB; an image's entry is read
    when it is asked for.

    Parameters
    ----------
    path : Path
        The folder that holds the folders of photos and the JSON files, or one around it.
    split : {"all"}
    """
    folder = expect_folder(path, CARD.name, *((name,) for name in SOURCES))
    source = next(folder / name for name in SOURCES if (folder / name).exists())
    entries = index_entries(source)
    reader = _Reader(
        entries,
        _optional(folder / SIZES),
        _optional(folder / ATTRIBUTES) if source.name != ATTRIBUTES else None,
        entries if source.name == GRAPHS else _optional(folder / RELATIONS),
    )
    return numbered_dataset(CARD, path, split, folder, {source: (entries.spans, reader)})


class _Reader:
    """Reads an image's boxes, their attributes and actions, and the size of the image that they are in."""

    def __init__(
        self,
        entries: JsonEntries,
        sizes: JsonEntries | None,
        described: JsonEntries | None,
        related: JsonEntries | None,
    ) -> None:
        self.entries, self.sizes, self.described, self.related = entries, sizes, described, related

    def __call__(self, number: str) -> tuple[Shape | None, list[ConceptBox]]:
        where = f"{self.entries.path}: image {number}"
        held = self.entries.read(number).get(SOURCES[self.entries.path.name])
        attributes, does = self._attributes(number), self._actions(number)
        boxes = []
        for place, found in objects(held, where):
            names = _names(found)
            if names:
                more = attributes.get(_identity(found))
                known = found if more is None else {**found, "attributes": more}
                done = (word for name in _identities(found) for word in does.get(name, ()))
                boxes.append(box(known, names[0], place, texts(found.get("synsets")), done))
        size = None
        if self.sizes is not None and number in self.sizes.spans:
            size = size_of(self.sizes.read(number), f"{self.sizes.path}: image {number}")
        return size, boxes

    def _attributes(self, number: str) -> dict[Any, Any]:
        if self.described is None or number not in self.described.spans:
            return {}
        held = self.described.read(number).get("attributes")
        where = f"{self.described.path}: image {number}"
        return {_identity(found): found.get("attributes") for _, found in objects(held, where)}

    def _actions(self, number: str) -> dict[str, tuple[str, ...]]:
        """Return {object: what relations say that it does}."""
        if self.related is None or number not in self.related.spans:
            return {}
        relations: dict[str, list[Mapping[str, Any]]] = {}
        held = self.related.read(number).get("relationships", [])
        for _, relation in objects(held, f"{self.related.path}: image {number}"):
            relations.setdefault(_subject(relation), []).append(relation)
        return {name: actions(own, "predicate") for name, own in relations.items()}


def _names(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return an object's names; some files hold one, as `name`."""
    return texts(found.get("names")) or texts([found.get("name")])


def _identity(found: Mapping[str, Any]) -> str:
    return str(found.get("object_id", found.get("id")))


def _identities(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return an object's number and those of what was annotated twice and merged with it."""
    merged = found.get("merged_object_ids")
    return (_identity(found), *(map(str, merged) if isinstance(merged, list) else ()))


def _subject(relation: Mapping[str, Any]) -> str:
    """Return the number of the object that a relation is told of; some files hold the object itself."""
    subject = relation.get("subject")
    return _identity(subject) if isinstance(subject, dict) else str(relation.get("subject_id", ""))


def _optional(path: Path, index: Callable[[Path], JsonEntries] = index_entries) -> JsonEntries | None:
    return index(path) if path.is_file() else None
