"""The pages of models say what cards and results say today."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from salbox.models.registry import MODELS

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "document_models.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("document_models", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_the_pages_are_as_the_script_writes_them(script):
    stale = [
        path.name for path, text in script.written().items() if not path.is_file() or path.read_text("utf-8") != text
    ]
    assert stale == [], "run scripts/document_models.py"
    assert {path.stem for path in script.MODELS.glob("*.md")} == set(MODELS)


def test_the_figures_are_those_of_the_results(script):
    """Worked out by eye: the line of a results page, word for word, stands on the model's page."""
    results = (script.RESULTS / "training.md").read_text("utf-8").splitlines()
    line = next(line for line in results if line.startswith("| `gaze` |"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert f"| {' | '.join(cells)} |" in (script.MODELS / "gaze.md").read_text("utf-8")
    assert cells[1] in (script.DOCS / "which-model.md").read_text("utf-8")


def test_a_row_is_of_a_model_and_its_variants_alone(script):
    rows = ("model | NSS", "---|---", "`sam`, VGG-16 | 1", "sam | 2", "`sam.lite` | 3", "centre bias | 4")
    text = "## Here\n\n" + "".join(f"| {row} |\n" for row in rows)
    (table,) = script._tables("page", text)
    assert table.section == "Here"
    assert table.of("sam", ("centre",)) == [("`sam`, VGG-16", "1"), ("sam", "2"), ("centre bias", "4")]
    assert table.of("gbvs", ("centre",)) == []


def test_a_place_that_is_missing_is_said(script):
    with pytest.raises(SystemExit, match="0 places for 'people'"):
        script.filled("nothing here", "people", "table")


def test_the_pages_that_it_reads_are_there(script):
    """A results page that is renamed would leave its figures out in silence."""
    for pages in script.QUESTIONS.values():
        assert all(script.tables(page) for page in pages)
    rows, columns = script.EVIDENCE["people"]
    assert all(script._figure("gaze", places) for places in columns.values())
    assert rows[-1] == "human ceiling"
