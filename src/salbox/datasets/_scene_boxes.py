"""What Visual Genome and GQA share: photos by number, and boxes as their annotations have them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..imaging.image import SUFFIXES
from ..types import Shape
from ._files import files_by_name
from .concepts import ConceptBox, ConceptDataset, ConceptItem, Concepts
from .dataset import DatasetCard

# Where photos are unpacked: the two archives of Visual Genome, and GQA's one.
PHOTO_FOLDERS = ("VG_100K", "VG_100K_2", "images/VG_100K", "images/VG_100K_2", "images2/VG_100K_2", "images")

MAX_NUMBER = 1e9  # pixels, of a side or a position

# A present participle: a vowel in front of "ing" (M. F. Porter, An algorithm for suffix stripping, 1980, step 1b).
_PARTICIPLE = re.compile(r"(?:(?:is|are|was|were) )?([a-z]*[aeiouy][a-z]*ing)(?![a-z])")
_STATES = frozenset(("being", "having", "wearing", "containing", "including", "belonging", "during"))  # nothing is done

# Returns the size that an image's boxes are in, or None where it is not known, and the boxes.
ReadBoxes = Callable[[str], "tuple[Shape | None, list[ConceptBox]]"]


def photos(path: Path) -> dict[str, Path]:
    """Return {number: photo} of all folders that are there."""
    found: dict[str, Path] = {}
    for folder in (path / name for name in PHOTO_FOLDERS):
        if folder.is_dir():
            for name, photo in files_by_name(folder, SUFFIXES).items():
                found.setdefault(Path(name).name, photo)
    return found


def numbered_dataset(
    card: DatasetCard, path: Path, split: str, root: Path, readers: Mapping[Path, tuple[Iterable[str], ReadBoxes]]
) -> ConceptDataset:
    """Return the photos that annotations know, in the order of their numbers.

    Parameters
    ----------
    card, path, split
    root : Path
        The folder of the folders of photos.
    readers : {file: (the numbers of the images it knows, what reads one)}

    Raises
    ------
    UsageError
        If there are no photos.
    """
    images = photos(root)
    if not images:
        raise UsageError(f"{card.name}:{path}: expected photos in {PHOTO_FOLDERS[0]} or {PHOTO_FOLDERS[-1]} in {root}")
    items, notes = [], []
    for file, (numbers, read) in readers.items():
        known = sorted(numbers, key=_as_number)
        present = [number for number in known if number in images]
        items += [
            ConceptItem(number, images[number], read_concepts=partial(_concepts, number, read)) for number in present
        ]
        if len(present) < len(known):
            notes.append(f"{len(present)} of {len(known)} entries of {file.name} present as images, the others skipped")
    return ConceptDataset(card, path, split, items, notes)


def _concepts(number: str, read: ReadBoxes, shape: Shape) -> Concepts:
    recorded, boxes = read(number)
    return Concepts(recorded or shape, tuple(boxes))


def _as_number(text: str) -> tuple[int, str]:
    return (int(text), text) if text.isdecimal() and len(text) < 19 else (-1, text)


def size_of(entry: Mapping[str, Any], where: str) -> Shape | None:
    """Return an entry's (height, width), or None where it has none."""
    if "width" not in entry or "height" not in entry:
        return None
    width, height = (_number(entry, name, where) for name in ("width", "height"))
    if not (width >= 1 and height >= 1):
        raise UsageError(f"{where}: the image's size {width:g} x {height:g} is not positive")
    return int(height), int(width)


def box(
    entry: Mapping[str, Any],
    concept: str,
    where: str,
    synsets: tuple[str, ...] = (),
    does: Iterable[str] = (),
) -> ConceptBox:
    """Return an object with x, y, w, h; raises UsageError if they are no numbers.

    What it does counts as its attribute: where annotators said so of a thing by itself, attributes hold it already.
    """
    x, y, width, height = (_number(entry, name, where) for name in ("x", "y", "w", "h"))
    attributes = tuple(dict.fromkeys((*texts(entry.get("attributes")), *does)))
    return ConceptBox(concept, x, y, width, height, attributes, synsets)


def actions(relations: Any, key: str) -> tuple[str, ...]:
    """Return what relations say that their subject does, each once; of what is no list of relations none.

    Parameters
    ----------
    relations : list of mappings
    key : str
        Where each has its predicate.
    """
    if not isinstance(relations, list):
        return ()
    found = (action(relation.get(key)) for relation in relations if isinstance(relation, dict))
    return tuple(dict.fromkeys(word for word in found if word is not None))


def action(predicate: Any) -> str | None:
    """Return what a predicate says that its subject does, "sitting" of "is sitting on"; None where it does nothing.

    It is the present participle that the predicate begins with: as attributes have what a thing does by itself.

    Examples
    --------
    >>> from salbox.datasets._scene_boxes import action
    >>> [action(predicate) for predicate in ("riding", "Sitting  on", "to the left of", "wearing", "ring on")]
    ['riding', 'sitting', None, None, None]
    """
    found = _PARTICIPLE.match(" ".join(predicate.lower().split())) if isinstance(predicate, str) else None
    return None if found is None or found[1] in _STATES else found[1]


def texts(values: Any) -> tuple[str, ...]:
    """Return the texts of a list, in lower case and without spaces at their ends; of anything else none."""
    if not isinstance(values, list):
        return ()
    return tuple(clean for value in values if isinstance(value, str) and (clean := value.strip().lower()))


def objects(values: Any, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (place for messages, object) of a list of objects, or of an object of objects.

    Raises
    ------
    UsageError
        If it is neither.
    """
    members = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else None
    if members is None:
        raise UsageError(f"{where}: expected a list of objects")
    for name, value in members:
        if not isinstance(value, dict):
            raise UsageError(f"{where}: '{name}' is not an object")
        yield f"{where}, object {name}", value


def _number(entry: Mapping[str, Any], name: str, where: str) -> float:
    value = entry.get(name)
    try:
        number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.nan
    if not abs(number) <= MAX_NUMBER:
        raise UsageError(f"{where}: '{name}' is not a number of pixels")
    return number
