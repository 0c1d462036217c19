"""Training, validation and test parts by a hash of the photo's name.

With n the SHA-1 of the file's name (suffix included, folders not) as a whole number, a photo is held out for the test
where n % 18 == 0, and validates where it is not held out and n // 18 % 10 == 0: a tenth of the rest. The quotient knows
nothing of the remainder, so the two choices are independent.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import ImageError, UsageError, name_some, nearest, one_line
from ..imaging.image import read_image
from ..imaging.inputs import ImageFile
from ..imaging.writing import atomic
from ..types import Pixels

Part = Literal["training", "validation", "test"]
PARTS: tuple[Part, ...] = ("training", "validation", "test")
_OTHER_NAMES: dict[str, Part] = {"train": "training", "val": "validation", "valid": "validation"}

TEST_EVERY = 18
VALIDATION_EVERY = 10
_MAX_BYTES = 100_000_000  # of a split file


@dataclass(frozen=True)
class Split:
    """The photos in each part, each in the order given.

    `left_out` are the keys of photos that a split file does not name, `unknown` names of a split file that no photo
    has.
    """

    training: tuple[ImageFile, ...]
    validation: tuple[ImageFile, ...]
    test: tuple[ImageFile, ...]
    left_out: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def photos(self, part: Part) -> tuple[ImageFile, ...]:
        """Return the photos of a part."""
        return {"training": self.training, "validation": self.validation, "test": self.test}[part]

    def part_of(self) -> dict[str, Part]:
        """Return key -> part."""
        return {photo_key(photo): part for part in PARTS for photo in self.photos(part)}

    def lines(self) -> list[str]:
        """Return in words how many photos there are in each part, and what a split file does not fit."""
        lines = [", ".join(f"{len(self.photos(part))} {part}" for part in PARTS) + " photos"]
        if self.left_out:
            number, names = len(self.left_out), name_some(self.left_out)
            lines.append(f"{number} photos that the split does not name are left out: {names}")
        if self.unknown:
            lines.append(f"{len(self.unknown)} names of the split have no photo: {name_some(self.unknown)}")
        return lines


def photo_key(photo: ImageFile) -> str:
    """Return what a photo is called here: its relative path without suffix."""
    return photo.output.as_posix()


def first_pixels(photos: Iterable[ImageFile], most: int) -> list[Pixels]:
    """Return the first so many photos that can be read, (H, W, 3) uint8 each; what cannot be is said elsewhere."""
    found: list[Pixels] = []
    for photo in photos:
        if len(found) == most:
            break
        with suppress(ImageError):
            found.append(read_image(photo.path))
    return found


def part_of_name(name: str) -> Part:
    """Return the part of a photo by the hash of its file's name, suffix included."""
    number = _number(name)
    if number % TEST_EVERY == 0:
        return "test"
    return "validation" if number // TEST_EVERY % VALIDATION_EVERY == 0 else "training"


def split(photos: Sequence[ImageFile], chosen: Mapping[str, Part] | None = None) -> Split:
    """Return the three parts of some photos.

    Parameters
    ----------
    photos : sequence of ImageFile
        As `salbox.imaging.inputs.find_images` gives them.
    chosen : mapping, optional
        Name -> part instead of the hash (see `read_split`); a name is the path without suffix, with it, or the file's
        name alone.

    Returns
    -------
    Split
        By the hash no part is empty if there are three photos or more: in a small folder the photo with the smallest
        hash of its path goes to a part that would be.

    Raises
    ------
    UsageError
        If two names of `chosen` mean one photo and differ, or none of them is a photo's.
    """
    keys = [photo_key(photo) for photo in photos]
    if chosen is None:
        parts = _fill_empty({k: part_of_name(p.path.name) for k, p in zip(keys, photos, strict=True)})
        unknown: tuple[str, ...] = ()
    else:
        parts, unknown = _by_choice(photos, chosen)
    by_part = {part: tuple(p for p in photos if parts.get(photo_key(p)) == part) for part in PARTS}
    return Split(**by_part, left_out=tuple(k for k in keys if k not in parts), unknown=unknown)


