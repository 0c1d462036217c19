"""pysaliency's HDF5 files: stimuli, as pictures or as the names of files, and fixations.

What a file is, its attributes `type` and `version` say. Positions are in pixels of the stimulus, counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..formats.hdf5 import Node, open_hdf5
from ..imaging.image import read_image
from ..system.names import stored_file
from ..types import Pixels, Shape
from .dataset import Dataset, Item, ReadFixations
from .fixations import Fixations

VERSIONS = {
    "Stimuli": ("1.0", "1.1"),
    "FileStimuli": ("2.0", "2.1"),
    "Fixations": ("1.0", "1.1", "1.2"),
    "FixationTrains": ("1.0", "1.1", "1.2", "1.3"),
    "ScanpathFixations": ("1.0",),
}
ROWS = 20_000  # scanpaths that are read at once: they are padded to the longest


@dataclass(frozen=True)
class StoredItem(Item):
    """An image that is an array in the HDF5 file `image`: `key` names it, `size` is its (H, W)."""

    key: str = ""
    size: Shape = (0, 0)


class StoredDataset(Dataset):
    """A dataset some of whose images are arrays in HDF5 files."""

    def pixels(self, index: int) -> Pixels:
        """Return an image: (H, W, 3) uint8 RGB."""
        item = self.items[index]
        if not isinstance(item, StoredItem):
            return super().pixels(index)
        with open_hdf5(item.image) as file:
            array = file.array(item.key)
        return read_image(array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array)

    def shape(self, index: int) -> Shape:
        """Return an image's (H, W)."""
        item = self.items[index]
        return item.size if isinstance(item, StoredItem) else super().shape(index)


@dataclass(frozen=True, eq=False)
class FixationFile:
    """A file of fixations; it is read when the first are asked for.

    Parameters
    ----------
    path : Path
    stimuli : int
        How many there are.
    """

    path: Path
    stimuli: int

    def of(self, stimulus: int, recorded: Shape | None, shape: Shape) -> Fixations:
        """Return the fixations on a stimulus of size `recorded`, (H, W), in pixels of the image at hand."""
        columns, ends = self._sorted
        of = slice(ends[stimulus], ends[stimulus + 1])
        order = None if columns.order is None else columns.order[of]
        found = Fixations(columns.x[of], columns.y[of], columns.subject[of], order)
        return found if recorded in (None, shape) else found.resized(recorded, shape)

    @cached_property
    def _sorted(self) -> tuple[_Columns, npt.NDArray[np.int64]]:
        columns = read_fixation_file(self.path)
        if len(columns.n) and not 0 <= columns.n.min() <= columns.n.max() < self.stimuli:
            raise UsageError(
                f"{self.path}: fixations on stimuli {columns.n.min()} to {columns.n.max()}, but there are "
                f"{self.stimuli}, counted from 0"
            )
        by_stimulus = np.argsort(columns.n, kind="stable")
        ends = np.searchsorted(columns.n[by_stimulus], np.arange(self.stimuli + 1))
        return columns.chosen(by_stimulus), ends


