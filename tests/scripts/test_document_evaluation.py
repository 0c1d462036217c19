"""The page on measuring says what the metrics and datasets say of themselves."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "document_evaluation.py"


def test_the_tables_are_up_to_date():
    spec = importlib.util.spec_from_file_location("document_evaluation", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = script.PAGE.read_text(encoding="utf-8")
    assert page == script.documented(page), "run scripts/document_evaluation.py"
    assert "| `nss` | NSS |" in page
    assert "`osie:PATH`" in page
