"""Units: what is handed to one worker at a time, a shard or some files, under a name that stays the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from .places import Place

Kind = Literal["images", "tar", "parquet"]
SHARDS: dict[str, Kind] = {".tar": "tar", ".parquet": "parquet"}  # by suffix
_DIGEST_BYTES = 10


@dataclass(frozen=True)
class Source:
    """A file among the inputs, and what its outputs are called, or begin with."""

    place: Place
    path: str
    key: str
    size: int
    state: str

    @property
    def uri(self) -> str:
        """How it is called in messages."""
        return self.place.uri(self.path)

    @property
    def is_shard(self) -> bool:
        """Whether it holds images, and is none."""
        return suffix_of(self.path) in SHARDS


@dataclass(frozen=True)
class Unit:
    """What one worker does at a time.

    Attributes
    ----------
    kind : {"images", "tar", "parquet"}
    files : tuple of Source
        One shard, or some images.
    group : int, optional
        Of a Parquet file the only group of rows that is meant.
    """

    kind: Kind
    files: tuple[Source, ...]
    group: int | None = None

    @property
    def name(self) -> str:
        """The same for the same files, whatever else there is."""
        return digest(file.uri for file in self.files)

    @property
    def mark(self) -> str:
        """The name under which it is known to be done."""
        return self.name if self.group is None else group_name(self.name, self.group)

    @property
    def uri(self) -> str:
        """How it is called in messages."""
        first = self.files[0].uri
        return first if len(self.files) == 1 else f"{first} and {len(self.files) - 1} more"


def group_name(name: str, group: int) -> str:
    """Return the name of a group of rows of a Parquet file."""
    return f"{name}-g{group:05}"


def digest(texts: Iterable[str]) -> str:
    """Return a text that changes with texts, 20 hexadecimal digits."""
    made = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for text in texts:
        made.update(repr(text).encode("utf-8", "backslashreplace"))
    return made.hexdigest()


def of_images(files: Sequence[Source], rows: int) -> list[Unit]:
    """Return units of so many images each."""
    return [Unit("images", tuple(files[start : start + rows])) for start in range(0, len(files), rows)]


def suffix_of(path: str) -> str:
    """Return the suffix of a path, in small letters."""
    return PurePosixPath(path).suffix.lower()
