"""Figures in sentences are those of the results pages that they name.

Behind such a figure stands, unseen, where it comes from: `.918<!-- = objects :: ECSSD :: u2netp :: max F_β -->`, a page
of docs/results, the beginning of a section's title, a row and a column.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"([-+]?[\d,]*\.?\d+)[^\S\n]?<!-- = (.+?) :: (.*?) :: (.+?) :: (.+?) -->")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
UNREAD = "a source without a figure before it, or one that cannot be read"
NAMING = [page for page in PAGES if "<!-- = " in page.read_text("utf-8")]


@pytest.fixture(scope="module")
def documents() -> ModuleType:
    spec = importlib.util.spec_from_file_location("document_models", ROOT / "scripts" / "document_models.py")
    module = sys.modules["document_models"] = importlib.util.module_from_spec(spec)  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def wrong(text: str, documents: ModuleType) -> list[str]:
    """Return what is wrong with the figures of a text that say where they come from."""
    found = NAMED.findall(text)
    problems = [] if len(found) == text.count("<!-- = ") else [UNREAD]
    for figure, page, section, row, column in found:
        cells = [
            line[table.head.index(column)]
            for table in documents.tables(page)
            if table.section.startswith(section) and column in table.head
            for line in table.rows
            if documents.plain(line[0]) == row
        ]
        if not cells:
            problems.append(f"{figure}: {page} has no {row}, {column} under {section}")
        elif rounded(cells[0], figure) != Decimal(figure.replace(",", "")):
            problems.append(f"{figure}: {page} says {cells[0]}")
    return problems


def rounded(cell: str, figure: str) -> Decimal:
    """Return the first number of a cell with as many digits behind the point as a figure has."""
    number = Decimal(re.search(r"[-+]?[\d,]*\.?\d+", cell)[0].replace(",", ""))
    return number.quantize(Decimal(1).scaleb(-len(figure.partition(".")[2])))


@pytest.mark.parametrize("page", NAMING, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_figures_are_those_of_the_page_that_they_name(page, documents):
    assert wrong(page.read_text("utf-8"), documents) == []


def test_a_wrong_figure_is_found(documents, tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "RESULTS", tmp_path)
    table = "| model | NSS |\n|---|---|\n| `a` | 1.249 [1, 2] |\n"
    (tmp_path / "own.md").write_text(f"# Own\n\n## Set, 20 photos\n\n{table}")
    source = "<!-- = own :: Set :: a :: NSS -->"
    assert wrong(f"1.25{source} and 1.2{source}", documents) == []
    assert wrong(f"1.24{source}", documents) == ["1.24: own says 1.249 [1, 2]"]
    assert wrong("1.2<!-- = own :: Set :: b :: NSS -->", documents) == ["1.2: own has no b, NSS under Set"]
    assert wrong(f"as said {source}", documents) == [UNREAD]
