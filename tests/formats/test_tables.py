"""Tables as text: however cells are parted, quoted and encoded, and whether the first line names the columns."""

from __future__ import annotations

import pytest

from salbox.errors import UsageError
from salbox.formats.tables import column_name, read_table

KNOWN = {"x", "y"}
ROWS = [["10", "20"], ["30.5", "40"]]


@pytest.mark.parametrize(
    "text",
    [
        "10,20\n30.5,40\n",
        "10, 20\r\n30.5 ,40",
        "10;20\n\n30.5;40\n",
        "10\t20\r30.5\t40\r",
        "  10   20\n30.5 40  \n",
        '"10","20"\n"30.5","40"\n',
        "10,20,\n30.5,40,\n",
        "% a remark\n10 20\n30.5 40\n",
        "# two words\n10 20\n30.5 40\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_cells(tmp_path, text, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    assert read_table(path, KNOWN) == (None, ROWS)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("x,y\n10,20\n30.5,40\n", ("x", "y")),
        ("X [px]; Fix-Y\n10;20\n30.5;40\n", ("x", "fix_y")),
        ('"x"\t"y"\n10\t20\n30.5\t40\n', ("x", "y")),
        ("# x y\n10 20\n30.5 40\n", ("x", "y")),
        ("# made by hand\n# y,x\n10,20\n30.5,40\n", ("y", "x")),
        ("x y\n10 20\n30.5 40\n", ("x", "y")),
    ],
)
def test_the_first_line_names_the_columns(tmp_path, text, header):
    (tmp_path / "a.txt").write_text(text)
    assert read_table(tmp_path / "a.txt", KNOWN) == (header, ROWS)


def test_nothing_and_names_alone(tmp_path):
    for text, header in (("", None), ("\n \n", None), ("x,y\n", ("x", "y"))):
        (tmp_path / "a.txt").write_text(text)
        assert read_table(tmp_path / "a.txt", KNOWN) == (header, [])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1,2\n3\n", "row 2 has 1 cells, expected 2"),
        (b'"x" "y"\n"1" 10 20\n', "row 1 has 3 cells, expected 2"),  # as R writes names of rows
        (b"10,5;20,5\n", "'10,5': numbers with decimal commas are not read"),
        (b"10,5 20,5\n", "'5 20': numbers with decimal commas are not read"),
        (b'1,"2\n', "not readable as a table"),
        (b"\xff\xfe\x00", "not a text in UTF-8"),
        (b"x,y\n\xe9,1\n", "not a text in UTF-8"),
        (b"1,2\x00\n", "null characters"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        read_table(tmp_path / "a.csv", KNOWN)
    assert str(caught.value).startswith(str(tmp_path / "a.csv"))
    assert "\n" not in str(caught.value)


def test_too_large_a_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("salbox.formats.tables.MAX_BYTES", 10)
    (tmp_path / "a.csv").write_text("1,2\n" * 5)
    with pytest.raises(UsageError, match="20 bytes"):
        read_table(tmp_path / "a.csv", KNOWN)


@pytest.mark.parametrize(
    ("text", "name"), [("x (pixels)", "x"), ("y_px", "y"), ("px", "px"), ("x_deg", "x_deg"), ("Fix. X", "fix_x")]
)
def test_names_of_columns(text, name):
    assert column_name(text) == name
