from __future__ import annotations

import errno

import pytest

from salbox.scale.places import Folder
from salbox.scale.table import COLUMNS, PartError, PartWriter

pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

NUMBERS = {"int32", "float", "double"}
ROW = {name: 1 if kind in NUMBERS else b"map" if kind == "binary" else "text" for name, kind in COLUMNS.items()}


def write(folder, *rows, then=lambda: None):
    """Write rows to a part in a folder; `then` is called before it ends."""
    with PartWriter(Folder(folder), "a.parquet") as part:
        for row in rows:
            part.add(row)
        assert part.is_empty == (not rows)
        then()


def test_rows_that_were_added_are_there_when_the_block_ends_well(tmp_path):
    write(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyError):
        write(tmp_path, ROW, then=lambda: {}["no such key"])
    assert list(tmp_path.iterdir()) == []
    write(tmp_path, ROW, then=lambda: list(tmp_path.iterdir()) == [] or pytest.fail("it is there already"))
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [ROW]


@pytest.mark.parametrize("step", ["write_table", "close"])
def test_a_disk_that_is_full_is_one_kind_of_error(tmp_path, monkeypatch, step):
    def full(*_):
        monkeypatch.undo()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, step, full)
    with pytest.raises(PartError, match=r"cannot be written .*No space left"):
        write(tmp_path, ROW)
    assert list(tmp_path.iterdir()) == []


def test_of_two_errors_the_first_is_said(tmp_path, monkeypatch):
    close = pq.ParquetWriter.close

    def full(writer):
        close(writer)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("salbox.scale.table._GROUP_BYTES", 1)  # each row is written at once
    monkeypatch.setattr(pq.ParquetWriter, "close", full)
    with pytest.raises(KeyError):
        write(tmp_path, ROW, then=lambda: {}["no such key"])
    assert list(tmp_path.iterdir()) == []
