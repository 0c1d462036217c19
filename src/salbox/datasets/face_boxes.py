"""The faces in EyeCrowd's photos: their boxes, and whether each is seen from the front, the side or the back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from ..errors import UsageError
from ..formats.mat import array_field, load_variable, numbers_field, records, text_field
from ..system.names import one_form
from ..types import Shape
from ._files import base_folder
from .concepts import ConceptBox, ConceptDataset, ConceptItem, Concepts
from .eyecrowd import CARD as EYECROWD
from .eyecrowd import RECORDED, open_eyecrowd

LABELS = "labels.mat"
FACE = "face"
POSES = {"isFrontalFace": "frontal", "isProfileFace": "profile", "isBackFace": "back", "isOccluded": "occluded"}

CARD = replace(
    EYECROWD,
    name="eyecrowd-faces",
    title="EyeCrowd with its faces",
    meaning="Boxes around the faces, marked by hand, and what is known of EyeCrowd besides. Some boxes reach beyond "
    "the photo; whether they count pixels from 0 or 1 is not stated, and 0 is taken.",
    layout="data/stimuli/*.jpg, data/eye/fixations.mat and data/labels.mat",
    images={"all": 500},
    fixations=126_348,
)


def open_face_boxes(path: Path, split: str) -> ConceptDataset:
    """Return a split of EyeCrowd with the faces' boxes; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that holds data/, or data/ itself.
    split : {"train", "test", "all"}
    """
    crowd = open_eyecrowd(path, split)
    faces = read_faces(base_folder(path, (LABELS,), CARD.name, ("data", "")) / LABELS)
    items = [
        ConceptItem(item.name, item.image, item.read_fixations, read_concepts=partial(_concepts, faces[item.name]))
        for item in crowd.items
        if item.name in faces
    ]
    notes = list(crowd.notes)
    if len(items) < len(crowd):
        notes.append(f"{len(crowd) - len(items)} photos without an entry in {LABELS} skipped")
    return ConceptDataset(CARD, path, split, items, notes)


def read_faces(path: Path) -> dict[str, tuple[ConceptBox, ...]]:
    """Return {image's name without suffix: boxes of its faces}, in pixels of the stimulus as published.

    Raises
    ------
    UsageError
        If the file is missing or is something else.
    """
    found: dict[str, tuple[ConceptBox, ...]] = {}
    for number, entry in enumerate(records(load_variable(path, ("labels",)), str(path))):
        where = f"{path}: labels{{{number + 1}}}"
        name = text_field(entry, "img", where)
        boxes = []
        for face in records(array_field(entry, "faces", where), f"{where}.faces"):
            place = f"{where} ({name})"
            sides = [numbers_field(face, side, place) for side in ("left", "top", "width", "height")]
            flags = {pose: numbers_field(face, field, place) for field, pose in POSES.items()}
            if any(len(side) != 1 for side in (*sides, *flags.values())):
                raise UsageError(f"{place}: a face without a box or pose")
            x, y, width, height = (float(side[0]) for side in sides)
            poses = tuple(pose for pose, flag in flags.items() if flag[0])
            boxes.append(ConceptBox(FACE, x, y, width, height, poses))
        found[one_form(Path(name).stem)] = tuple(boxes)
    return found


def _concepts(boxes: tuple[ConceptBox, ...], shape: Shape) -> Concepts:
    return Concepts(RECORDED, boxes)
