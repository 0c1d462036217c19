"""Lines of a page that stay when it is written anew."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "_earlier.py"

PAGE = """# Page

Measured 2026-01-02 on A, 2 cores; Python 3.11. Written by `x.py` from
runs.

## One, 3 photos

| model | NSS |
|---|---|
| `a` | 1 [0, 2] |
| `b` | 2 [1, 3] |
| other | 3 |

## Two

| model | s |
|---|---|
| `b` |  |
"""


@pytest.fixture
def earlier(tmp_path: Path):
    spec = importlib.util.spec_from_file_location("_earlier", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def make(text: str, measured: list[str]):
        page = tmp_path / "page.md"
        page.write_text(text)
        return module.Earlier(page, ("`c`", "`a`", "`b`", "`d`"), measured)

    return make


def test_lines_that_are_not_measured_stay_and_those_that_are_do_not(earlier):
    found = earlier(PAGE, ["`a`", "`c`"])
    lines = found.joined("One, 3 photos", [["`a`", "9"], ["`c`", "8"], ["other", "7"]])
    assert lines == [["`c`", "8"], ["`a`", "9"], ["`b`", "2 [1, 3]"], ["other", "7"]]
    assert found.joined("Two", []) == [["`b`", ""]]
    assert (
        found.said == "Measured before: `b` (2026-01-02 on A, 2 cores; Python 3.11); milliseconds are of that machine."
    )


def test_when_they_were_measured_stays_said(earlier):
    again = PAGE.replace(
        "## One", "Measured before: `b` (2025-01-02 on B); milliseconds are of that machine.\n\n## One"
    )
    assert "(2025-01-02 on B)" in earlier(again, ["`a`"]).said
    assert earlier(PAGE, ["`a`", "`b`"]).said == ""