class _Columns(NamedTuple):
    """A row a fixation: where, on which stimulus, by whom, and which of its scanpath's."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    n: npt.NDArray[np.int64]
    subject: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64] | None

    def chosen(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> _Columns:
        order = None if self.order is None else self.order[rows]
        return _Columns(self.x[rows], self.y[rows], self.n[rows], self.subject[rows], order)


def read_part(stimuli: Path, fixations: Path | None) -> tuple[list[Item], list[str]]:
    """Return the images of a file of stimuli with what a file of fixations knows of them, and notes.

    Raises
    ------
    UsageError
        If a file is something else or malformed.
    MissingExtraError
        If h5py is not installed.
    """
    with open_hdf5(stimuli) as file:
        kind = file_type(file, "Stimuli", "FileStimuli")
        found = list(_files(file) if kind == "FileStimuli" else _pictures(file))
    table = None if fixations is None else FixationFile(fixations, len(found))
    items: list[Item] = []
    for number, (name, image, recorded, key) in enumerate(found):
        read: ReadFixations | None = None if table is None else partial(_read, table, number, recorded)
        if key is not None and recorded is not None:
            items.append(StoredItem(name, image, read, key=key, size=recorded))
        elif image.is_file():
            items.append(Item(name, image, read))
    notes = []
    if len(items) < len(found):
        notes.append(f"{len(items)} of {len(found)} stimuli of {stimuli.name} present as images, the others skipped")
    return items, notes


def file_type(file: Node, *expected: str) -> str:
    """Return which of the expected types of pysaliency's a file has.

    Raises
    ------
    UsageError
        If it has another, or is of a version that is not known.
    """
    kind, version = file.attribute("type"), file.attribute("version")
    if kind not in expected:
        raise UsageError(f"{file.path}: expected pysaliency's {' or '.join(expected)}, got {kind or 'no type'}")
    if version not in VERSIONS[kind]:
        raise UsageError(f"{file.path}: {kind} of version {version}; {', '.join(VERSIONS[kind])} are read")
    return kind


_Stimulus = tuple[str, Path, "Shape | None", "str | None"]  # name, file, size (H, W), key of an array


def _files(file: Node) -> Iterator[_Stimulus]:
    names = file.texts("filenames")
    shapes: Sequence[npt.NDArray[np.int64] | None] = [None] * len(names)
    if "shapes" in file:
        shapes = file.number_lists("shapes")
    if len(shapes) != len(names):
        raise UsageError(f"{file.path}: {len(names)} filenames and {len(shapes)} shapes")
    short = _without_common_folder(names)
    for name, label, shape in zip(names, short, shapes, strict=True):
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise UsageError(f"{file.path}: the stimulus '{name}' lies outside the file's own folder")
        if shape is not None and (len(shape) < 2 or shape[:2].min() < 1):
            raise UsageError(f"{file.path}: the shape of stimulus '{name}' is no (height, width)")
        size = None if shape is None else (int(shape[0]), int(shape[1]))
        yield label, stored_file(file.path.parent / name), size, None


def _without_common_folder(names: Sequence[str]) -> list[str]:
    """Return the names without the folders that all share, and without suffix where they still differ then."""
    split = [PurePosixPath(name).parts for name in names]
    common = 0
    while split and all(len(p) > common + 1 and p[common] == split[0][common] for p in split):
        common += 1
    short = [PurePosixPath(*parts[common:]) for parts in split]
    stems = [name.with_suffix("").as_posix() for name in short]
    return stems if len(set(stems)) == len(stems) else [name.as_posix() for name in short]


def _pictures(file: Node) -> Iterator[_Stimulus]:
    attributes = set(file.json_names("__attributes__"))
    keys = [name for name in file.names() if name.isdecimal() and name not in attributes]
    for key in sorted(keys, key=int):
        shape = file.shape(key)
        if len(shape) not in (2, 3) or shape[2:] not in ((), (1,), (3,), (4,)) or 0 in shape:
            raise UsageError(f"{file.where}: '{key}' of shape {shape} is not a picture")
        yield key, file.path, (shape[0], shape[1]), key
    size = file.attribute("size")
    if sorted(map(int, keys)) != list(range(len(keys))) or (size is not None and size != str(len(keys))):
        raise UsageError(f"{file.path}: {size or 'an unknown number of'} stimuli announced, {len(keys)} are there")


def _read(table: FixationFile, number: int, recorded: Shape | None, shape: Shape) -> Fixations:
    return table.of(number, recorded, shape)


def read_fixation_file(path: Path) -> _Columns:
    """Return a file's fixations in the order of the file; those without a position are left out.

    Raises
    ------
    UsageError
        If the file is something else or malformed.
    """
    with open_hdf5(path) as file:
        kind = file_type(file, "Fixations", "FixationTrains", "ScanpathFixations")
        if kind == "Fixations":
            columns = _flat(file)
        elif kind == "FixationTrains":
            columns = _scanpaths(file, "train_xs", "train_ys", file.labels("train_ns"), file.labels("train_subjects"))
        else:
            paths = file.group("scanpaths")
            of_paths = paths.group("scanpath_attributes")
            number = paths.labels("n")
            subject = of_paths.labels("subject") if "subject" in of_paths else np.zeros(len(number), np.int64)
            columns = _scanpaths(paths, "xs", "ys", number, subject, paths.labels("length"))
    return columns.chosen(np.isfinite(columns.x) & np.isfinite(columns.y))


def _flat(file: Node) -> _Columns:
    x, y = (file.array(name).astype(np.float64) for name in ("x", "y"))
    subjects = next((name for name in ("subject", "subjects") if name in file), None)
    columns = _Columns(
        x,
        y,
        file.labels("n"),
        np.zeros(len(x), np.int64) if subjects is None else file.labels(subjects),
        file.labels("lengths") if "lengths" in file else None,
    )
    if x.ndim != 1 or y.ndim != 1 or len({len(column) for column in columns if column is not None}) != 1:
        raise UsageError(f"{file.path}: x, y, n and the subjects have different lengths")
    return columns


def _scanpaths(
    group: Node,
    name_x: str,
    name_y: str,
    number: npt.NDArray[np.int64],
    subject: npt.NDArray[np.int64],
    length: npt.NDArray[np.int64] | None = None,
) -> _Columns:
    """Return the fixations of scanpaths, (N, longest) arrays padded at the end, in blocks to spare memory."""
    shape = group.shape(name_x)
    lengths = {len(v) for v in (number, subject, length) if v is not None}
    if len(shape) != 2 or group.shape(name_y) != shape or lengths != {shape[0]}:
        raise UsageError(f"{group.where}: {name_x}, {name_y} and what is known of the scanpaths differ in length")
    xs, ys, rows, columns = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, np.intp)], [np.zeros(0, np.intp)]
    for start in range(0, shape[0], ROWS):
        x, y = (group.rows(name, start, start + ROWS).astype(np.float64) for name in (name_x, name_y))
        of_block = None if length is None else length[start : start + ROWS, None]
        is_there = ~np.isnan(x) if of_block is None else np.arange(shape[1]) < of_block
        row, column = np.nonzero(is_there)
        xs.append(x[is_there])
        ys.append(y[is_there])
        rows.append(row + start)
        columns.append(column)
    row = np.concatenate(rows)
    return _Columns(np.concatenate(xs), np.concatenate(ys), number[row], subject[row], np.concatenate(columns))
