"""Regions as people give them: in an argument, a table, a JSON file or a folder of masks."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError, name_some, one_line
from ..formats.files import file_content
from ..formats.tables import read_table
from ..imaging.image import SUFFIXES
from ..paths import user_path
from .box import Box
from .region_shares import Area

MAX_BYTES = 16 * 1024**2  # of a file of regions
MAX_REGIONS = 10_000
_COLUMNS = {"x": ("x", "left"), "y": ("y", "top"), "width": ("width", "w"), "height": ("height", "h")}
_NAMES, _IMAGES = ("name", "region", "label"), ("image", "file", "source")
_ARGUMENT = re.compile(r"\s*\d+\s*,\s*\d+\s*,\s*\d+\s*,\s*\d+\s*(?:,(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Given:
    """A region as it was given: its name, what it covers, and the image that it is of, "" if it is of any."""

    name: str
    area: Box | Path
    image: str = ""


@dataclass(frozen=True)
class RegionSet:
    """The regions that were given, for images that are yet to come.

    Parameters
    ----------
    given : sequence of Given
    folders : sequence of Path
        Of masks, each a region called as its file is; in a folder called as an image are that image's.
    """

    given: Sequence[Given]
    folders: Sequence[Path] = ()

    def of(self, image: Path) -> dict[str, Area]:
        """Return the regions of an image.

        Raises
        ------
        UsageError
            If there is none, or two have one name.
        """
        found = [each for each in self.given if each.image in ("", image.name, image.stem, str(image))]
        for folder in self.folders:
            own = folder / image.stem
            found += [Given(path.stem, path) for path in _masks(own if own.is_dir() else folder)]
        if twice := [name for name, times in Counter(each.name for each in found).items() if times > 1]:
            raise UsageError(f"{image}: several regions are called {name_some(twice, quoted=True)}")
        if not found:
            raise UsageError(f"{image}: no region is given for it")
        return {each.name: each.area for each in found}


def read_regions(texts: Sequence[str]) -> RegionSet:
    """Return the regions that arguments stand for.

    Parameters
    ----------
    texts : sequence of str
        Each "x,y,width,height", perhaps with ",name" behind; or a file: .json, {name: [x, y, width, height]} or a list
        of objects with these keys; a table with these columns, and perhaps one of images' names; or a folder of masks.

    Raises
    ------
    UsageError
        If something is none of these; the message says where.
    """
    given: list[Given] = []
    folders: list[Path] = []
    for text in texts:
        if (stated := parse_region(text, len(given) + 1)) is not None:
            given.append(stated)
            continue
        path = user_path(text)
        if path.is_dir():
            folders.append(path)
        elif not path.exists():
            raise UsageError(f"--regions '{text}': neither x,y,width,height[,name] nor a file or folder")
        else:
            given += _from_json(path) if path.suffix.lower() == ".json" else _from_table(path)
    if len(given) > MAX_REGIONS:
        raise UsageError(f"{len(given)} regions are more than {MAX_REGIONS}")
    return RegionSet(tuple(given), tuple(folders))


def parse_region(text: str, number: int) -> Given | None:
    """Return the region that "x,y,width,height[,name]" stands for, the `number`th of them; None if it is no such text.

    Raises
    ------
    UsageError
        If it is none that can be.
    """
    argument = _ARGUMENT.fullmatch(text)
    if argument is None:
        return None
    name = (argument[1] or "").strip() or f"region {number}"
    return _given(name, text.split(",")[:4], f"region '{text}'")


def _from_json(path: Path) -> list[Given]:
    try:
        found = json.loads(file_content(path, MAX_BYTES, UsageError))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no JSON ({one_line(error)})") from None
    if isinstance(found, Mapping) and isinstance(found.get("regions"), list):
        found = found["regions"]
    if isinstance(found, Mapping):
        if not all(isinstance(box, list) and len(box) == 4 for box in found.values()):
            raise UsageError(f"{path}: expected {{name: [x, y, width, height]}} or a list of objects with these keys")
        return [_given(name, box, f"{path}: region '{one_line(name, 80)}'") for name, box in found.items()]
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise UsageError(f"{path}: expected {{name: [x, y, width, height]}} or a list of objects with these keys")
    return [_from_object(each, path, number) for number, each in enumerate(found, start=1)]


def _from_object(values: Mapping[str, Any], path: Path, number: int) -> Given:
    where = f"{path}: region {number}"
    lowered = {key.lower(): value for key, value in values.items()}
    box = [_first(lowered, names) for names in _COLUMNS.values()]
    if None in box:
        raise UsageError(f"{where}: expected the keys x, y, width, height, and perhaps name and image")
    name, image = _first(lowered, _NAMES), _first(lowered, _IMAGES)
    return _given(f"region {number}" if name is None else str(name), box, where, str(image or ""))


def _from_table(path: Path) -> list[Given]:
    known = {name for names in (*_COLUMNS.values(), _NAMES, _IMAGES) for name in names}
    table = read_table(path, known)
    header = table.header
    if header is None:
        if table.width != len(_COLUMNS):
            raise UsageError(f"{path}: {table.width} columns without names; name x, y, width, height and perhaps name")
        header = tuple(_COLUMNS)
    return [
        _from_object(dict(zip(header, row, strict=False)), path, number) for number, row in enumerate(table.rows, 1)
    ]


def _given(name: str, box: Sequence[Any], where: str, image: str = "") -> Given:
    try:
        numbers = [float(side) for side in box]
    except (TypeError, ValueError, OverflowError):
        numbers = [math.nan]
    if not all(0 <= number < 1e9 for number in numbers):
        raise UsageError(f"{where}: expected x, y, width, height in pixels, none negative")
    x, y, right, bottom = (round(n) for n in (*numbers[:2], numbers[0] + numbers[2], numbers[1] + numbers[3]))
    if right <= x or bottom <= y:
        raise UsageError(f"{where}: has no pixels")
    return Given(one_line(name, 80) or "region", Box(x, y, right - x, bottom - y), image)


def _first(values: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((values[name] for name in names if values.get(name) not in (None, "")), None)


def _masks(folder: Path) -> list[Path]:
    """Return the pictures in a folder."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read ({error.strerror or error})") from None
    if not found:
        raise UsageError(f"{folder}: no masks in this folder")
    return found
