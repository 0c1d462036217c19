"""Results as Parquet: a row for each map, packed as the file that it would be, with what it is and its statistics."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import SalboxError, one_line
from .arrow import arrow, damages
from .places import Place

_GROUP_BYTES = 1 << 25  # of a group of rows, which is held until it is written
COLUMNS = {
    "key": "string",
    "source": "string",
    "source_digest": "string",
    "model": "string",
    "card_sha256": "string",
    "output": "string",
    "width": "int32",
    "height": "int32",
    "minimum": "float",
    "maximum": "float",
    "mean": "double",
    "std": "double",
    "format": "string",
    "map": "binary",
}


class PartError(SalboxError):
    """A file of results that cannot be written: what it was to hold is not done."""


class PartWriter:
    """Writes rows to a file of a place, which is there when the block has ended well; without rows there is none.

    Parameters
    ----------
    place : Place
    path : str
    """

    def __init__(self, place: Place, path: str) -> None:
        self._place, self._path = place, path
        types = {"string": "string", "int32": "int32", "float": "float32", "double": "float64", "binary": "binary"}
        pa = arrow()
        self._schema = pa.schema([(name, getattr(pa, types[kind])()) for name, kind in COLUMNS.items()])
        self._folder = tempfile.TemporaryDirectory(prefix="salbox-")
        self._file = Path(self._folder.name) / "part.parquet"
        self._writer: Any = None
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._folder:
            if kind is not None:
                if self._writer is not None:
                    with contextlib.suppress(*damages()):  # what went wrong first is what is said
                        self._writer.close()
                return
            self._flush()
            if self._writer is not None:
                with self._named():
                    self._writer.close()
                self._place.move_in(self._file, self._path)

    @property
    def is_empty(self) -> bool:
        """Whether no row has been added."""
        return self._writer is None and not self._rows

    def add(self, row: dict[str, Any]) -> None:
        """Add a row: a value for each of `COLUMNS`."""
        self._rows.append(row)
        self._bytes += len(row["map"])
        if self._bytes >= _GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        table = arrow().Table.from_pylist(self._rows, schema=self._schema)
        with self._named():
            if self._writer is None:
                self._writer = arrow("parquet").ParquetWriter(self._file, self._schema, compression="zstd")
            self._writer.write_table(table)
        self._rows, self._bytes = [], 0

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Have what Arrow raises be one kind of error, which names the file."""
        try:
            yield
        except damages() as error:
            raise PartError(f"{self._file}: cannot be written ({one_line(error)})") from None
