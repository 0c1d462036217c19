"""Stimuli and fixations across. Both libraries count pixels from 0 and take floor(x), floor(y) as the pixel."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets import ALL, Dataset, DatasetCard, Fixations, Item
from ..datasets.outside import outside_note
from ..datasets.scanpaths import scanpaths
from ..errors import UsageError
from ..imaging.image import read_image
from ..imaging.writing import write_picture
from ..submissions.submitting import unique_paths
from ..types import Shape
from ._library import pysaliency

Numbers = npt.NDArray[Any]

_SECONDS = 1000.0  # milliseconds in one: pysaliency's datasets hold durations in seconds


class SalboxStimuli(pysaliency.FileStimuli):
    """A dataset's images as pysaliency's `FileStimuli`, read as salbox reads them: (H, W, 3) uint8 RGB."""

    def load_stimulus(self, n: int) -> Numbers:
        """Return an image, (H, W, 3) uint8."""
        turned = self.attributes.get("is_turned")
        item = Item(str(n), Path(self.filenames[n]), is_turned=turned is None or bool(turned[n]))
        return Dataset(_PLAIN, item.image, ALL, [item]).pixels(0)


def pysaliency_dataset(dataset: Dataset, *, cached: bool = False) -> tuple[SalboxStimuli, Any]:
    """Return a dataset's images and fixations as pysaliency has them: what `pysaliency.get_...` would return.

    Parameters
    ----------
    dataset : Dataset
        From `salbox.datasets.open_dataset`.
    cached : bool
        Whether images stay in memory once read.

    Raises
    ------
    UsageError
        If the dataset has no fixations.
    """
    return pysaliency_stimuli(dataset, cached=cached), pysaliency_fixations(dataset)


def pysaliency_stimuli(dataset: Dataset, *, cached: bool = False) -> SalboxStimuli:
    """Return a dataset's images as pysaliency's `FileStimuli`, with the attributes `name` and, if known, `category`."""
    items = dataset.items
    attributes: dict[str, Numbers] = {"name": np.array([item.name for item in items])}
    if all(item.category is not None for item in items):
        attributes["category"] = np.array([item.category for item in items])
    if not all(item.is_turned for item in items):
        attributes["is_turned"] = np.array([item.is_turned for item in items])
    shapes = [(*dataset.shape(index), 3) for index in range(len(dataset))]
    files = [str(item.image) for item in items]
    return SalboxStimuli(files, cached=cached, shapes=shapes, attributes=attributes)


def pysaliency_fixations(dataset: Dataset) -> Any:
    """Return a dataset's fixations as pysaliency has them.

    Where the dataset knows the order of all fixations these are scanpaths (`FixationTrains`): `t` is the place in
    the scanpath, counted from 0, and `duration`, where known, is in seconds. Else they are `Fixations` without
    history. `subjects` are salbox's numbers of the observers.

    Raises
    ------
    UsageError
        If the dataset has none, or more than a tenth lie outside their image (unless it was opened with
        `allow_outside`).
    """
    found = [dataset.fixations(index) for index in range(len(dataset))]
    outside_note(dataset)
    total = sum(map(len, found))
    if not total:
        raise UsageError(f"{dataset.card.name}:{dataset.path}: no fixations")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer releases rename what older ones lack
        if all(f.order is not None for f in found):
            return _scanpaths(found)
        x, y, subject = (np.concatenate([getattr(f, name) for f in found]) for name in ("x", "y", "subject"))
        n = np.repeat(np.arange(len(found)), [len(f) for f in found])
        return pysaliency.Fixations.FixationsWithoutHistory(x, y, np.zeros(total), n, subject)


def _scanpaths(found: Sequence[Fixations]) -> Any:
    parts = [(n, part) for n, fixations in enumerate(found) for part in scanpaths(fixations)]
    has_duration = all(f.duration is not None for f in found)
    durations = [part.duration / _SECONDS for _, part in parts if part.duration is not None]
    return pysaliency.FixationTrains.from_fixation_trains(
        [part.x for _, part in parts],
        [part.y for _, part in parts],
        [part.order for _, part in parts],
        [n for n, _ in parts],
        [part.subject[0] for _, part in parts],
        scanpath_fixation_attributes={"durations": durations} if has_duration else None,
        scanpath_attribute_mapping={"durations": "duration"} if has_duration else None,
    )


def dataset_from_pysaliency(
    stimuli: Any,
    fixations: Any = None,
    *,
    name: str = "pysaliency",
    folder: Path | None = None,
) -> Dataset:
    """Return pysaliency's stimuli and fixations as a salbox dataset, ready for `salbox.evaluate`.

    It has no sigma of its own: give `salbox.evaluate` one for metrics that compare with a density.

    Parameters
    ----------
    stimuli : pysaliency.Stimuli
        `FileStimuli` stay where they are; an orientation that their files state is not followed, as in pysaliency.
    fixations : pysaliency.Fixations, optional
        Observers that are not numbers are numbered in the order of their names. Scanpaths keep their order, and
        durations (an attribute `duration` or `durations`, in seconds).
    name : str
        What the dataset is called.
    folder : Path, optional
        Where stimuli that are in memory are written, as PNG; needed for these.

    Raises
    ------
    UsageError
        If stimuli are in memory and there is no folder, or a fixation is of no stimulus.
    """
    names, files = stimulus_names(stimuli), _filenames(stimuli)
    if files is None:
        if folder is None:
            raise UsageError(f"{name}: stimuli that are in memory need a folder to be written to")
        files = [folder / f"{stem}.png" for stem in names]
        for path, stimulus in zip(files, stimuli, strict=True):
            write_picture(path, read_image(stimulus.stimulus_data))
    looked = [None] * len(files) if fixations is None else _by_image(fixations, len(files), name)
    sizes = [(int(size[0]), int(size[1])) for size in stimuli.sizes]
    items = [
        Item(stem, path, None if known is None else partial(_given, known, size, path), is_turned=False)
        for stem, path, known, size in zip(names, files, looked, sizes, strict=True)
    ]
    common = os.path.commonpath([str(path.parent) for path in files]) if files else "."
    return Dataset(_card(name), Path(common), ALL, items)


def stimulus_names(stimuli: Any) -> list[str]:
    """Return what stimuli are called in salbox: the attribute `name`, else the file's path, as short as is unique.

    Stimuli that are in memory are called by their number.
    """
    if "name" in stimuli.attributes:
        return [str(name) for name in stimuli.attributes["name"]]
    files = _filenames(stimuli)
    if files is None:
        return [f"{index:05d}" for index in range(len(stimuli))]
    keys = [Path(key) for key in unique_paths(files)]
    stems = [key.with_suffix("").as_posix() for key in keys]
    return stems if len(set(stems)) == len(stems) else [key.as_posix() for key in keys]


def _filenames(stimuli: Any) -> list[Path] | None:
    given = stimuli.attributes.get("filenames")
    given = getattr(stimuli, "filenames", None) if given is None else given
    return None if given is None else [Path(str(path)).absolute() for path in given]


def _by_image(fixations: Any, images: int, name: str) -> list[Fixations]:
    """Return each image's fixations, in the order in which they come."""
    n = np.asarray(fixations.n, np.int64)
    if len(n) and not (n.min() >= 0 and n.max() < images):
        raise UsageError(f"{name}: fixations on stimulus {int(n.max())}, but there are {images} stimuli")
    subject, order, duration = _subjects(fixations), _order(fixations), _durations(fixations)
    x, y = np.asarray(fixations.x, np.float64), np.asarray(fixations.y, np.float64)
    ranked = np.argsort(n, kind="stable")
    return [
        Fixations(
            x[part],
            y[part],
            0 if subject is None else subject[part],
            None if order is None else order[part],
            None if duration is None else duration[part],
        )
        for part in np.split(ranked, np.searchsorted(n[ranked], np.arange(1, images)))
    ]


