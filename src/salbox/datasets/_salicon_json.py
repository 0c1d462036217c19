"""SALICON's fixations as its programs exchange them: one JSON file for all images of a split, rows first."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, one_line
from ..formats.files import file_content
from ..types import Shape
from .fixations import Fixations, pooled

JSON_NAME = re.compile(r"fixations_(train|val)2014(examples)?\.json")
MAX_BYTES = 512 * 1024**2
MAX_SIDE = 100_000  # pixels of a photo
FIRST = 1.0  # the top left pixel is (1, 1)


class _Way(NamedTuple):
    """An entry of `annotations`: one person's way over one image, (N, 2) rows and columns."""

    image: int | str
    places: npt.NDArray[np.float64]


class _Photo(NamedTuple):
    """An entry of `images`."""

    image: int | str
    name: str
    shape: Shape


def read_annotations(path: Path) -> dict[str, tuple[Fixations, Shape]]:
    """Return each image's fixations, in pixels counted from 0, and the (H, W) they are in, by its name without suffix.

    Raises
    ------
    UsageError
        If the file is too large, or something else.
    """
    content = file_content(path, MAX_BYTES, UsageError)
    try:
        held = json.loads(content, object_hook=_smaller)
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{path}: not readable as SALICON's fixations ({one_line(error)})") from None
    images, annotations = (held.get(key) if isinstance(held, dict) else None for key in ("images", "annotations"))
    if not isinstance(images, list) or not isinstance(annotations, list):
        raise UsageError(f"{path}: expected the lists 'images' and 'annotations'")
    people: dict[int | str, list[Fixations]] = {}
    for number, way in enumerate(annotations, start=1):
        if not isinstance(way, _Way):
            raise UsageError(f"{path}: annotation {number} is not an image's number with rows and columns")
        y, x = way.places.T - FIRST
        known = people.setdefault(way.image, [])
        known.append(Fixations(x, y, len(known), np.arange(len(x))))
    found = {}
    for number, photo in enumerate(images, start=1):
        if not isinstance(photo, _Photo):
            raise UsageError(f"{path}: image {number} has no number, file name, height and width as a photo has")
        name = Path(photo.name).stem
        if name in found:
            raise UsageError(f"{path}: two images are called '{one_line(name, 80)}'")
        found[name] = (pooled(people.get(photo.image, [])), photo.shape)
    return found


def _smaller(entry: dict[str, Any]) -> Any:
    """Return an entry in a form that takes less memory, as there are half a million, or None if it is malformed."""
    if "fixations" in entry:
        try:
            places = np.array(entry["fixations"], np.float64)
        except (ValueError, TypeError, OverflowError):
            return None
        places = places.reshape(-1, 2) if not places.size else places
        if places.ndim != 2 or places.shape[1] != 2:
            return None
        is_sound = isinstance(entry.get("image_id"), int | str) and bool(np.isfinite(places).all())
        return _Way(entry["image_id"], places) if is_sound else None
    if "file_name" in entry:
        photo = _Photo(entry.get("id", ()), entry["file_name"], (entry.get("height", 0), entry.get("width", 0)))
        is_sound = isinstance(photo.image, int | str) and isinstance(photo.name, str)
        has_size = all(isinstance(side, int) and 0 < side <= MAX_SIDE for side in photo.shape)
        return photo if is_sound and has_size else None
    return entry
