"""Photos of one's own with masks of what they show, by the names of folders."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ..errors import UsageError
from ..imaging.image import SUFFIXES
from ..types import Shape
from ._files import files_by_name
from .concepts import ConceptDataset, ConceptItem, ConceptMask, Concepts
from .dataset import ALL, DatasetCard, read_mask
from .layout import expect_folder

IMAGES, MASKS = "images", "masks"
SUFFIXES_OF_MASKS = (".png", ".npy")
HALF = 127  # of white: a pixel above it belongs to the concept

CARD = DatasetCard(
    name="masks",
    title="Photos with masks of one's own",
    meaning="Which pixels show what: a mask a concept, white where it is.",
    layout="images/*.jpg and masks/<concept>/*.png of equal names",
    license="their owner's",
    paper=None,
)


def open_mask_folder(path: Path, split: str) -> ConceptDataset:
    """Return photos with masks by name; see `CARD`. A photo without any shows none of the concepts.

    Parameters
    ----------
    path : Path
        The folder that holds images/ and masks/, or one around it.
    split : {"all"}

    Raises
    ------
    UsageError
        If one of the folders is not there, or no mask has a photo's name.
    """
    folder = expect_folder(path, CARD.name, (IMAGES, MASKS))
    photos = files_by_name(folder / IMAGES, SUFFIXES)
    found: dict[str, dict[str, Path]] = {name: {} for name in photos}
    left = 0
    for masks in sorted(f for f in (folder / MASKS).iterdir() if f.is_dir() and not f.name.startswith(".")):
        for name, file in files_by_name(masks, SUFFIXES_OF_MASKS).items():
            if name in found:
                found[name][masks.name.lower()] = file
            else:
                left += 1
    if not any(found.values()):
        raise UsageError(f"{CARD.name}:{path}: no mask has a photo's name; expected {CARD.layout}")
    items = [ConceptItem(name, photos[name], read_concepts=partial(_read, files)) for name, files in found.items()]
    notes = [f"{left} masks without a photo skipped"] if left else []
    return ConceptDataset(CARD, path, ALL, items, notes)


def _read(files: Mapping[str, Path], shape: Shape) -> Concepts:
    regions = []
    for concept, file in files.items():
        mask = read_mask(file)
        regions.append(ConceptMask(concept, mask if mask.dtype == bool else mask > HALF).resized(mask.shape, shape))
    return Concepts(shape, tuple(regions))
