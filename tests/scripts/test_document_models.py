"""The pages of models say what cards and results say today."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

import salbox
from salbox.models.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "document_models.py"
SOURCE = ROOT / "src" / "salbox"


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


@pytest.mark.parametrize(("source", "name"), [("crop", "gaze"), ("objects", "scfnet")])
def test_the_figures_are_those_of_the_results(script, source, name):
    """Worked out by eye: the lines of a results page, word for word, stand on the model's page."""
    results = (script.RESULTS / f"{source}.md").read_text("utf-8").splitlines()
    lines = [line for line in results if re.match(rf"\| (\*\*)?`{name}`(\*\*)? \|", line)]
    page = (script.MODELS / f"{name}.md").read_text("utf-8")
    assert lines
    assert all(line in page for line in lines)


def test_the_evidence_is_that_of_the_results(script):
    results = (script.RESULTS / "training.md").read_text("utf-8").splitlines()
    line = next(line for line in results if line.startswith("| `gaze` |"))
    assert line in (script.MODELS / "gaze.md").read_text("utf-8")
    assert line.split("|")[2].strip() in script.WHICH.read_text("utf-8")


def test_models_that_ship_stand_apart_from_those_whose_weights_are_brought(script):
    parts = re.split(r"^### ", script.OVERVIEW.read_text("utf-8"), flags=re.MULTILINE)
    shipping = {name for part in parts if part.partition("\n")[0].endswith(": they ship") for name in _linked(part)}
    packaged = {path.stem for path in (SOURCE / "runtime" / "data").glob("*.onnx")} - {"box"}  # the students' network
    assert packaged | {"gbvs", "gbvs.student"} <= shipping
    assert not shipping & {"u2netp", "scfnet.r50", "unisal", "gbvs.kdsalbox"}


def test_the_gallery_has_each_model_that_ships(script):
    drawn = re.findall(r"^## \[(\S+)\]", (script.DOCS / "gallery.md").read_text("utf-8"), re.MULTILINE)
    assert drawn == [name for name in MODELS if not salbox.card(name).weights_from]


def _linked(text: str) -> list[str]:
    return re.findall(r"\(models/(\S+)\.md\)", text)


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
    """A results page, or a column, that is renamed would leave its figures out in silence."""
    for question, pages in script.QUESTIONS.items():
        for page in pages:
            heads = {script.plain(head) for table in script.tables(page) for head in table.head}
            assert heads & set(script.TELLING[question]), (question, page)
    for rows, columns in script.EVIDENCE.values():
        assert all(script._figure(rows[0], places) for places in columns.values())
        assert all(any(script._figure(row, places) for places in columns.values()) for row in rows)
