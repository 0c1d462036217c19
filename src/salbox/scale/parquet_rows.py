"""Images in Parquet files: a column of bytes, and one that says what they are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..errors import ImageError, SalboxError, UsageError, name_some, nearest, one_line
from .arrow import arrow, damages
from .row import Row, check_size, refuse, row_key
from .units import Source, Unit, group_name

# What such columns are called, the likelier first; a column of structs with `bytes` and `path` is what the library
# datasets writes.
IMAGE_NAMES = ("image", "bytes", "img", "content", "data", "jpg", "jpeg", "png", "webp")
KEY_NAMES = ("key", "__key__", "path", "file_name", "filename", "file", "name", "image_id", "id", "uri", "url")
_BATCH = 16  # rows that are unpacked at a time


def count_groups(source: Source) -> int:
    """Return how many groups of rows a Parquet file has; 1 if it cannot be read: whoever reads its rows says why."""
    try:
        with source.place.open(source.path) as file:
            return max(1, arrow("parquet").read_metadata(file).num_row_groups)
    except damages():
        return 1


def parquet_parts(
    unit: Unit, image_column: str | None, key_column: str | None, max_bytes: int
) -> Iterator[tuple[str, Iterator[Row]]]:
    """Yield the name of each group of rows of a unit, and the group's rows.

    Raises
    ------
    UsageError
        If the columns are not there, or it cannot be told which are meant.
    OSError, ValueError
        If the file is damaged, or cannot be reached; while rows are taken, too.
    """
    source = unit.files[0]
    seen: set[str] = set()
    with source.place.open(source.path) as file:
        table = arrow("parquet").ParquetFile(file, pre_buffer=False, page_checksum_verification=True)
        columns = Columns.of(table.schema_arrow, source.uri, image_column, key_column)
        for group in range(table.metadata.num_row_groups) if unit.group is None else [unit.group]:
            yield group_name(unit.name, group), _rows(table, group, columns, unit, max_bytes, seen)


@dataclass(frozen=True)
class Columns:
    """Which columns are meant: of the bytes, perhaps within structs, and of the names, None for the number of a row."""

    image: str
    is_struct: bool
    key: str | None
    key_in_struct: bool = False

    @property
    def names(self) -> list[str]:
        """The columns to read."""
        return [self.image, *([self.key] if self.key is not None and not self.key_in_struct else [])]

    @classmethod
    def of(cls, schema: Any, where: str, image: str | None = None, key: str | None = None) -> Columns:
        """Return the columns of a file.

        Parameters
        ----------
        schema : pyarrow.Schema
        where : str
            The file, for messages.
        image, key : str, optional
            The columns, where somebody says.

        Raises
        ------
        UsageError
            If there is none of that name, or none, or several, that the images may be in.
        """
        types = arrow("types")
        structs = [f.name for f in schema if types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0]
        binary = [f.name for f in schema if types.is_binary(f.type) or types.is_large_binary(f.type)]
        for name in (image, key):
            if name is not None and name not in schema.names:
                hint = nearest(name, schema.names)
                raise UsageError(f"{where}: no column '{name}'{hint} (it has {name_some(schema.names, quoted=True)})")
        found = image or _likeliest([*structs, *binary], IMAGE_NAMES)
        if found is None or found not in (*structs, *binary):
            raise UsageError(
                f"{where}: which column holds images as bytes? --image-column names one "
                f"(it has {name_some(schema.names, quoted=True)})"
            )
        is_struct = found in structs
        if key is None and is_struct and schema.field(found).type.get_field_index("path") >= 0:
            return cls(found, True, "path", True)
        names = [
            f.name
            for f in schema
            if types.is_string(f.type) or types.is_large_string(f.type) or types.is_integer(f.type)
        ]
        named = [name for name in KEY_NAMES if name in names]
        return cls(found, is_struct, key or (named[0] if named else None))


def _likeliest(names: Sequence[str], known: Sequence[str]) -> str | None:
    if len(names) == 1:
        return names[0]
    return next((name for name in known if name in names), None)


def _rows(table: Any, group: int, columns: Columns, unit: Unit, max_bytes: int, seen: set[str]) -> Iterator[Row]:
    """Yield the rows of a group."""
    uri = unit.files[0].uri
    number = sum(table.metadata.row_group(before).num_rows for before in range(group))
    batches = table.iter_batches(_BATCH, row_groups=[group], columns=columns.names, use_threads=False)
    for batch in batches:
        images = batch.column(columns.image)
        inside = {} if not columns.is_struct else _fields(images)
        contents = inside.get("bytes", images)
        keys = None
        if columns.key is not None:
            keys = inside["path"] if columns.key_in_struct else batch.column(columns.key)
        for place in range(batch.num_rows):
            name = None if keys is None else keys[place].as_py()
            where = f"{uri} row {number}"
            try:
                key = row_key(unit, f"{number:09}" if name in (None, "") else str(name))
                if key in seen:
                    raise SalboxError(f"another row is called '{one_line(name, 80)}' too")
                seen.add(key)
            except SalboxError as error:
                yield Row("", where, partial(refuse, str(error)))
            else:
                yield Row(key, where, partial(_content, contents[place], max_bytes))
            number += 1


def _fields(structs: Any) -> dict[str, Any]:
    """Return the fields of an array of structs; where there is no struct there is nothing in them."""
    return {field.name: values for field, values in zip(structs.type, structs.flatten(), strict=True)}


def _content(value: Any, most: int) -> bytes:
    if not value.is_valid:
        raise ImageError("there is no image")
    buffer = value.as_buffer()
    check_size(buffer.size, most)
    return bytes(buffer.to_pybytes())
