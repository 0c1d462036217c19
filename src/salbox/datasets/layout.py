"""Where the parts of an unpacked archive are: with or without the folder that it was packed in, junk left out."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError

DEPTH = 3  # of folders within folders that are searched: archives are packed in one, some in another one of that name
MAX_FOLDERS = 2000


def is_junk(name: str) -> bool:
    """Return whether a file or folder is one that programs leave behind, such as `.svn` and `__MACOSX`."""
    return name.startswith(".") or name == "__MACOSX"


def folders(path: Path, depth: int = DEPTH) -> Iterator[Path]:
    """Yield a folder and those within it, the outer before the inner, in the order of their names."""
    waiting, count = deque([(path, 0)]), 0
    while waiting and count < MAX_FOLDERS:
        folder, level = waiting.popleft()
        count += 1
        yield folder
        if level < depth:
            try:
                inner = sorted(p for p in folder.iterdir() if not is_junk(p.name) and p.is_dir())
            except OSError:  # not ours to read
                continue
            waiting.extend((p, level + 1) for p in inner)


def find_folder(path: Path, *layouts: Sequence[str]) -> Path | None:
    """Return the first folder, `path` or one within, that holds all parts of one of the layouts."""
    for folder in folders(path):
        if any(all((folder / part).exists() for part in layout) for layout in layouts):
            return folder
    return None


def expect_folder(path: Path, dataset: str, *layouts: Sequence[str]) -> Path:
    """Return what `find_folder` does.

    Raises
    ------
    UsageError
        If there is none: the message says what was expected, and where.
    """
    if path.is_dir() and (found := find_folder(path, *layouts)) is not None:
        return found
    expected = ", or ".join(" and ".join(layout) for layout in layouts)
    missing = "expected there or in a folder within" if path.is_dir() else "no such folder; expected one that holds"
    raise UsageError(f"{dataset}:{path}: {missing} {expected}")


def first_folder(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the first of these folders that is there."""
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def natural(name: str) -> list[tuple[int, str]]:
    """Return what sorts names by the numbers in them: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def matched(
    images: Collection[str],
    truth: Mapping[str, Any],
    what: str,
    dataset: str,
    path: Path,
    *,
    count_images: bool = True,
) -> tuple[list[str], list[str]]:
    """Return the names that are both images and entries of the ground truth, and notes of what is left out.

    Parameters
    ----------
    images, truth : names
    what : str
        What an entry is, in the plural.
    count_images : bool
        Whether images without an entry are worth a note; not where the images of several splits lie together.

    Raises
    ------
    UsageError
        If there is no such name.
    """
    names = sorted((name for name in truth if name in images), key=natural)
    if not names:
        raise UsageError(
            f"{dataset}:{path}: none of the {len(truth)} {what} is of one of the {len(images)} images there"
        )
    notes = []
    if len(names) < len(truth):
        notes.append(f"{len(names)} of {len(truth)} {what} present as images, the others skipped")
    if count_images and len(names) < len(images):
        first = min((name for name in images if name not in truth), key=natural)
        notes.append(f"{len(images) - len(names)} images without {what} skipped, {first} the first")
    return names, notes


def folder_of(name: str) -> str | None:
    """Return the last folder of a name, which is the category of the image, or None where it has none."""
    return name.split("/")[-2] if "/" in name else None
