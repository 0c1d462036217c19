"""Tables and arrays of an explanation: what is damaged is refused where it is read, not where it is used."""

from __future__ import annotations

import pytest

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

# ruff: noqa: E402 - what follows needs pyarrow

import pandas as pd

from salbox.errors import UsageError
from salbox.explain.files import read_table, write_table


def test_a_table_comes_back(tmp_path):
    table = pd.DataFrame({"name": ["a", "bé", None], "iou": [0.1, 0.2, 0.3], "unit": [1, 2, 3]})
    write_table(table, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), table, check_dtype=False)


def test_texts_that_are_no_utf8_are_refused(tmp_path):
    bad = pa.Array.from_buffers(pa.string(), 2, [*pa.array(["ab", "cd"]).buffers()[:2], pa.py_buffer(b"a\xffcd")])
    parquet.write_table(pa.table({"name": bad}), tmp_path / "t.parquet")
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(tmp_path / "t.parquet")


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(tmp_path / "t.parquet")
