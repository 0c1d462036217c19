"""The demonstration: every model that needs no further files on photos that scikit-image ships."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2

from ..imaging.overlays import Map
from ..imaging.plots import Row, comparison
from ..imaging.scaling import visible
from ..imaging.writing import write_map
from ..models.loading import card
from ..models.registry import CLASSICAL, MODELS, STUDENTS, list_models
from ..types import Pixels
from .images import folder_name, map_notes, predict

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
_LONGEST_SIDE = 512


def sample_photo(name: str) -> Pixels:
    """Return a photo of `skimage.data` that needs no download, longest side at most 512: (H, W, 3) uint8."""
    from skimage import data

    photo: Pixels = getattr(data, name)()
    scale = _LONGEST_SIDE / max(photo.shape[:2])
    if scale < 1:
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return photo


def demo_row(name: str) -> Row:
    """Return a sample photo with the maps of all fixation models of salbox's own that need no further files."""
    photo = sample_photo(name)
    return photo, predict(photo, [name for name in list_models(task="fixation", ready=True) if name in MODELS])


def write_demo(rows: Mapping[str, Row], folder: Path) -> Path:
    """Write every map and one comparison picture, originals above their students; return where the picture is."""
    for photo, (_, maps) in rows.items():
        for model, saliency in maps.items():
            notes = map_notes(model, parameters={})
            target = folder / folder_name(model) / f"{photo}.png"
            write_map(target, saliency, "png", notes, output=card(model).output)
    picture = folder / "comparison.png"
    comparison([row for photo, maps in rows.values() for row in _beside_students(photo, maps)], picture)
    return picture


def _beside_students(photo: Pixels, maps: Mapping[str, Map]) -> list[Row]:
    """Return a row with the originals' maps, and one with their students' and `gaze`; students below their teachers."""
    linear = {name: visible(saliency, card(name).output) for name, saliency in maps.items()}
    students = [*(f"{name}.student" for name in STUDENTS), "gaze"]
    return [(photo, {name: linear[name] for name in names}) for names in (CLASSICAL, students)]