def _subjects(fixations: Any) -> npt.NDArray[np.int64] | None:
    # 0.3 renames `subjects` to `subject`.
    given = getattr(fixations, "subject", None) if hasattr(fixations, "subject") else fixations.subjects
    if given is None:
        return None
    values = np.asarray(given)
    if values.dtype.kind in "iub" or (values.dtype.kind == "f" and (values == np.rint(values)).all()):
        return values.astype(np.int64)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _order(fixations: Any) -> npt.NDArray[np.int64] | None:
    """Return each fixation's place in its scanpath: how many came before; None if no fixation has a history."""
    newer = hasattr(fixations, "scanpath_history_length")  # 0.3 renames `lengths`
    before = np.asarray(fixations.scanpath_history_length if newer else fixations.lengths, np.int64)
    return before if before.any() or isinstance(fixations, pysaliency.FixationTrains) else None


def _durations(fixations: Any) -> npt.NDArray[np.float64] | None:
    given = getattr(fixations, "duration", getattr(fixations, "durations", None))
    return None if given is None else np.asarray(given, np.float64) * _SECONDS


def _given(fixations: Fixations, expected: Shape, path: Path, shape: Shape) -> Fixations:
    if shape != expected:
        raise UsageError(f"{path}: {shape[1]}x{shape[0]} pixels, but pysaliency says {expected[1]}x{expected[0]}")
    return fixations


def _card(name: str) -> DatasetCard:
    return DatasetCard(
        name=name,
        title=name,
        meaning="what pysaliency's dataset says",
        layout="pysaliency's stimuli and fixations",
        license="the dataset's own",
        paper=None,
    )


_PLAIN = _card("pysaliency")
