from __future__ import annotations

import pytest
from shards import photo, write_parquet

from salbox.errors import SalboxError
from salbox.scale.inputs import find_sources, units_of
from salbox.scale.parquet_rows import Columns
from salbox.scale.reading import Reading
from salbox.scale.row import UnreadableError

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pq = pytest.importorskip("pyarrow.parquet")


def parts_of(path, *, workers=1, **settings):
    """Return {part: rows} of a Parquet file, each row (key, content or error)."""
    parts = {}
    for unit in units_of(find_sources([str(path)]), 256, workers):
        for name, rows in Reading(**settings).parts(unit):
            parts[name] = [(row.key, _content(row)) for row in rows]
    return parts


def _content(row):
    try:
        return row.read()
    except SalboxError as error:
        return str(error)


def test_groups_of_rows_are_the_same_parts_however_they_are_handed_out(tmp_path):
    for number in range(4):
        contents = [photo(10 * number + each) for each in range(5)]
        path = write_parquet(tmp_path / f"s{number}.parquet", contents, group=2, path=[f"{n}.png" for n in range(5)])
    alone = parts_of(path)
    assert [len(rows) for rows in alone.values()] == [2, 2, 1]
    assert [row for rows in alone.values() for row in rows] == [(f"s3/{n}.png", photo(30 + n)) for n in range(5)]
    pattern = str(tmp_path / "*.parquet")
    assert {u.group for u in units_of(find_sources([pattern]), 256, workers=1)} == {None}
    together = {name: rows for name, rows in parts_of(pattern, workers=1).items() if name in alone}
    assert together == alone


def test_rows_without_a_name_are_called_by_their_number(tmp_path):
    path = write_parquet(tmp_path / "s.parquet", [b"a", b"b", None], group=2)
    rows = [row for part in parts_of(path).values() for row in part]
    assert rows == [("s/000000000", b"a"), ("s/000000001", b"b"), ("s/000000002", "there is no image")]


def test_structs_of_bytes_and_path_are_read(tmp_path):
    path = tmp_path / "s.parquet"
    images = [{"bytes": b"a", "path": "x/../1.png"}, None, {"bytes": b"c", "path": None}]
    pq.write_table(pa.table({"image": images, "label": [1, 2, 3]}), path)
    (rows,) = parts_of(path).values()
    assert rows == [("s/x/1.png", b"a"), ("s/000000001", "there is no image"), ("s/000000002", b"c")]


def test_two_rows_of_one_name_are_not_one(tmp_path):
    path = write_parquet(tmp_path / "s.parquet", [b"a", b"b"], name=["same", "same"])
    (rows,) = parts_of(path).values()
    assert rows == [("s/same", b"a"), ("", "another row is called 'same' too")]


def test_columns_are_those_that_somebody_names():
    schema = pa.schema([("thumb", pa.binary()), ("full", pa.binary()), ("id", pa.int64()), ("note", pa.string())])
    assert Columns.of(schema, "f", "full", "note") == Columns("full", False, "note")
    assert Columns.of(schema, "f", "thumb").key == "id"
    with pytest.raises(SalboxError, match="--image-column"):
        Columns.of(schema, "f")
    with pytest.raises(SalboxError, match=r"no column 'ful'; did you mean 'full'"):
        Columns.of(schema, "f", "ful")
    with pytest.raises(SalboxError, match="--image-column"):
        Columns.of(schema, "f", "note")


@pytest.mark.parametrize("damage", [lambda b: b[:100], lambda b: b"", lambda b: b[:4] + b"\xff" * 60 + b[64:]])
def test_a_damaged_file_is_one_error(tmp_path, damage):
    path = write_parquet(tmp_path / "s.parquet", [photo(n) for n in range(3)])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnreadableError, match=r"s\.parquet"):
        parts_of(path)


def test_bytes_that_changed_since_their_checksum_are_no_image(tmp_path):
    path = write_parquet(tmp_path / "s.parquet", [photo(0)], checksums=True)
    content, piece = path.read_bytes(), photo(0)[500:516]  # of noise, which is not packed any further
    assert piece in content
    path.write_bytes(content.replace(piece, bytes(16)))
    with pytest.raises(UnreadableError, match=r"s\.parquet"):
        parts_of(path)
