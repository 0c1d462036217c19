"""The layout of OSIE, EyeCrowd and a copy of MIT1003, all of one laboratory: stimuli/ and eye/fixations.mat.

`fixations` is a cell array of structs {img, subjects}, `subjects` one of structs {fix_x, fix_y, fix_duration}, with
positions in pixels of the full stimulus, counted from 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import UsageError, one_line
from ..formats.mat import array_field, load_variable, numbers_field, records, text_field
from ..imaging.image import SUFFIXES
from ..system.names import one_form
from ..types import Shape
from ._files import base_folder, files_by_name
from .dataset import ALL, Dataset, DatasetCard, Item
from .fixations import Fixations
from .layout import find_folder

FIXATIONS, STIMULI = "eye/fixations.mat", "stimuli"
LAYOUT = (STIMULI, FIXATIONS)
DURATION = "fix_duration"  # in milliseconds
FIRST = 1.0  # the top left pixel is (1, 1)


def open_nus(card: DatasetCard, path: Path, split: str, belongs: Callable[[str], bool] | None) -> Dataset:
    """Return a split of a dataset in this layout.

    Parameters
    ----------
    card : DatasetCard
        Positions are in pixels of stimuli of its `size`, or `longest` side; they are scaled to the image at hand.
    path : Path
        The folder that holds data/, data/ itself, or a folder around them.
    split : str
    belongs : callable, optional
        Whether an image, by its name without suffix, is of the split; by default all are.

    Raises
    ------
    UsageError
        If the files are not there, or are something else.
    """
    found = find_nus(path)
    folder = found or base_folder(path, LAYOUT, card.name, ("data", ""))
    stimuli = files_by_name(folder / STIMULI, SUFFIXES)
    entries = fixations_by_name(folder / FIXATIONS)
    items = [
        Item(name, stimuli[name], partial(to_image, fixations, card.size, card.longest))
        for name, fixations in entries.items()
        if name in stimuli and (belongs is None or belongs(name))
    ]
    present = sum(name in stimuli for name in entries)
    notes = []
    if present < len(entries):
        notes.append(f"{present} of {len(entries)} entries of {FIXATIONS} present as images, the others skipped")
    if not present:
        raise UsageError(
            f"{card.name}:{path}: none of the {len(entries)} images that {FIXATIONS} names is in {folder / STIMULI}"
        )
    most = max(len(fixations.subjects) for fixations in entries.values())
    if card.observers is not None and most > card.observers:
        notes.append(f"{most} observers of an image, where {card.observers} took part; is it {card.title}?")
    return Dataset(card, path, split, sorted(items, key=lambda item: item.name), notes)


def find_nus(path: Path) -> Path | None:
    """Return the folder that holds the stimuli and their fixations, `path` or one within, or None."""
    return find_folder(path, LAYOUT) if path.is_dir() else None


def fixations_by_name(path: Path) -> dict[str, Fixations]:
    """Return {image's name without suffix: fixations} of a file; see `read_entries`.

    Raises
    ------
    UsageError
        If the file is something else, or names an image twice.
    """
    found: dict[str, Fixations] = {}
    for img, fixations in read_entries(path):
        name = one_form(Path(img).stem)
        if name in found:
            raise UsageError(f"{path}: two entries of the image '{one_line(name, 80)}'")
        found[name] = fixations
    return found


def to_image(fixations: Fixations, size: Shape | None, longest: int | None, shape: Shape) -> Fixations:
    """Return fixations in pixels of an image of shape (H, W).

    Parameters
    ----------
    fixations : Fixations
    size : (H, W), optional
        Of the stimulus as it was shown.
    longest : int, optional
        Its longest side, where its size is not known: the sides are in the proportion of the image's.
    shape : (H, W)
    """
    if size is None:
        scale = (longest or max(shape)) / max(shape)
        size = (round(shape[0] * scale), round(shape[1] * scale))
    return fixations.resized(size, shape)


def read_entries(path: Path) -> Iterator[tuple[str, Fixations]]:
    """Yield each entry's file name and its fixations in pixels of the stimulus, counted from 0.

    They come with their order, and with durations where every one has one. Observers are numbered from 0 in the order
    of the file.

    Raises
    ------
    UsageError
        If the file is missing or is something else.
    """
    for number, entry in enumerate(records(load_variable(path, ("fixations",)), str(path))):
        where = f"{path}: fixations{{{number + 1}}}"
        name = text_field(entry, "img", where)
        xs, ys, durations = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
        subjects, orders = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        is_timed = True
        for subject, looked in enumerate(records(array_field(entry, "subjects", where), f"{where}.subjects")):
            x = numbers_field(looked, "fix_x", f"{where} ({name})")
            y = numbers_field(looked, "fix_y", f"{where} ({name})")
            if len(x) != len(y):
                raise UsageError(f"{where} ({name}): observer {subject + 1} has {len(x)} fix_x and {len(y)} fix_y")
            xs.append(x - FIRST)
            ys.append(y - FIRST)
            subjects.append(np.full(len(x), subject))
            orders.append(np.arange(len(x)))
            duration = numbers_field(looked, DURATION, where) if DURATION in looked.names else np.zeros(0)
            is_timed = is_timed and len(duration) == len(x)
            durations.append(duration)
        try:
            yield (
                name,
                Fixations(
                    np.concatenate(xs),
                    np.concatenate(ys),
                    np.concatenate(subjects),
                    np.concatenate(orders),
                    np.concatenate(durations) if is_timed else None,
                ),
            )
        except UsageError as error:
            raise UsageError(f"{where} ({name}): {error}") from None


def split_test(card: DatasetCard, split: str, is_test: Callable[[str], bool]) -> Callable[[str], bool] | None:
    """Return whether an image is of a split of two parts, test and train."""
    if split == ALL:
        return None
    return is_test if split == "test" else lambda name: not is_test(name)
