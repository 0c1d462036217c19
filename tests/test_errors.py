"""What messages are made of."""

from __future__ import annotations

import pytest

from salbox.errors import name_some, nearest, one_line


def test_name_some():
    assert name_some([]) == ""
    assert name_some("abcde") == "a, b, c, d, e"
    assert name_some("abcdefg") == "a, b, c, d, e and 2 more"
    assert name_some("abcd", 3, quoted=True) == "'a', 'b', 'c' and 1 more"
    assert name_some(["x" * 99, "a\nb\x1b[2J"], quoted=True) == f"'{'x' * 80}', 'a b'"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n  b\tc", "a b c"),
        (ValueError("a\nb"), "a b"),
        (MemoryError(), "MemoryError"),
        ("", ""),
        ("x" * 300, "x" * 200),
        ("\x1b[31mred\udc80", "red?"),
    ],
)
def test_one_line(text, line):
    assert one_line(text) == line


def test_nearest():
    assert nearest("gbsv", ["gbvs", "aim"]) == "; did you mean 'gbvs'?"
    assert nearest("zzz", ["gbvs", "aim"]) == ""