def read_split(path: Path) -> dict[str, Part]:
    """Return name -> part of a file: CSV with the columns name and part, or JSON.

    JSON is {name: part} or {part: [names]}. Parts are training, validation and test; train and val are understood.

    Raises
    ------
    UsageError
        If it cannot be read, a part does not exist, or a name is given two parts.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path}: more than {_MAX_BYTES // 10**6} MB, not a list of names")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a split ({one_line(error)})") from None
    rows = _json_rows(path, text) if path.suffix.lower() == ".json" else _csv_rows(path, text)
    found: dict[str, Part] = {}
    for name, word in rows:
        part = _part(path, name, word)
        if found.setdefault(name, part) != part:
            raise UsageError(f"{path}: '{name}' is in two parts, {found[name]} and {part}")
    if not found:
        raise UsageError(f"{path}: names no photo; expected the columns name and part")
    return found


def write_split(path: Path, parts: Mapping[str, Part]) -> None:
    """Write name -> part as JSON where `path` ends so, else as CSV; `read_split` reads both."""
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        if path.suffix.lower() == ".json":
            json.dump({part: [n for n, p in parts.items() if p == part] for part in PARTS}, file, indent=1)
        else:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["name", "part"])
            writer.writerows(parts.items())


def _number(name: str) -> int:
    return int(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(), 16)


def _fill_empty(parts: dict[str, Part]) -> dict[str, Part]:
    """Give each empty part a photo of the fullest one, if there are as many photos as parts."""
    while len(parts) >= len(PARTS) and (empty := [p for p in PARTS if p not in parts.values()]):
        fullest = max(PARTS, key=list(parts.values()).count)
        moved = min((key for key, part in parts.items() if part == fullest), key=_number)
        parts[moved] = empty[-1]
    return parts


def _by_choice(photos: Sequence[ImageFile], chosen: Mapping[str, Part]) -> tuple[dict[str, Part], tuple[str, ...]]:
    parts: dict[str, Part] = {}
    used: set[str] = set()
    for photo in photos:
        key = photo_key(photo)
        names = {key, photo.output.with_name(photo.path.name).as_posix(), photo.path.name} & chosen.keys()
        used |= names
        if len({chosen[name] for name in names}) > 1:
            raise UsageError(f"{photo.path}: the split names it as {' and '.join(sorted(names))}, in different parts")
        if names:
            parts[key] = chosen[names.pop()]
    if not parts:
        raise UsageError(f"the split names none of the {len(photos)} photos (it has {', '.join(list(chosen)[:3])}, ..)")
    return parts, tuple(name for name in chosen if name not in used)


def _part(path: Path, name: str, word: Any) -> Part:
    text = str(word).strip().lower()
    for part in PARTS:
        if text == part or _OTHER_NAMES.get(text) == part:
            return part
    raise UsageError(f"{path}: '{name}' is in part '{word}'{nearest(text, PARTS)} (parts are {', '.join(PARTS)})")


def _csv_rows(path: Path, text: str) -> Iterable[tuple[str, str]]:
    reader = csv.DictReader(text.splitlines())
    if not {"name", "part"} <= set(reader.fieldnames or ()):
        raise UsageError(f"{path}: expected a CSV file with the columns name and part, or JSON named .json")
    return [(row["name"], row["part"]) for row in reader if row["name"]]


def _json_rows(path: Path, text: str) -> Iterable[tuple[str, Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not readable as JSON ({one_line(error)})") from None
    if not isinstance(data, dict):
        raise UsageError(f"{path}: expected {{name: part}} or {{part: [names]}}")
    if all(isinstance(names, list) for names in data.values()):
        return [(str(name), part) for part, names in data.items() for name in names]
    return [(str(name), part) for name, part in data.items()]
