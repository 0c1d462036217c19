"""A folder that is watched: each photo is cut out as soon as it is there as a whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import SalboxError, UsageError
from ..imaging.inputs import ImageFile, find_images

SECONDS = 1.0  # between two looks


def arrivals(
    folder: Path, exclude: Path, *, recursive: bool = False, wait: Callable[[float], None] = time.sleep
) -> Iterator[ImageFile]:
    """Yield each image of a folder once it is as large as it was a moment ago, those that are there first; no end.

    One that changes later is yielded again.

    Parameters
    ----------
    folder : Path
    exclude : Path
        Where the outputs go.
    recursive : bool
        Whether folders below it are watched too.
    wait : callable
        Takes how many seconds to wait between two looks.

    Raises
    ------
    UsageError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no folder that could be watched")
    seen: dict[Path, tuple[int, int]] = {}
    done: dict[Path, tuple[int, int]] = {}
    while True:
        for image in _images(folder, exclude, recursive):
            try:
                found = image.path.stat()
            except OSError:  # gone again
                continue
            state = (found.st_size, found.st_mtime_ns)
            if seen.get(image.path) == state and done.get(image.path) != state:
                done[image.path] = state
                yield image
            seen[image.path] = state
        wait(SECONDS)


def _images(folder: Path, exclude: Path, recursive: bool) -> list[ImageFile]:
    try:
        return find_images([str(folder)], recursive=recursive, exclude=exclude)
    except SalboxError:  # none there yet
        return []
