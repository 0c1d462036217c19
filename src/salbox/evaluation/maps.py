"""Maps on disk: finding those of a dataset's images, reading them, bringing them to the truth's size."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..datasets.dataset import Dataset, read_gray
from ..errors import ImageError, UsageError
from ..formats.mat import load_variable
from ..imaging.image import MAX_PIXELS, SUFFIXES
from ..imaging.scaling import density
from ..types import Output, Shape

MAP_SUFFIXES = frozenset({*SUFFIXES, ".npy", ".mat"})
OVERLAY = ".overlay"  # `salbox predict --overlay` writes them beside the maps
VARIABLES = ("saliency_map", "saliency", "salmap", "map")

RESIZING = (
    "a map of another size than the truth is brought to it: by area (OpenCV's INTER_AREA) if neither side grows, else "
    "bilinearly; a log density is resized as a density and divided by its sum"
)


@dataclass(frozen=True)
class MapFolder:
    """The maps of one model: image's index -> file, and what did not match."""

    name: str
    path: Path
    files: dict[int, Path]
    images_without: tuple[str, ...]
    maps_without: tuple[str, ...]

    def of_subset(self, kept: Sequence[int]) -> MapFolder:
        """Return the maps of some of the images, which are counted anew in this order."""
        files = {new: self.files[old] for new, old in enumerate(kept) if old in self.files}
        return replace(self, files=files)

    def fingerprint(self) -> str:
        """Return a text that changes when a file does."""
        digest = hashlib.sha256()
        for index, path in sorted(self.files.items()):
            status = path.stat()
            digest.update(repr((index, path.name, status.st_size, status.st_mtime_ns)).encode())
        return digest.hexdigest()[:16]


def map_folders(path: Path, dataset: Dataset) -> list[MapFolder]:
    """Return the maps of a folder, or of each folder in it if it holds no map of an image itself.

    A map belongs to the image of the same name, suffixes aside: `0001.png` and `0001.jpg.png` to `0001.jpg`.

    Raises
    ------
    UsageError
        If there is no such folder, or no map of any image in it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from salbox.datasets import open_dataset
    >>> from salbox.evaluation import map_folders
    >>> path = Path(tempfile.mkdtemp())
    >>> for name in ("images/a.png", "images/b.png", "masks/a.png", "masks/b.png", "predicted/gbvs/a.png"):
    ...     (path / name).parent.mkdir(parents=True, exist_ok=True)
    ...     Image.new("L", (8, 6)).save(path / name)
    >>> [folder] = map_folders(path / "predicted", open_dataset(f"folder:{path}"))
    >>> folder.name, len(folder.files), folder.images_without
    ('gbvs', 1, ('b',))
    """
    if not path.is_dir():
        raise UsageError(f"{path}: no such folder; expected maps, or a folder of maps for each model")
    own = _match(path, dataset)
    if own.files:
        return [own]
    folders = [_match(p, dataset) for p in sorted(path.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    matching = [folder for folder in folders if folder.files]
    if not matching:
        names = ", ".join(item.name for item in dataset.items[:3])
        raise UsageError(f"{path}: no map of the images of {dataset.card.name} ({names}, ..), nor in a folder below")
    return matching


def _match(folder: Path, dataset: Dataset) -> MapFolder:
    maps: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in MAP_SUFFIXES and not path.name.startswith(".") and not path.stem.endswith(OVERLAY):
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in maps:
                raise UsageError(f"{folder}: both {maps[name].name} and {path.name} are there; which one is meant?")
            maps[name] = path
    files, missing = {}, []
    for index, item in enumerate(dataset.items):
        candidates = (item.name, item.name + item.image.suffix)
        found = next((maps.pop(name) for name in candidates if name in maps), None)
        if found is None:
            missing.append(item.name)
        else:
            files[index] = found
    return MapFolder(folder.resolve().name, folder, files, tuple(missing), tuple(maps))


def read_map(path: Path) -> npt.NDArray[Any]:
    """Return a saliency map, (H, W): uint8 of an 8-bit picture, else float32.

    Raises
    ------
    UsageError, ImageError
        If it cannot be read, is a colour picture, or holds values that are not finite.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from salbox.evaluation import read_map
    >>> path = Path(tempfile.mkdtemp(), "photo.npy")
    >>> np.save(path, np.array([[0.0, 1.5], [2.0, 3.0]]))
    >>> read_map(path).tolist()
    [[0.0, 1.5], [2.0, 3.0]]
    """
    if path.suffix.lower() != ".mat":
        values = read_gray(path)
    else:
        values = load_variable(path, VARIABLES, most=MAX_PIXELS)
        if values.ndim != 2 or values.dtype.kind not in "fiub" or not values.size:
            raise UsageError(f"{path}: expected a map, (H, W), got {values.dtype} of shape {values.shape}")
        values = values if values.dtype == np.uint8 else values.astype(np.float32)
    if not np.isfinite(values).all():
        raise ImageError(f"{path}: the map holds values that are not finite numbers")
    return values


def resized(saliency: npt.NDArray[Any], output: Output, shape: Shape) -> npt.NDArray[Any]:
    """Return a map at a size, (H, W), by the rule that `RESIZING` states; itself if it has it."""
    if saliency.shape == shape:
        return saliency
    values = np.asarray(density(saliency, output), np.float64)
    shrinks = all(new <= old for new, old in zip(shape, saliency.shape, strict=True))
    values = cv2.resize(values, shape[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    if output != "log_density":
        return values
    return np.log(np.maximum(values / values.sum(), np.finfo(np.float64).tiny))
