"""The page of what was done to break salbox: tests that it names exist, and figures come from what the runs wrote."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield importlib.import_module("robustness")
    sys.path.remove(str(ROOT / "benchmarks"))


def test_every_test_that_the_page_names_exists(page):
    for named in (page.TESTS, page.REPRODUCIBLE):
        for test in (test for tests in named.values() for test in tests):
            file, _, function = test.partition("::")
            assert f"\ndef {function}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), test


def test_faults_are_told(page):
    found = {"seed": 0, "files": 300, "readers": {"npz": 100, "csv": 200}, "seconds": 120, "slowest_seconds": 1.25}
    found |= {"slowest_reader": "csv", "mebibytes_beyond_the_start": 7}
    clean = page.fuzzing(found | {"faults": []})
    assert "300 damaged files" in clean
    assert "100 to 200 of each of 2 kinds" in clean
    assert "None of these happened." in clean
    fault = {"reader": "npz", "fault": "KeyError", "text": "a.py:3", "count": 4, "files": ["0:npz:1"]}
    told = page.fuzzing(found | {"faults": [fault]})
    assert "None" not in told
    assert "| npz | KeyError | a.py:3 | 4 |" in " ".join(told.split())
