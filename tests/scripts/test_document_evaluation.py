"""The pages on measuring and on losses say what metrics, datasets and losses say of themselves."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "document_evaluation.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("document_evaluation", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "lines"),
    [("evaluate.md", ("| `nss` | NSS |", "`osie:PATH`")), ("losses.md", ("| `nss` | mean of -(s - mean s) / sd s",))],
)
def test_the_tables_are_up_to_date(script, name, lines):
    if name == "losses.md":
        pytest.importorskip("torch")
    (path,) = (p for p in script.PAGES if p.name == name)
    page = path.read_text(encoding="utf-8")
    assert page == script.documented(page), "run scripts/document_evaluation.py"
    for line in lines:
        assert line in page
