"""A folder of one's own: images/ with fixations/, maps/ or masks/ beside it, files of equal names."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ..errors import UsageError
from ..imaging.image import SUFFIXES
from ..imaging.inputs import find_images
from ..system.names import one_form
from ._files import base_folder, files_by_name
from .dataset import ALL, Dataset, DatasetCard, Item
from .points import POINT_SUFFIXES, read_fixations

IMAGES = ("images", "stimuli")
FIXATIONS, MAPS, MASKS = ("fixations", "points"), ("maps", "densities"), ("masks",)
PICTURES = frozenset({*SUFFIXES, ".npy"})

# As much of the width as OSIE's 24 of 800 pixels: what one degree of visual angle is about on a usual screen. salbox's
# own choice, for want of a known viewing distance.
SIGMA, SIGMA_WIDTH = 24.0, 800

CARD = DatasetCard(
    name="folder",
    title="folder",
    meaning="one's own",
    layout="images/ with fixations/ (CSV, NPY, MAT or pictures), maps/ or masks/ beside it, files of equal names",
    license="one's own",
    sigma=SIGMA,
    sigma_width=SIGMA_WIDTH,
    sigma_source="salbox's own choice, 3 % of the width; better give your own with --sigma",
    paper=None,
)

IMAGES_ONLY = DatasetCard(
    name="images",
    title="images",
    meaning="photos without ground truth",
    layout="images, with folders below",
    license="one's own",
    paper=None,
)


def open_folder(path: Path, split: str) -> Dataset:
    """Return a folder's images with what is known of them.

    An image is left out, and counted, if one of the kinds of truth that the folder has is missing for it.

    Parameters
    ----------
    path : Path
    split : {"all"}
    """
    base_folder(path, (), CARD.name)
    images = _first(path, IMAGES)
    if images is None:
        raise UsageError(f"{CARD.name}:{path}: expected {IMAGES[0]}/ there")
    truths = {"fixations": (FIXATIONS, POINT_SUFFIXES), "maps": (MAPS, PICTURES), "masks": (MASKS, PICTURES)}
    found = {
        kind: files_by_name(folder, suffixes)
        for kind, (names, suffixes) in truths.items()
        if (folder := _first(path, names)) is not None
    }
    if not found:
        raise UsageError(
            f"{CARD.name}:{path}: expected {FIXATIONS[0]}/, {MAPS[0]}/ or {MASKS[0]}/ beside {images.name}/"
        )
    items, missing, named = [], [], dict[str, Path]()
    for image in find_images([str(images)], recursive=True):
        name = one_form(image.output.as_posix())
        if (other := named.setdefault(name, image.path)) != image.path:
            raise UsageError(f"{images}: both {other.name} and {image.path.name} are there; which one is meant?")
        if all(name in files for files in found.values()):
            points = found["fixations"][name] if "fixations" in found else None
            items.append(
                Item(
                    name,
                    image.path,
                    None if points is None else partial(read_fixations, points),
                    density=found["maps"][name] if "maps" in found else None,
                    mask=found["masks"][name] if "masks" in found else None,
                )
            )
        else:
            missing.append(name)
    notes = [f"{len(missing)} images without {' and '.join(found)} skipped, {missing[0]} the first"] if missing else []
    notes += [
        f"{len(alone)} files of {kind} without an image skipped, {min(alone)} the first"
        for kind, files in found.items()
        if (alone := files.keys() - named)
    ]
    return Dataset(CARD, path, split, items, notes)


def open_density_maps(images: Path, maps: Path) -> Dataset:
    """Return the images of a folder with their fixation maps, files of equal names in another.

    Raises
    ------
    UsageError
        If a folder is not there, or no image has a map.
    """
    for folder in (images, maps):
        base_folder(folder, (), CARD.name)
    found, missing, items = files_by_name(maps, PICTURES), [], []
    for image in find_images([str(images)], recursive=True):
        name = image.output.as_posix()
        if name in found:
            items.append(Item(name, image.path, density=found[name]))
        else:
            missing.append(name)
    if not items:
        raise UsageError(f"{maps}: no map is named as an image of {images} (the first of these is '{missing[0]}')")
    notes = [f"{len(missing)} images without a map skipped, {missing[0]} the first"] if missing else []
    return Dataset(CARD, images, ALL, items, notes)


def open_images(path: Path) -> Dataset:
    """Return the images of a folder, with folders below, of which nothing is known."""
    images = find_images([str(path)], recursive=True)
    return Dataset(IMAGES_ONLY, path, ALL, [Item(image.output.as_posix(), image.path) for image in images])


def _first(path: Path, names: tuple[str, ...]) -> Path | None:
    return next((path / name for name in names if (path / name).is_dir()), None)
