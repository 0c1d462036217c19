"""A submission while it is being written: FILE.part, which a later run goes on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from ..cards import Output


@dataclass(frozen=True)
class Stored:
    """A map in a submission.

    Attributes
    ----------
    key : str
        What it is called there.
    shape : (H, W)
        As the file says before the map is read.
    read : callable
        Returns the map, (H, W).
    """

    key: str
    shape: tuple[int, int]
    read: Callable[[], npt.NDArray[Any]]


class Submission(Protocol):
    """A file that takes maps one by one."""

    path: Path

    @property
    def there(self) -> frozenset[str]:
        """The keys of the maps that an earlier run wrote."""
        ...

    def add(self, key: str, saliency: npt.NDArray[Any], output: Output) -> None:
        """Write a map."""
        ...

    def finish(self) -> None:
        """Give the file its name."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def part_of(path: Path) -> Path:
    """Return where a submission is written until it is whole."""
    return path.with_name(f"{path.name}.part")


def digest(settings: Mapping[str, Any]) -> str:
    """Return a text that changes with what the maps depend on."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


def exponential(saliency: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the density of a log density, scaled so that its maximum is 1."""
    values = saliency.astype(np.float64)
    return np.exp(values - values.max())
