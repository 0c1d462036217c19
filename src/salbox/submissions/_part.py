"""A submission while it is being written: FILE.part, which a later run goes on with."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt

from ..errors import UsageError
from ..types import Output


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


class Submission(ABC):
    """A file that takes maps one by one, under its name with `.part` until `finish`; use it in a `with` block.

    Parameters
    ----------
    path : Path
    settings : mapping
        What all maps depend on. A `.part` of the same settings is gone on with, another one is replaced.
    contents : mapping, optional
        Key -> a text that says what the map's image holds; maps that an earlier run made of another one are not kept.

    Attributes
    ----------
    path, part : Path
    there : frozenset of str
        The keys of the maps that an earlier run wrote.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """

    there: frozenset[str]
    _file: Any

    def __init__(self, path: Path, settings: Mapping[str, Any], contents: Mapping[str, str] | None = None) -> None:
        self._contents = contents or {}
        self.path, self.part = path, path.with_name(f"{path.name}.part")
        text = json.dumps(settings, sort_keys=True, default=str)
        self._digest = hashlib.sha256(text.encode()).hexdigest()

    def __enter__(self) -> Self:
        try:
            self.part.parent.mkdir(parents=True, exist_ok=True)
            self.there = frozenset(self._open())
        except OSError as error:
            raise self._refused(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @abstractmethod
    def _open(self) -> Iterable[str]:
        """Open the part as `_file`; return the keys of the maps that an earlier run of these settings left in it.

        None of another image is left in it.
        """

    @abstractmethod
    def add(self, key: str, saliency: npt.NDArray[Any], output: Output = "score") -> None:
        """Write a map, (H, W)."""

    @abstractmethod
    def finish(self) -> None:
        """Give the file its name."""

    def _refused(self, error: OSError) -> UsageError:
        return UsageError(f"{self.part}: cannot be written ({error.strerror or error})")
