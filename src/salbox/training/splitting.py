"""Training, validation and test parts by a hash of the photo's name.

With n the SHA-1 of the file's name (suffix included, folders not) as a whole number, a photo is held out for the test
where n % 18 == 0, and validates where it is not held out and n // 18 % 10 == 0: a tenth of the rest. The quotient knows
nothing of the remainder, so the two choices are independent.
"""

from __future__ import annotations

import csv
import hashlib
import io
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
from ..system.names import one_form
from ..types import Pixels

Part = Literal["training", "validation", "test"]
PARTS: tuple[Part, ...] = ("training", "validation", "test")
_OTHER_NAMES: dict[str, Part] = {"train": "training", "val": "validation", "valid": "validation"}

TEST_EVERY = 18
VALIDATION_EVERY = 10
_MAX_BYTES = 100_000_000  # of a split file
_CONTENT = "content"  # the column with a photo's `content_digest`
# A file's name may be no UTF-8: its bytes then stand in the file as they are.
_ERRORS = "surrogateescape"


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
    number = name_number(name)
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

    Of a CSV file other columns do not count. JSON is {name: part} or {part: [names]}. Parts are training, validation
    and test; train and val are understood.

    Raises
    ------
    UsageError
        If it cannot be read, a part does not exist, or a name is given two parts.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path}: more than {_MAX_BYTES // 10**6} MB, not a list of names")
        text = path.read_bytes().decode("utf-8-sig", _ERRORS)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read as a split ({one_line(error)})") from None
    rows = _json_rows(path, text) if path.suffix.lower() == ".json" else _csv_rows(path, text)
    found: dict[str, Part] = {}
    for name, word in rows:
        part = _part(path, name, word)
        if found.setdefault(name, part) != part:
            raise UsageError(f"{path}: '{one_line(name)}' is in two parts, {found[name]} and {part}")
    if not found:
        raise UsageError(f"{path}: names no photo; expected the columns name and part")
    return found


def write_split(path: Path, parts: Mapping[str, Part], contents: Mapping[str, str] | None = None) -> None:
    """Write name -> part as JSON where `path` ends so, else as CSV; `read_split` reads both.

    Parameters
    ----------
    path : Path
    parts : mapping
    contents : mapping, optional
        Name -> the `content_digest` of the photo, a third column of a CSV file.
    """
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", errors=_ERRORS, newline="") as file:
        if path.suffix.lower() == ".json":
            json.dump({part: [n for n, p in parts.items() if p == part] for part in PARTS}, file, indent=1)
        else:
            # Readers take a bare carriage return for a line end, and the csv module quotes none.
            quoting: Any = csv.QUOTE_ALL if any("\r" in name for name in parts) else csv.QUOTE_MINIMAL
            writer = csv.writer(file, lineterminator="\n", quoting=quoting)
            writer.writerow(["name", "part", *([] if contents is None else [_CONTENT])])
            writer.writerows(
                [name, part, *([] if contents is None else [contents.get(name, "")])] for name, part in parts.items()
            )


def name_number(name: str) -> int:
    """Return the hash of a file's name as a whole number, which all choices of parts are made by."""
    return int(hashlib.sha1(name.encode("utf-8", _ERRORS), usedforsecurity=False).hexdigest(), 16)


def _fill_empty(parts: dict[str, Part]) -> dict[str, Part]:
    """Give each empty part a photo of the fullest one, if there are as many photos as parts."""
    while len(parts) >= len(PARTS) and (empty := [p for p in PARTS if p not in parts.values()]):
        fullest = max(PARTS, key=list(parts.values()).count)
        moved = min((key for key, part in parts.items() if part == fullest), key=name_number)
        parts[moved] = empty[-1]
    return parts


def _by_choice(photos: Sequence[ImageFile], chosen: Mapping[str, Part]) -> tuple[dict[str, Part], tuple[str, ...]]:
    parts: dict[str, Part] = {}
    used: set[str] = set()
    by_form = {one_form(name): name for name in chosen}
    exact = {name for photo in photos for name in _names_of(photo)} & chosen.keys()
    for photo in photos:
        key, called = photo_key(photo), _names_of(photo)
        # As it is written, or else with the accents in another form, if that is no other photo's name.
        names = called & chosen.keys() or {by_form.get(one_form(name), "") for name in called} - exact - {""}
        used |= names
        if len({chosen[name] for name in names}) > 1:
            raise UsageError(f"{photo.path}: the split names it as {' and '.join(sorted(names))}, in different parts")
        if names:
            parts[key] = chosen[names.pop()]
    if not parts:
        first = ", ".join(one_line(name, 80) for name in list(chosen)[:3])
        raise UsageError(f"the split names none of the {len(photos)} photos (it has {first}, ..)")
    return parts, tuple(name for name in chosen if name not in used)


def _names_of(photo: ImageFile) -> set[str]:
    """Return what a split may call a photo: its path without suffix, with it, or the file's name alone."""
    return {photo_key(photo), photo.output.with_name(photo.path.name).as_posix(), photo.path.name}


def _part(path: Path, name: str, word: Any) -> Part:
    text = str(word).strip().lower()
    for part in PARTS:
        if text == part or _OTHER_NAMES.get(text) == part:
            return part
    hint = nearest(text, PARTS) if len(text) < 100 else ""
    raise UsageError(
        f"{path}: '{one_line(name, 80)}' is in part '{one_line(word, 80)}'{hint} (parts are {', '.join(PARTS)})"
    )


def _csv_rows(path: Path, text: str) -> Iterable[tuple[str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if not {"name", "part"} <= set(reader.fieldnames or ()):
            expected = "expected a CSV file with the columns name and part, or JSON named .json"
            raise UsageError(f"{path}: cannot be read as a split: {expected}")
        return [(row["name"], row["part"]) for row in reader if row["name"]]
    except csv.Error as error:
        raise UsageError(f"{path}: line {reader.line_num} cannot be read as CSV ({one_line(error)})") from None


def _json_rows(path: Path, text: str) -> Iterable[tuple[str, Any]]:
    try:
        data = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not readable as JSON ({one_line(error)})") from None
    if not isinstance(data, _Pairs):
        raise UsageError(f"{path}: expected {{name: part}} or {{part: [names]}}")
    if all(type(names) is list for _, names in data):
        rows = [(name, part) for part, names in data for name in names]
    else:
        rows = list(data)
    if not all(isinstance(text, str) for row in rows for text in row):
        raise UsageError(f"{path}: expected {{name: part}} or {{part: [names]}}, all of them texts")
    return rows


class _Pairs(list[tuple[str, Any]]):
    """What a JSON object holds, a name that stands there twice included."""
