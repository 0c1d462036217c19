"""Datasets of photos with an object mask each, two folders of files with equal names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from ..errors import UsageError
from ..imaging.image import SUFFIXES
from ._files import files_by_name
from .dataset import Item

MASK_SUFFIXES = (".png",)  # a folder of masks may hold a stray photo (DUTS-TR's does)


def pairs(images: Path, masks: Path, photo_suffixes: Collection[str] = SUFFIXES) -> tuple[list[Item], list[str]]:
    """Return the photos that have a mask, in the order of the names, and notes of how many have none.

    The folders may be one and the same if the suffixes tell photos from masks.

    Raises
    ------
    UsageError
        If no photo has one.
    """
    photos, found = files_by_name(images, photo_suffixes), files_by_name(masks, MASK_SUFFIXES)
    items = [Item(name, photo, mask=found[name]) for name, photo in photos.items() if name in found]
    if not items:
        raise UsageError(f"{images}: none of the {len(photos)} photos has a mask of its name in {masks}")
    return items, list(_unmatched(photos, found))


def _unmatched(photos: dict[str, Path], masks: dict[str, Path]) -> Iterator[str]:
    for kind, missing in (
        ("photos without a mask", photos.keys() - masks),
        ("masks without a photo", masks.keys() - photos),
    ):
        if missing:
            yield f"{len(missing)} {kind} skipped, {min(missing)} the first"
