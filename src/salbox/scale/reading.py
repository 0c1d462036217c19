"""Reading: the rows of a unit one after the other, whatever it is, in parts that chunks are counted in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ..errors import UsageError, one_line
from .arrow import damages
from .parquet_rows import parquet_parts
from .row import MAX_BYTES, Row, UnreadableError, check_size
from .tar_rows import tar_rows
from .units import Source, Unit

ROWS = 256

T = TypeVar("T")


@dataclass(frozen=True)
class Reading:
    """How rows are read.

    Attributes
    ----------
    rows : int
        Of a chunk: what is written, and known to be done, at once.
    image_column, key_column : str, optional
        Of Parquet files; by default found by their types and names.
    max_bytes : int
        Of an image.

    Raises
    ------
    UsageError
        For a chunk without rows.
    """

    rows: int = ROWS
    image_column: str | None = None
    key_column: str | None = None
    max_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise UsageError(f"{self.rows} rows a shard: expected at least 1")

    def parts(self, unit: Unit) -> Iterator[tuple[str, Iterator[Row]]]:
        """Yield the name of each part of a unit, and its rows, which are taken before the next part is asked for.

        A list of files and a tar shard are one part, a Parquet file has one for each of its groups of rows.

        Raises
        ------
        UnreadableError
            While parts or rows are taken, if a shard is damaged or cannot be reached.
        """
        if unit.kind == "images":
            yield unit.name, self._of_files(unit)
        elif unit.kind == "tar":
            yield unit.name, _watched(unit.uri, lambda: tar_rows(unit, self.max_bytes))
        else:
            for name, rows in _watched(
                unit.uri, lambda: parquet_parts(unit, self.image_column, self.key_column, self.max_bytes)
            ):
                yield name, _watched(unit.uri, partial(iter, rows))

    def _of_files(self, unit: Unit) -> Iterator[Row]:
        for file in unit.files:
            yield Row(file.key, file.uri, partial(_read, file, self.max_bytes))


def _read(file: Source, most: int) -> bytes:
    check_size(file.size, most)
    try:
        with file.place.open_once(file.path) as opened:
            content = opened.read(most + 1)
    except damages() as error:
        raise UnreadableError(f"cannot be read ({one_line(error)})") from None
    check_size(len(content), most)
    return content


def _watched(uri: str, begin: Callable[[], Iterator[T]]) -> Iterator[T]:
    """Yield what there is; what reading raises becomes one kind of error, which names the shard."""
    try:
        yield from begin()
    except UsageError as error:  # names it already
        raise UnreadableError(str(error)) from None
    except damages() as error:
        raise UnreadableError(f"{uri}: cannot be read further ({one_line(error)})") from None
