"""Features of pictures on disk, memory-mapped, a row each: written in order, so that what is there says how far it is.

They are kept as float16: the rounding, 2^-11 of each value, is below what a step of training changes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DTYPE = np.dtype(np.float16)
_INDEX = "index.json"

Shape3 = tuple[int, int, int]


@dataclass(frozen=True)
class FeatureFiles:
    """Features of pictures of one size, and of their mirror images.

    Attributes
    ----------
    folder : Path
    shapes : tuple of (int, int, int)
        Height, width and channels of each tensor of a picture.
    rows : int
        How many pictures there are.
    flips : tuple of texts
        The ways in which they are there mirrored: "" for none, "h", "v" or "hv".
    """

    folder: Path
    shapes: tuple[Shape3, ...]
    rows: int
    flips: tuple[str, ...]

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process opens the same files by, not what they hold."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def size(self) -> int:
        """Bytes of all files when they are complete."""
        return len(self.flips) * self.rows * sum(map(_bytes, self.shapes))

    def read(self, rows: Sequence[int], flips: Sequence[str]) -> tuple[npt.NDArray[np.float16], ...]:
        """Return the features of some pictures, each mirrored in its way: each (n, h, w, C) float16."""
        found = tuple(np.empty((len(rows), *shape), DTYPE) for shape in self.shapes)
        for i, (row, flip) in enumerate(zip(rows, flips, strict=True)):
            for values, stored in zip(found, self._stored[flip], strict=True):
                values[i] = stored[row]
        return found

    def begin(self, identity: str) -> dict[str, int]:
        """Return how many rows are there of each way, after what was made of something else is removed.

        Parameters
        ----------
        identity : str
            What features depend on beside the pictures.
        """
        index = {"identity": identity, "shapes": [list(shape) for shape in self.shapes], "dtype": DTYPE.name}
        path = self.folder / _INDEX
        if _read(path) != index:
            self.folder.mkdir(parents=True, exist_ok=True)
            for flip in ("", "h", "v", "hv"):
                for file in self._files(flip):
                    file.unlink(missing_ok=True)
            path.write_text(json.dumps(index), encoding="utf-8")
        return {flip: self._whole_rows(flip) for flip in self.flips}

    def append(self, flip: str, first: int, values: Sequence[npt.NDArray[np.float16]]) -> None:
        """Write the features of the next pictures of a way, from row `first` on."""
        for file, shape, array in zip(self._files(flip), self.shapes, values, strict=True):
            with file.open("r+b" if file.exists() else "wb") as stream:
                stream.truncate(first * _bytes(shape))  # what a run that died wrote beyond
                stream.seek(0, 2)
                stream.write(np.ascontiguousarray(array, DTYPE).tobytes())

    def _whole_rows(self, flip: str) -> int:
        """Return how many pictures all files of a way hold."""
        sizes = [file.stat().st_size if file.exists() else 0 for file in self._files(flip)]
        return min(self.rows, *(size // _bytes(shape) for size, shape in zip(sizes, self.shapes, strict=True)))

    def _files(self, flip: str) -> list[Path]:
        return [self.folder / f"{flip or 'plain'}.{k}" for k in range(len(self.shapes))]

    @cached_property
    def _stored(self) -> dict[str, list[npt.NDArray[np.float16]]]:
        return {
            flip: [
                np.memmap(file, DTYPE, "r", shape=(self.rows, *shape))
                for file, shape in zip(self._files(flip), self.shapes, strict=True)
            ]
            for flip in self.flips
        }


def _bytes(shape: Shape3) -> int:
    return DTYPE.itemsize * shape[0] * shape[1] * shape[2]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
