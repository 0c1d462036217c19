"""Maps on disk: finding those of a dataset's images, reading them, bringing them to the truth's size."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..datasets.dataset import Dataset, read_gray
from ..errors import ImageError, SalboxError, UsageError
from ..formats.mat import load_variable
from ..imaging.image import MAX_PIXELS, SUFFIXES
from ..imaging.notes import Notes, output_of, restored
from ..imaging.scaling import density, is_log_density
from ..system.contents import joint_digest
from ..system.names import one_form
from ..types import Output, Shape
from ..writing import read_notes

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

    @cached_property
    def output(self) -> Output:
        """What the maps' numbers are as their files say.

        Of files that say nothing the first tells: log densities if they can be nothing else, else scores.

        Raises
        ------
        UsageError
            If they differ.
        """
        found: dict[Output, Path] = {}
        for path, notes in self._noted.items():
            if (output := output_of(notes)) is not None:
                found.setdefault(output, path)
        if self._silent_kind is not None:
            found.setdefault(*self._silent_kind)
        if len(found) > 1:
            each = " and ".join(f"a {output} in {path.name}" for output, path in found.items())
            raise UsageError(
                f"{self.path}: maps of several kinds, {each}; keep them apart, or say what their numbers are "
                "(--maps-output)"
            )
        return next(iter(found), "score")

    @property
    def is_recognized(self) -> bool:
        """Whether maps whose files say nothing are log densities by their numbers."""
        return self._silent_kind is not None and self._silent_kind[0] == "log_density"

    @cached_property
    def _silent_kind(self) -> tuple[Output, Path] | None:
        """What the first readable map is whose file says nothing, and the file."""
        for path, notes in self._noted.items():
            if output_of(notes) is None:
                with contextlib.suppress(SalboxError):
                    return "log_density" if is_log_density(read_stored(path)) else "score", path
        return None

    @property
    def is_coarse(self) -> bool:
        """Whether maps are log densities in pictures of 8 bits."""
        return any(notes.get("white") == 255 and output_of(notes) == "log_density" for notes in self._noted.values())

    @cached_property
    def _noted(self) -> dict[Path, Notes]:
        """What the files say of the numbers in them; a broken one, which costs its own figures, is left out."""
        found = {}
        for path in self.files.values():
            with contextlib.suppress(SalboxError):
                found[path] = {key: value for key, value in read_notes(path).items() if key in ("output", "white")}
        return found

    def read(self, index: int, output: Output) -> npt.NDArray[Any]:
        """Return the map of an image, (H, W), as an output; of a log density that is asked for as another the density.

        Raises
        ------
        UsageError, ImageError
            If there is none, or as `read_map`.
        """
        values, noted = _read(self.files[index])
        return values if noted in (None, output) else density(values, noted)

    def fingerprint(self) -> str:
        """Return a text that changes with the files' names or bytes."""
        return joint_digest((f"{index} {path.name}", path) for index, path in sorted(self.files.items()))


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
    asked = {one_form(name) for item in dataset.items for name in (item.name, item.name + item.image.suffix)}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in MAP_SUFFIXES and not path.name.startswith("."):
            name = one_form(path.relative_to(folder).with_suffix("").as_posix())
            if name.endswith(OVERLAY) and name not in asked:
                continue
            if name in maps:
                raise UsageError(f"{folder}: both {maps[name].name} and {path.name} are there; which one is meant?")
            maps[name] = path
    files, missing = {}, []
    for index, item in enumerate(dataset.items):
        candidates = (one_form(item.name), one_form(item.name + item.image.suffix))
        found = next((maps.pop(name) for name in candidates if name in maps), None)
        if found is None:
            missing.append(item.name)
        else:
            files[index] = found
    return MapFolder(folder.resolve().name, folder, files, tuple(missing), tuple(maps))


def read_map(path: Path) -> npt.NDArray[Any]:
    """Return a saliency map, (H, W): uint8 of an 8-bit picture, else float32.

    Of a picture that salbox wrote the numbers come back that its pixels stand for, float32, as far as its bits tell
    them apart: of a log density the log density.

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
    return _read(path)[0]


def read_stored(path: Path) -> npt.NDArray[Any]:
    """Return what a map's file holds, (H, W), whatever it stands for; raises as `read_map`."""
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


def _read(path: Path) -> tuple[npt.NDArray[Any], Output | None]:
    """Return a map, and what its numbers are if its file says so."""
    values, notes = read_stored(path), read_notes(path)
    return restored(values, notes), output_of(notes)


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
